// A link as a QR code; its library is loaded when the first one is looked at.

import { useEffect, useState } from "preact/hooks";
import { common } from "../words/common";

/** Cells around the code that scanners want to be empty. */
const QUIET_CELLS = 4;

export function Qr({ text, label }: { text: string; label: string }) {
  const [cells, setCells] = useState<boolean[][] | undefined>();
  useEffect(() => {
    let over = false;
    void import("uqr").then(({ encode }) => {
      if (!over) setCells(encode(text, { ecc: "M", border: QUIET_CELLS }).data);
    });
    return () => {
      over = true;
    };
  }, [text]);
  if (!cells) return <p class="soft">{common("wait_moment")}</p>;
  return (
    <svg class="qr" viewBox={`0 0 ${cells.length} ${cells.length}`} role="img" aria-label={label}>
      <rect width={cells.length} height={cells.length} fill="#fff" />
      <path d={pathOf(cells)} fill="#000" shape-rendering="crispEdges" />
    </svg>
  );
}

function pathOf(cells: readonly (readonly boolean[])[]): string {
  return cells
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
}
