// The plain things that pages are made of: button, card, field, choices.

import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

type ButtonProps = Omit<JSX.IntrinsicElements["button"], "class" | "size"> & {
  /** primary: the one thing to do; calm: another; quiet: a way out; lamp: somebody calls. */
  kind?: "primary" | "calm" | "quiet" | "lamp" | "alarm";
  size?: "slim" | "normal" | "big";
  wide?: boolean;
};

export function Button({ kind = "calm", size = "normal", wide, ...rest }: ButtonProps) {
  const classes = ["button", kind, size !== "normal" && size, wide && "wide"].filter(Boolean);
  return <button type="button" {...rest} class={classes.join(" ")} />;
}

interface CardProps {
  title?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

export function Card({ title, class: also = "", children }: CardProps) {
  return (
    <section class={`card stack ${also}`}>
      {title !== undefined && <h2>{title}</h2>}
      {children}
    </section>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onValue(value: string): void;
  hint?: string | undefined;
  wrong?: string | undefined;
  /** Large figures for codes. */
  digits?: boolean;
  type?: "text" | "password" | "tel" | "date";
  name?: string;
  inputMode?: "text" | "numeric" | "tel";
  autocomplete?: string;
  maxLength?: number;
  required?: boolean;
  disabled?: boolean;
}

export function Field({ label, value, onValue, hint, wrong, digits, type = "text", ...rest }: FieldProps) {
  const id = useId();
  return (
    <div class={digits ? "field digits" : "field"}>
      <label for={id}>{label}</label>
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      <input
        {...rest}
        // The kinds differ only in the keyboard and the autofill they bring.
        type={type as "text"}
        id={id}
        value={value}
        aria-describedby={hint ? `${id}-hint` : undefined}
        aria-invalid={wrong ? true : undefined}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {wrong && (
        <span class="wrong" role="alert">
          {wrong}
        </span>
      )}
    </div>
  );
}

interface ChoicesProps<T extends string> {
  label: string;
  options: readonly { value: T; text: string }[];
  value: T | undefined;
  onValue: (value: NoInfer<T>) => void;
}

/** One of a few, as large radio buttons. */
export function Choices<T extends string>({ label, options, value, onValue }: ChoicesProps<T>) {
  const name = useId();
  return (
    <fieldset class="choices field">
      <legend class="label">{label}</legend>
      {options.map((option) => (
        <label class="choice" key={option.value}>
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            onChange={() => onValue(option.value)}
          />
          {option.text}
        </label>
      ))}
    </fieldset>
  );
}
