// Two languages, Japanese first; English is loaded when somebody asks for it.

import { computed, type Signal, signal } from "@preact/signals";

export type Language = "ja" | "en";
export type Params = Record<string, string | number>;
/** A sentence with `{names}`, or a function where a language needs more (plurals). */
export type Phrase = string | ((params: Params) => string);
export type Translate<K extends string> = (key: K, params?: Params) => string;

const REMEMBERED = "minato-language";

function remembered(): Language {
  try {
    return localStorage.getItem(REMEMBERED) === "en" ? "en" : "ja";
  } catch {
    return "ja"; // Storage can be forbidden; the page goes on in Japanese.
  }
}

/** The language shown now. */
export const language: Signal<Language> = signal(remembered());

export function chooseLanguage(to: Language): void {
  language.value = to;
  document.documentElement.lang = to;
  try {
    localStorage.setItem(REMEMBERED, to);
  } catch {
    // It is shown now; it is only not remembered.
  }
}

/** Puts a phrase's parameters in. */
export function fill(phrase: Phrase, params: Params): string {
  if (typeof phrase === "function") return phrase(params);
  return phrase.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in params ? String(params[name]) : whole,
  );
}

/**
 * Makes `t` of a Japanese dictionary and a loader of the English one with the same keys. Until
 * English has come (or when it cannot come), Japanese is shown.
 */
export function dictionary<K extends string>(
  ja: Record<K, Phrase>,
  loadEn: () => Promise<Record<K, Phrase>>,
): Translate<K> {
  const en: Signal<Record<K, Phrase> | undefined> = signal(undefined);
  let asked = false;
  const words = computed(() => {
    if (language.value === "ja") return ja;
    if (!asked) {
      asked = true;
      loadEn().then(
        (loaded) => {
          en.value = loaded;
        },
        () => {
          asked = false;
        },
      );
    }
    return en.value ?? ja;
  });
  return (key, params = {}) => fill(words.value[key], params);
}
