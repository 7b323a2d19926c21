// Keys for those who do not want to reach for the mouse. All with Alt, so that none is pressed by
// typing and none collides with a screen reader's single letters.

import { useEffect, useRef } from "preact/hooks";

/** Runs `then` on Alt and the key `code`, such as `KeyN`, while the component is there. */
export function useAltKey(code: string, then: () => void): void {
  const latest = useRef(then);
  latest.current = then;
  useEffect(() => {
    const heard = (event: KeyboardEvent) => {
      if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== code) return;
      if (event.repeat || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", heard);
    return () => window.removeEventListener("keydown", heard);
  }, [code]);
}

/** Arrow up and down move among the elements that fit `selector` inside the list. */
export function moveByArrows(event: KeyboardEvent, selector: string): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const list = event.currentTarget as HTMLElement;
  const stops = [...list.querySelectorAll<HTMLElement>(selector)];
  const at = stops.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  event.preventDefault();
  stops[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
}
