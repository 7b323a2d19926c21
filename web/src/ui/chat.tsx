// The written words of a visit; a line that the broker does not have yet says so.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Role } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, timeOfDay } from "../words/common";
import { Button } from "./controls";
import { usePress } from "./press";
import "./chat.css";

/** Longest line, in characters. */
const LINE_CHARS_MAX = 500;

interface ChatProps {
  wire: Wire;
  visit: string;
  /** Whose screen this is, to set the own lines apart. */
  role: Role;
  /** Others write; this screen only shows it. */
  readOnly?: boolean;
}

export function Chat({ wire, visit, role, readOnly = false }: ChatProps) {
  const [text, setText] = useState("");
  const [press] = usePress(wire);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => wire.watchChat(visit), [visit]);
  const lines = wire.chats.lines(visit);
  const unsent = wire.acts.pending.value.flatMap(({ key, act }) =>
    act.type === "say" && act.visit === visit ? [{ key, text: act.text }] : [],
  );
  const shown = lines.length + unsent.length;
  useEffect(() => {
    list.current?.lastElementChild?.scrollIntoView({ block: "nearest" });
  }, [shown]);
  const say = (event: Event) => {
    event.preventDefault();
    const line = text.trim();
    if (!line) return;
    setText("");
    void press({ type: "say", visit, text: line }, { mayWait: true });
  };
  return (
    <div class="chat stack">
      {shown === 0 && <p class="soft">{common("chat_none")}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by the keys */}
      <div role="log" class="log" tabIndex={0} aria-label={common("chat")}>
        <ol ref={list} class="lines">
        {lines.map((line) => (
          <li key={line.seq} class={line.role === role ? "own" : ""}>
            <span class="who small">
              {line.from || common(`role_${line.role}`)} · {timeOfDay(line.at)}
            </span>
            <span class="said">{line.text}</span>
          </li>
        ))}
        {unsent.map((line) => (
          <li key={line.key} class="own unsent">
            <span class="who small">{common("unsent")}</span>
            <span class="said">{line.text}</span>
          </li>
        ))}
        </ol>
      </div>
      {!readOnly && (
        <form class="row" onSubmit={say}>
          <input
            class="input"
            aria-label={common("chat_write")}
            placeholder={common("chat_write")}
            maxLength={LINE_CHARS_MAX}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <Button type="submit" kind="primary">
            {common("chat_send")}
          </Button>
        </form>
      )}
    </div>
  );
}
