// A list of people from a spreadsheet, pasted or as a file: looked at line by line, then sent.

import { useMemo, useState } from "preact/hooks";
import { Button } from "../ui/controls";
import { TriageMark } from "../ui/signs";
import type { Wire } from "../wire/wire";
import { t } from "../words/board";
import { staff } from "../words/staff";
import { decodeFile, parseCsv, writeCsv } from "./csv";
import { download } from "./download";
import type { Send } from "./invite";
import { COLUMNS, type Line, PEOPLE_MAX, readPeople } from "./people";
import { dayOf } from "./today";

interface ManyProps {
  wire: Wire;
  busy: boolean;
  onSend: Send;
}

/** A larger file is no list of two hundred people. */
const FILE_BYTES_MAX = 1_000_000;

export function InviteMany({ wire, busy, onSend }: ManyProps) {
  const [text, setText] = useState("");
  const [said, setSaid] = useState<string | undefined>();
  const today = dayOf(wire.clock.now.value);
  const lines = useMemo(() => readPeople(parseCsv(text), today), [text, today]);
  const good = lines.filter((line) => line.flaws.length === 0);
  const read = async (file: File | undefined) => {
    if (!file) return;
    setSaid(undefined);
    if (file.size > FILE_BYTES_MAX) return setSaid(t("file_large"));
    setText(decodeFile(await file.arrayBuffer()));
  };
  return (
    <div class="invite-many">
      <Source text={text} onText={setText} onFile={read} said={said} />
      {lines.length > 0 && <Checked lines={lines} />}
      {good.length > PEOPLE_MAX && (
        <p class="banner lamp">{t("too_many", { n: PEOPLE_MAX, have: good.length })}</p>
      )}
      <Button
        kind="primary"
        wide
        data-act="issue"
        disabled={busy || good.length === 0 || good.length > PEOPLE_MAX}
        onClick={() => onSend(good.map((line) => line.invitation))}
      >
        {t(good.length === lines.length ? "issue_all" : "issue_good", { n: good.length })}
      </Button>
    </div>
  );
}

interface SourceProps {
  text: string;
  onText(text: string): void;
  onFile(file: File | undefined): void;
  said: string | undefined;
}

function Source({ text, onText, onFile, said }: SourceProps) {
  const sample = () =>
    download(
      "minato-sample.csv",
      writeCsv([
        [...COLUMNS.map((column) => t(`heading_${column}`))],
        [
          "見本 花子",
          "みほん はなこ",
          "昭和19年12月1日",
          "0599-00-0000",
          "港島 2-3",
          "通常",
          "初診",
        ],
      ]),
    );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a convenience beside the button
    <div
      class="source"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        onFile(event.dataTransfer?.files[0]);
      }}
    >
      <p class="small">
        {t("many_how")}{" "}
        <button type="button" class="code-link" onClick={sample}>
          {t("sample")}
        </button>
      </p>
      <label class="file-choice">
        <span class="button calm slim">{t("file_choose")}</span>
        <input
          type="file"
          class="unseen"
          accept=".csv,.txt,text/csv"
          onChange={(event) => {
            onFile(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
      </label>
      <textarea
        class="input"
        rows={5}
        aria-label={t("many_paste")}
        placeholder={t("many_paste")}
        spellcheck={false}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      {said && (
        <p class="wrong" role="alert">
          {said}
        </p>
      )}
    </div>
  );
}

function Checked({ lines }: { lines: readonly Line[] }) {
  const flawed = lines.filter((line) => line.flaws.length > 0).length;
  return (
    <>
      <p role="status">
        <b>{t("lines_n", { n: lines.length })}</b>{" "}
        {flawed > 0 && <span class="chip lamp">{t("lines_flawed", { n: flawed })}</span>}
      </p>
      <div
        class="people"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys
        tabIndex={0}
        role="region"
        aria-label={t("invite_many")}
      >
        <table>
          <thead>
            <tr>
              <th>{t("heading_line")}</th>
              {COLUMNS.map((column) => (
                <th key={column}>{t(`heading_${column}`)}</th>
              ))}
              <th>{t("heading_flaws")}</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <PersonLine key={line.number} line={line} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function PersonLine({ line }: { line: Line }) {
  const { person, triage, first_visit } = line.invitation;
  return (
    <tr class={line.flaws.length > 0 ? "flawed" : ""}>
      <td>{line.number}</td>
      <td>{person.name}</td>
      <td>{person.kana}</td>
      <td>{person.birth_date}</td>
      <td>{person.call_back}</td>
      <td>{person.location}</td>
      <td>
        <TriageMark triage={triage} />
      </td>
      <td>{first_visit ? staff("first_visit") : ""}</td>
      <td class="flaws">{line.flaws.map((flaw) => t(`flaw_${flaw}`)).join(" ")}</td>
    </tr>
  );
}
