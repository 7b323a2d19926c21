// A browser inside another app often has no camera: a number takes the place to a real browser.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import * as api from "../wire/api";
import { sentence } from "../words/codes";
import { common } from "../words/common";
import { patient } from "../words/patient";
import { Button } from "../ui/controls";
import { tell } from "../ui/notice";

/** The broker takes a number no longer than that. */
const NUMBER_LIVES_MS = 5 * 60_000;

/** A number from this page may have taken the place elsewhere. Forgotten with the page. */
export const handedOver = signal(false);

export function OtherBrowser() {
  const [code, setCode] = useState<string>();
  const [lapsed, setLapsed] = useState(false);
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    const reply = await api.transfer();
    setBusy(false);
    if (reply.type === "ok") {
      handedOver.value = true;
      return setCode(reply.value.code);
    }
    tell(reply.type === "refused" ? sentence(reply.code) : common("unreachable"));
  };
  useEffect(() => {
    if (!code) return;
    // Shown no longer than it is good for.
    const timer = setTimeout(() => {
      setCode(undefined);
      setLapsed(true);
    }, NUMBER_LIVES_MS);
    return () => clearTimeout(timer);
  }, [code]);
  if (code) return <Handed code={code} />;
  return (
    <div class="stack">
      <p class="soft small">{patient(lapsed ? "other_browser_lapsed" : "other_browser_why")}</p>
      <Button wide disabled={busy} onClick={make}>
        {patient("other_browser")}
      </Button>
    </div>
  );
}

function Handed({ code }: { code: string }) {
  const address = `${location.origin}/p`;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(`${address}#t=${code}`);
      tell(patient("other_browser_copied"));
    } catch {
      // Not allowed here: address and number stand on the screen to be typed.
    }
  };
  return (
    <div class="stack handed" aria-live="polite">
      <p>{patient("other_browser_do")}</p>
      <p class="address">{address}</p>
      <p class="number">{code.replace(/(\d{4})(?=\d)/, "$1 ")}</p>
      <Button wide onClick={copy}>
        {patient("other_browser_copy")}
      </Button>
    </div>
  );
}
