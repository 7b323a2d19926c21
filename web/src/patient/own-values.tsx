// 自分ではかった値: what the patient read from a device at home, kept until there is a link.

import { useState } from "preact/hooks";
import { follow } from "../wire/photo";
import type { Act, TypedValue } from "../wire/types";
import { type Typed, type TypedTexts, typedForm } from "../wire/typed";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { patient } from "../words/patient";
import { Button } from "../ui/controls";
import { usePress } from "../ui/press";
import { PhotoField } from "../ui/photo-field";
import { TypedFields } from "../ui/typed-fields";

export { PhotosUnderWay } from "../ui/photo-field";

/** What people have at home. */
const ASKED = ["systolic", "diastolic", "pulse_rate", "spo2", "temperature", "weight"] as const;
const NONE_WRONG: ReadonlySet<Typed> = new Set();

interface OwnProps {
  wire: Wire;
  /** The verb that carries the values. */
  enter(values: TypedValue[], measuredAt: number): Act;
  /** The ticket beside whose values a picture may stand. */
  photoOf?: string | undefined;
  onDone(): void;
  /** The broker has it. */
  onTold(): void;
}

export function OwnValues({ wire, enter, photoOf, onDone, onTold }: OwnProps) {
  const [texts, setTexts] = useState<TypedTexts>({});
  const [tried, setTried] = useState(false);
  const [photo, setPhoto] = useState<Blob | undefined>();
  const [press] = usePress(wire);
  const form = typedForm(texts);
  const send = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (form.state !== "ready") return;
    const act = enter(form.values, wire.clock.read());
    onDone();
    const sent = press(act, { mayWait: true });
    if (photo && photoOf !== undefined) follow(photoOf, photo, sent);
    void sent.then((outcome) => outcome && onTold());
  };
  return (
    <form class="stack" onSubmit={send} novalidate>
      <TypedFields
        texts={texts}
        onTexts={setTexts}
        wrong={tried && form.state === "wrong" ? form.fields : NONE_WRONG}
        wrongWords={patient("own_wrong")}
        nameOf={(what) => patient(`own_${what as (typeof ASKED)[number]}`)}
        only={ASKED}
      />
      {tried && form.state === "empty" && <p role="alert">{patient("own_empty")}</p>}
      {photoOf !== undefined && <PhotoField photo={photo} onPhoto={setPhoto} />}
      <Button type="submit" kind="primary" wide data-act="enter-reading">
        {patient("own_do")}
      </Button>
      <Button kind="quiet" wide onClick={onDone}>
        {common("cancel")}
      </Button>
    </form>
  );
}
