// The way to type one's own values: offered, loaded when somebody wants it.

import { signal } from "@preact/signals";
import type { Act, TypedValue } from "../wire/types";
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

interface CardProps {
  wire: Wire;
  /** The verb that carries the values. */
  enter(values: TypedValue[], measuredAt: number): Act;
  /** What this is for. */
  means: string;
  /** The ticket beside whose values a picture may stand. */
  photoOf?: string;
}

/** Values for a ticket of one's own. */
export function OwnCard({ wire, ticket }: { wire: Wire; ticket: string }) {
  const rest = { corrects: null, reason: "" };
  const enter: CardProps["enter"] = (values, measured_at) => ({
    type: "enter_reading",
    ticket,
    values,
    measured_at,
    ...rest,
  });
  return <EnterCard wire={wire} enter={enter} means={patient("own_means")} photoOf={ticket} />;
}

function isEntering({ type }: Act): boolean {
  return type === "enter_reading" || type === "enter_kit_reading";
}

export function EnterCard({ wire, enter, means, photoOf }: CardProps) {
  const unsent = wire.acts.pending.value.some(({ act, sent }) => isEntering(act) && !sent);
  return (
    <Card title={patient("own")}>
      {at.value === "open" && form.value ? (
        <form.value.OwnValues
          wire={wire}
          enter={enter}
          photoOf={photoOf}
          onDone={() => {
            at.value = "offered";
          }}
          onTold={() => {
            told.value = true;
          }}
        />
      ) : (
        <>
          <p>{means}</p>
          {unsent && (
            <p class="chip lamp" role="status">
              {common("unsent")}
            </p>
          )}
          {form.value && photoOf !== undefined && <form.value.PhotosUnderWay ticket={photoOf} />}
          {told.value && !unsent && <p role="status">{patient("own_told")}</p>}
          <Button wide onClick={() => void open()} data-act="own-values">
            {patient("own_open")}
          </Button>
        </>
      )}
    </Card>
  );
}
