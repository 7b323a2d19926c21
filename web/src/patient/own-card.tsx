// The way to type one's own values: offered, loaded when somebody wants it.

import { signal } from "@preact/signals";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { patient } from "../words/patient";
import { Button, Card } from "../ui/controls";

const form = signal<typeof import("./own-values") | undefined>(undefined);
const at = signal<"offered" | "open">("offered");
const told = signal(false);

async function open(): Promise<void> {
  form.value ??= await import("./own-values");
  at.value = "open";
  told.value = false;
}

export function OwnCard({ wire, ticket }: { wire: Wire; ticket: string }) {
  const unsent = wire.acts.pending.value.some(({ act, sent }) => act.type === "enter_reading" && !sent);
  return (
    <Card title={patient("own")}>
      {at.value === "open" && form.value ? (
        <form.value.OwnValues
          wire={wire}
          ticket={ticket}
          onDone={() => {
            at.value = "offered";
          }}
          onTold={() => {
            told.value = true;
          }}
        />
      ) : (
        <>
          <p>{patient("own_means")}</p>
          {unsent && (
            <p class="chip lamp" role="status">
              {common("unsent")}
            </p>
          )}
          {form.value && <form.value.PhotosUnderWay ticket={ticket} />}
          {told.value && !unsent && <p role="status">{patient("own_told")}</p>}
          <Button wide onClick={() => void open()} data-act="own-values">
            {patient("own_open")}
          </Button>
        </>
      )}
    </Card>
  );
}
