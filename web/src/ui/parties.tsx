// Who is here: everyone in a visit is listed for everyone, always.

import type { VisitRow } from "../wire/types";
import { common } from "../words/common";

export function Parties({ visit }: { visit: VisitRow }) {
  return (
    <ul class="row parties" aria-label={common("present")}>
      {visit.parties.map((party) => (
        <li key={party.participant} class={party.present ? "chip moss" : "chip grey"}>
          <span>
            {common(`role_${party.role}`)} {party.name}
            {party.shared_endpoint && `・${common("shared_endpoint")}`}
            {party.companion && `・${common("companion")}`}
            {!party.present && `（${common("not_present")}）`}
          </span>
        </li>
      ))}
    </ul>
  );
}
