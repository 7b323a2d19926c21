// A sentence at the foot of the page that stays until it was read: refusals above all.

import { signal } from "@preact/signals";
import { common } from "../words/common";
import { Button } from "./controls";

const said = signal<string | undefined>(undefined);

/** Says a sentence; the one before is replaced. */
export function tell(sentence: string | undefined): void {
  said.value = sentence;
}

export function Notice() {
  return (
    <div role="status" aria-live="polite">
      {said.value && (
        <div class="notice">
          <span>{said.value}</span>
          <Button kind="quiet" size="slim" onClick={() => tell(undefined)}>
            {common("close")}
          </Button>
        </div>
      )}
    </div>
  );
}
