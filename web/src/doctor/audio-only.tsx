// Going on without pictures, with the reason that the record needs.

import { useState } from "preact/hooks";
import type { Call } from "../call/call";
import { Button, Choices, Field } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { usePress } from "../ui/press";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";

type Reason = "line" | "camera" | "wish" | "other";
const REASONS: readonly Reason[] = ["line", "camera", "wish", "other"];

interface AudioOnlyProps {
  wire: Wire;
  visit: string;
  call: Call | undefined;
  onClose(): void;
}

export function AudioOnly({ wire, visit, call, onClose }: AudioOnlyProps) {
  const [reason, setReason] = useState<Reason>("line");
  const [other, setOther] = useState("");
  const [press, busy] = usePress(wire);
  const text = reason === "other" ? other.trim() : t(`reason_${reason}`);
  const go = async () => {
    const outcome = await press({ type: "audio_only", visit, reason: text });
    if (outcome) void call?.own.setCamera(false);
    onClose();
  };
  return (
    <Dialog
      title={t("audio_only_title")}
      onClose={onClose}
      actions={
        <Button kind="primary" disabled={busy || text === ""} onClick={go}>
          {t("audio_only_do")}
        </Button>
      }
    >
      <p>{t("audio_only_means")}</p>
      <Choices
        label={t("gate_defer_reason")}
        options={REASONS.map((value) => ({ value, text: t(`reason_${value}`) }))}
        value={reason}
        onValue={(value) => setReason(value)}
      />
      {reason === "other" && (
        <Field label={t("reason_write")} value={other} onValue={setOther} maxLength={200} />
      )}
    </Dialog>
  );
}
