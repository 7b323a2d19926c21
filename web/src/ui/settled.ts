// What has just appeared takes no press yet: the second tap of a finger meant what stood there before.

import { useEffect, useState } from "preact/hooks";

/** Longer than the two taps of a double tap are apart, shorter than anybody reads. */
const SETTLING_MS = 600;

/** False for the first moment after this part of the page appeared. */
export function useSettled(): boolean {
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), SETTLING_MS);
    return () => clearTimeout(timer);
  }, []);
  return settled;
}
