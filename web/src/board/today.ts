// The day as it is here, for ages and for birth dates that lie ahead.

/** `YYYY-MM-DD` in the screen's own time zone. */
export function dayOf(at: number): string {
  const date = new Date(at);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
