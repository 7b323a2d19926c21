// A picture of the queue: a boat a person, sailing to the lamp of the harbour.

import { boats } from "./wait";

const FIRST_X = 96;
const STEP_X = 40;

export function Harbour({ ahead }: { ahead: number }) {
  const count = boats(ahead);
  return (
    <svg class="harbour" viewBox="0 0 360 120" aria-hidden="true" focusable="false">
      <defs>
        <linearGradient id="dusk" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stop-color="#fff1d2" />
          <stop offset="1" stop-color="#cfe6e6" />
        </linearGradient>
      </defs>
      <rect width="360" height="120" rx="16" fill="url(#dusk)" />
      <path d="M0 86h360v18a16 16 0 0 1-16 16H16a16 16 0 0 1-16-16z" fill="#0d7680" />
      <path d="M18 86l6-44h14l6 44z" fill="#fffefb" stroke="#0b5566" stroke-width="2" />
      <path d="M22 60h18M20.500 72h21" stroke="#0d7680" stroke-width="3" />
      <rect x="23" y="30" width="16" height="12" rx="2" fill="#0b5566" />
      <circle class="light" cx="31" cy="36" r="4" fill="#ffcf70" />
      <path class="beam" d="M39 33l90-14v34z" fill="#ffcf70" opacity="0.35" />
      {Array.from({ length: count }, (_, index) => (
        <Boat key={FIRST_X + index} x={FIRST_X + index * STEP_X} own={false} />
      ))}
      <Boat x={FIRST_X + count * STEP_X} own />
      <path
        d="M0 94q15-6 30 0t30 0 30 0 30 0 30 0 30 0 30 0 30 0 30 0 30 0 30 0 30 0v10H0z"
        fill="#0b5566"
        opacity="0.55"
      />
    </svg>
  );
}

function Boat({ x, own }: { x: number; own: boolean }) {
  return (
    <g class={own ? "boat own" : "boat"}>
      <g transform={`translate(${x} 62)`}>
        <path d="M14 0v22H3z" fill={own ? "#ffcf70" : "#fffefb"} />
        <path d="M16 5v17h9z" fill={own ? "#ffe2a6" : "#e2f0f0"} />
        <path d="M0 24h29l-5 9H5z" fill={own ? "#6d4500" : "#0b5566"} />
      </g>
    </g>
  );
}
