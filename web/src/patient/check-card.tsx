// The camera and microphone check in the waiting room: offered, never demanded.

import { signal } from "@preact/signals";
import { patient } from "../words/patient";
import { Button, Card } from "../ui/controls";

const check = signal<typeof import("./check") | undefined>(undefined);
const at = signal<"offered" | "open" | "ready">("offered");

async function open(): Promise<void> {
  check.value ??= await import("./check");
  at.value = "open";
}

export function CheckCard() {
  if (at.value === "ready") {
    return (
      <div class="banner moss checked">
        <span>{patient("check_ready")}</span>
        <Button kind="quiet" onClick={() => void open()}>
          {patient("check_again")}
        </Button>
      </div>
    );
  }
  return (
    <Card title={patient("check")}>
      {at.value === "open" && check.value ? (
        <check.value.Check
          onDone={(works) => {
            at.value = works ? "ready" : "offered";
          }}
        />
      ) : (
        <>
          <p>{patient("check_short")}</p>
          <Button wide onClick={() => void open()} data-act="check">
            {patient("check")}
          </Button>
        </>
      )}
    </Card>
  );
}
