// The harbour's sign: a lamp over two waves.

export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" fill="#0b5566" />
      <circle cx="16" cy="10" r="4" fill="#ffcf70" />
      <path
        d="M5 19q3.7-3.4 7.3 0t7.4 0 7.3 0M5 25q3.7-3.4 7.3 0t7.4 0 7.3 0"
        fill="none"
        stroke="#fffefb"
        stroke-width="2.4"
        stroke-linecap="round"
      />
    </svg>
  );
}
