// The end of a visit: its outcome, and what the patient reads afterwards.

import { useState } from "preact/hooks";
import { Button, Choices } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { tell } from "../ui/notice";
import { usePress } from "../ui/press";
import type { Disposition, TicketRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { t } from "../words/doctor";
import { staff } from "../words/staff";

const DISPOSITIONS: readonly Disposition[] = [
  "treated",
  "follow_up",
  "unsuitable",
  "emergency_transfer",
  "refused",
];
/** Longest note, in characters. */
const NOTE_CHARS_MAX = 500;

interface EndingProps {
  wire: Wire;
  ticket: TicketRow;
  onClose(): void;
}

export function Ending({ wire, ticket, onClose }: EndingProps) {
  const [disposition, setDisposition] = useState<Disposition | undefined>();
  const [note, setNote] = useState("");
  const [press, busy] = usePress(wire);
  const place = disposition === "unsuitable";
  const ready = disposition !== undefined && (!place || note.trim() !== "");
  const end = async () => {
    if (!ready) return;
    const { ticket: id, epoch, code } = ticket;
    const outcome = await press({
      type: "end_visit",
      ticket: id,
      epoch,
      disposition,
      note: note.trim(),
    });
    if (!outcome) return;
    tell(t("ended", { code }));
    onClose();
  };
  return (
    <Dialog
      title={t("end_title")}
      onClose={onClose}
      actions={
        <Button kind="primary" disabled={!ready || busy} onClick={end} data-act="end-visit">
          {t("end")}
        </Button>
      }
    >
      {ticket.first_visit && <p class="banner">{staff("first_visit_limits")}</p>}
      <Choices
        label={t("disposition")}
        options={DISPOSITIONS.map((value) => ({ value, text: staff(`disposition_${value}`) }))}
        value={disposition}
        onValue={(value) => setDisposition(value)}
      />
      <Note place={place} note={note} onNote={setNote} />
    </Dialog>
  );
}

function Note({
  place,
  note,
  onNote,
}: {
  place: boolean;
  note: string;
  onNote(note: string): void;
}) {
  return (
    <div class="field">
      <label for="ending-note">{t(place ? "note_place" : "note")}</label>
      <span class="hint" id="ending-hint">
        {t(place ? "note_place_hint" : "note_hint")}
      </span>
      <textarea
        id="ending-note"
        rows={3}
        maxLength={NOTE_CHARS_MAX}
        required={place}
        aria-describedby="ending-hint"
        value={note}
        onInput={(event) => onNote(event.currentTarget.value)}
      />
      {place && note.trim() === "" && <span class="wrong">{t("note_place_missing")}</span>}
    </div>
  );
}
