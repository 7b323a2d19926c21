// The patient's way through the page: the first screen, then the waiting room and the visit, which
// are loaded while the patient reads.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { language } from "../words/dictionary";
import { common } from "../words/common";
import { entry } from "../words/entry";
import { LanguageButton } from "../ui/language";
import { Mark } from "../ui/mark";
import { ComingIn } from "./coming-in";
import { Pending, Welcome } from "./welcome";

const comingIn = new ComingIn();
const place = signal<typeof import("./place") | undefined>(undefined);
const placeMissed = signal(false);

async function loadPlace(): Promise<void> {
  placeMissed.value = false;
  try {
    place.value ??= await import("./place");
  } catch {
    placeMissed.value = true;
  }
}

export function Patient() {
  useEffect(() => {
    document.documentElement.lang = language.value;
    void comingIn.look().then(loadPlace);
  }, []);
  const at = comingIn.at.value;
  useEffect(() => {
    if (at === "in") void loadPlace();
  }, [at]);
  return (
    <>
      <header class="top">
        <Mark size={36} />
        <span class="product">{common("product")}</span>
        <LanguageButton />
      </header>
      <main class="page">
        <Inside />
      </main>
    </>
  );
}

function Inside() {
  switch (comingIn.at.value) {
    case "looking":
      return (
        <p class="soft" role="status">
          {entry("joining")}
        </p>
      );
    case "outside":
      return <Welcome comingIn={comingIn} />;
    case "pending":
      return <Pending />;
    case "in":
      return <In />;
  }
}

function In() {
  if (place.value) return <place.value.Place />;
  if (!placeMissed.value) {
    return (
      <p class="soft" role="status">
        {entry("joining")}
      </p>
    );
  }
  return (
    <div class="stack">
      <p role="alert">{common("unreachable")}</p>
      <button type="button" class="button primary wide" onClick={() => void loadPlace()}>
        {common("retry")}
      </button>
    </div>
  );
}
