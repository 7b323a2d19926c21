// Large fields for numbers that a person read, counted or felt, each with its unit beside it.

import { useId } from "preact/hooks";
import { TYPED, TYPED_UNIT, type Typed, type TypedTexts } from "../wire/typed";
import "./typed.css";

interface FieldsProps {
  texts: TypedTexts;
  onTexts(texts: TypedTexts): void;
  wrong: ReadonlySet<Typed>;
  /** Said beside a field that is no number. */
  wrongWords: string;
  nameOf(what: Typed): string;
  /** All of them, unless only some are asked for. */
  only?: readonly Typed[];
}

export function TypedFields({ texts, onTexts, only = TYPED, ...rest }: FieldsProps) {
  return (
    <div class="typed-fields">
      {only.map((what) => (
        <NumberField
          key={what}
          what={what}
          {...rest}
          value={texts[what] ?? ""}
          onValue={(text) => onTexts({ ...texts, [what]: text })}
        />
      ))}
    </div>
  );
}

interface NumberProps extends Pick<FieldsProps, "wrong" | "wrongWords" | "nameOf"> {
  what: Typed;
  value: string;
  onValue(text: string): void;
}

function NumberField({ what, value, onValue, wrong, wrongWords, nameOf }: NumberProps) {
  const id = useId();
  const isWrong = wrong.has(what);
  return (
    <div class="field number">
      <label for={id}>{nameOf(what)}</label>
      <span class="with-unit">
        <input
          id={id}
          name={what}
          type="text"
          inputMode="decimal"
          autocomplete="off"
          maxLength={8}
          value={value}
          aria-invalid={isWrong ? true : undefined}
          aria-describedby={isWrong ? `${id}-unit ${id}-wrong` : `${id}-unit`}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
        <span class="unit" id={`${id}-unit`}>
          {TYPED_UNIT[what]}
        </span>
      </span>
      {isWrong && (
        <span class="wrong" id={`${id}-wrong`} role="alert">
          {wrongWords}
        </span>
      )}
    </div>
  );
}
