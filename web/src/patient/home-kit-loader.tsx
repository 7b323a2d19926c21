// The page at home: loaded where there is a kit, so that who waits for a visit need not.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { common } from "../words/common";
import { Button } from "../ui/controls";
import type { HomeKitProps } from "./home-kit";

const page = signal<typeof import("./home-kit") | undefined>(undefined);
const missed = signal(false);

async function load(): Promise<void> {
  missed.value = false;
  try {
    page.value ??= await import("./home-kit");
  } catch {
    missed.value = true;
  }
}

export function HomeKitLoader(props: HomeKitProps) {
  useEffect(() => void load(), []);
  if (page.value) return <page.value.HomeKit {...props} />;
  if (missed.value) {
    return (
      <Button kind="primary" wide onClick={() => void load()}>
        {common("retry")}
      </Button>
    );
  }
  return (
    <p class="soft" role="status">
      {common("wait_moment")}
    </p>
  );
}
