// Birth dates as lists and cards carry them: 1944-12-01, 1944/12/1, 19441201, S19.12.1, 昭和19年12月1日.

const ERAS: readonly { names: readonly string[]; first: number }[] = [
  { names: ["明治", "明", "M"], first: 1868 },
  { names: ["大正", "大", "T"], first: 1912 },
  { names: ["昭和", "昭", "S"], first: 1926 },
  { names: ["平成", "平", "H"], first: 1989 },
  { names: ["令和", "令", "R"], first: 2019 },
];

/** `YYYY-MM-DD` of a day that exists, or `undefined`. */
export function birthDate(text: string): string | undefined {
  const plain = text.normalize("NFKC").trim().toUpperCase();
  const compact = /^(\d{4})(\d{2})(\d{2})$/.exec(plain);
  if (compact) return day(Number(compact[1]), Number(compact[2]), Number(compact[3]));
  const parts = /^([^\d\s]*)\s*(\d{1,4}|元)[-/.年]\s*(\d{1,2})[-/.月]\s*(\d{1,2})日?$/.exec(plain);
  if (!parts) return undefined;
  const [, era = "", year = "", month, date] = parts;
  const count = year === "元" ? 1 : Number(year);
  if (era === "") return year.length === 4 ? day(count, Number(month), Number(date)) : undefined;
  const found = ERAS.find(({ names }) => names.includes(era));
  return found && count > 0 ? day(found.first + count - 1, Number(month), Number(date)) : undefined;
}

function day(year: number, month: number, date: number): string | undefined {
  const at = new Date(Date.UTC(year, month - 1, date));
  const real =
    at.getUTCFullYear() === year && at.getUTCMonth() === month - 1 && at.getUTCDate() === date;
  if (!real || year < 1880) return undefined;
  return at.toISOString().slice(0, 10);
}
