// A sentence at the foot of the page: refusals above all.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { common } from "../words/common";
import { Button } from "./controls";

/** Long enough to be read twice; then it makes room. */
const SHOWN_MS = 15_000;

const said = signal<string | undefined>(undefined);

/** Says a sentence; the one before is replaced. */
export function tell(sentence: string | undefined): void {
  said.value = sentence;
}

export function Notice() {
  const box = useRef<HTMLDivElement>(null);
  const sentence = said.value;
  useEffect(() => {
    // Shown anew each time, so that it stands over a dialog that is open.
    if (!sentence) return;
    if (box.current?.showPopover) box.current.showPopover();
    const timer = setTimeout(() => tell(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [sentence]);
  return (
    <div role="status" aria-live="polite">
      {sentence && (
        <div key={sentence} ref={box} class="notice" popover="manual">
          <span>{sentence}</span>
          <Button kind="quiet" size="slim" onClick={() => tell(undefined)}>
            {common("close")}
          </Button>
        </div>
      )}
    </div>
  );
}
