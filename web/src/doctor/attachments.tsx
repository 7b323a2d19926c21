// Who attached what when, and until when: near the values, folded away.

import type { AttachmentRow, VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { timeOfDay } from "../words/common";
import { t } from "../words/doctor";

export function Attachments({ wire, visit }: { wire: Wire; visit: VisitRow }) {
  const { attachments, subject } = visit;
  if (attachments.length === 0) return null;
  const rows = subject ? wire.readings.rows(subject) : [];
  /** The model, as the device's own values tell it. */
  const modelOf = (device: string) =>
    rows.find((row) => row.outcome.device.id === device)?.outcome.device.model;
  return (
    <details
      class="attachments"
      // It is the last thing of a column that scrolls.
      onToggle={({ currentTarget }) => currentTarget.open && currentTarget.scrollIntoView({ block: "nearest" })}
    >
      <summary>{t("attachments", { n: attachments.length })}</summary>
      <ol>
        {attachments.map((one) => (
          <li key={`${one.device} ${one.since}`} data-attached={one.device}>
            <b>{modelOf(one.device) ?? one.device}</b>{" "}
            {modelOf(one.device) && <span class="soft">{one.device}</span>} <span>{since(one)}</span>{" "}
            <span>{until(one)}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}

function since({ by, since }: AttachmentRow): string {
  const time = timeOfDay(since);
  return by ? t("attached_by", { by, time }) : t("attached_nobody", { time });
}

function until({ until }: AttachmentRow): string {
  if (!until) return t("attached_still");
  const [at, why] = until;
  return t(`unbound_${why}`, { time: timeOfDay(at) });
}
