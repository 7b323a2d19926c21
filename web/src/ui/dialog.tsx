// A question that stands before everything else: the browser's own <dialog>, with focus kept inside.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { common } from "../words/common";
import { Button } from "./controls";

interface DialogProps {
  title: string;
  /** Closed by Escape or the cancel button. */
  onClose(): void;
  children?: ComponentChildren;
  /** The buttons that decide; a cancel button stands before them unless `cancel` is empty. */
  actions?: ComponentChildren;
  cancel?: string;
}

export function Dialog({ title, onClose, children, actions, cancel }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!dialog?.open) dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div class="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
      <div class="buttons">
        {cancel !== "" && (
          <Button kind="quiet" onClick={onClose}>
            {cancel ?? common("cancel")}
          </Button>
        )}
        {actions}
      </div>
    </dialog>
  );
}
