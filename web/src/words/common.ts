// `common(key)` and the ages and spans that every page tells.

import ja from "./common.ja";
import { dictionary, language } from "./dictionary";

export const common = dictionary(ja, () => import("./common.en").then((file) => file.default));

/** "12 minutes ago" from milliseconds. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 3) return common("ago_now");
  if (seconds < 60) return common("ago_seconds", { n: seconds });
  if (seconds < 3_600) return common("ago_minutes", { n: Math.floor(seconds / 60) });
  return common("ago_hours", { n: Math.floor(seconds / 3_600) });
}

/** "12 minutes" from milliseconds. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return common("for_seconds", { n: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return common("for_minutes", { n: minutes });
  return common("for_hours", { h: Math.floor(minutes / 60), n: minutes % 60 });
}

/** "14:05" in the screen's own time zone. */
export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString(language.value, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

/** "1944年12月1日" or "1 December 1944" from `YYYY-MM-DD`; the text itself if it is no date. */
export function longDate(date: string): string {
  const [year, month, day] = date.split("-").map(Number);
  if (!year || !month || !day) return date;
  const tag = language.value === "ja" ? "ja-JP" : "en-GB";
  return new Date(Date.UTC(year, month - 1, day)).toLocaleDateString(tag, {
    dateStyle: "long",
    timeZone: "UTC",
  });
}
