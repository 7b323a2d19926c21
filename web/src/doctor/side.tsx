// Orders and written words, beside the values.

import { Chat } from "../ui/chat";
import type { VisitRow } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { Orders } from "./orders";

interface SideProps {
  wire: Wire;
  visit: VisitRow;
  settled: boolean;
}

export function Side({ wire, visit, settled }: SideProps) {
  return (
    <aside class="side-panel">
      <Orders wire={wire} visit={visit} settled={settled} />
      <section class="chat-box" aria-label={common("chat")}>
        <h2>{common("chat")}</h2>
        <Chat wire={wire} visit={visit.visit} role="doctor" />
      </section>
    </aside>
  );
}
