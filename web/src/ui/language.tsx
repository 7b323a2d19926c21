// The button that changes the language.

import { chooseLanguage, language } from "../words/dictionary";
import { common } from "../words/common";
import { Button } from "./controls";

export function LanguageButton() {
  const other = language.value === "ja" ? "en" : "ja";
  return (
    <Button
      kind="quiet"
      size="slim"
      lang={other}
      aria-label={common("language_other_label")}
      onClick={() => chooseLanguage(other)}
    >
      {common("language_other")}
    </Button>
  );
}
