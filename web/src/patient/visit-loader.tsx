// Media is loaded when the visit begins, so that waiting costs little.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { common } from "../words/common";
import { Button } from "../ui/controls";
import type { PlaceProps } from "./waiting";

const visit = signal<typeof import("./visit") | undefined>(undefined);
const missed = signal(false);

async function load(): Promise<void> {
  missed.value = false;
  try {
    visit.value ??= await import("./visit");
  } catch {
    missed.value = true;
  }
}

export function VisitLoader({ wire, place }: PlaceProps) {
  useEffect(() => void load(), []);
  if (visit.value) return <visit.value.Visit wire={wire} place={place} />;
  if (missed.value) {
    return (
      <Button kind="primary" wide onClick={() => void load()}>
        {common("retry")}
      </Button>
    );
  }
  return (
    <p class="banner waiting" role="status">
      {common("media_connecting")}
    </p>
  );
}
