// A step that others wait for: it stands out, and a refusal that names it leads to it.

import { useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Code } from "../wire/types";
import { refusal } from "./press";

interface OwedProps {
  /** The refusal after which this is what there is to do. */
  after: Code;
  label: string;
  class: string;
  children: ComponentChildren;
}

export function Owed({ after, label, class: looks, children }: OwedProps) {
  const box = useRef<HTMLElement>(null);
  // One that was there before this step was is not about it.
  const before = useRef(refusal.peek());
  useSignalEffect(() => {
    const now = refusal.value;
    if (now === before.current || now?.code !== after) return;
    box.current?.focus();
    box.current?.scrollIntoView({ block: "nearest" });
  });
  return (
    <section ref={box} tabIndex={-1} class={`owed ${looks}`} aria-label={label} data-owed={after}>
      {children}
    </section>
  );
}
