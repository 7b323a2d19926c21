// 聴診 on the nurse's tablet: which input the stethoscope is, and one button to let the doctor listen.

import { useEffect } from "preact/hooks";
import type { Call } from "../call/call";
import type { ChestState } from "../call/stethoscope";
import { Button, Card } from "../ui/controls";
import { nurse } from "../words/nurse";

export function Auscultate({ call }: { call: Call }) {
  const { stethoscope } = call;
  const state = stethoscope.state.value;
  const isOn = state.type === "on";
  // Inputs have no names before the microphone was allowed.
  const isAllowed = call.own.stream.value !== undefined;
  useEffect(() => {
    if (isAllowed) void stethoscope.look();
  }, [stethoscope, isAllowed]);
  const words = saidOf(state, call.auscultation.value !== undefined);
  return (
    <Card title={nurse("auscultation")} class="auscultation">
      <Inputs call={call} />
      <Button
        kind={isOn ? "lamp" : "primary"}
        wide
        aria-pressed={isOn}
        disabled={state.type === "asking"}
        data-act="auscultate"
        onClick={() => (isOn ? stethoscope.stop() : void stethoscope.start())}
      >
        {nurse(isOn ? "auscultate_stop" : "auscultate_start")}
      </Button>
      <p role="status" class={isOn ? "chip moss" : "soft"}>
        {words}
      </p>
    </Card>
  );
}

function Inputs({ call }: { call: Call }) {
  const { inputs, chosen } = call.stethoscope;
  const known = inputs.value.some((input) => input.id === chosen.value);
  return (
    <label class="field">
      <span>{nurse("chestpiece")}</span>
      <select
        value={known ? chosen.value : ""}
        onChange={(event) => void call.stethoscope.choose(event.currentTarget.value)}
      >
        <option value="">{nurse("chestpiece_default")}</option>
        {inputs.value.map((input) => (
          <option key={input.id} value={input.id}>
            {input.name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The relay lets one stethoscope be heard at a time. */
function saidOf(state: ChestState, another: boolean): string {
  switch (state.type) {
    case "off":
      return nurse("auscultation_off");
    case "asking":
      return nurse("auscultation_asking");
    case "on":
      return nurse(another ? "auscultation_waits" : "auscultation_on");
    case "unplugged":
      return nurse("auscultation_unplugged");
    case "failed":
      return nurse(`chestpiece_${state.fault}`);
  }
}
