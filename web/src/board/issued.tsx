// Links that were just made. They are shown once: the broker keeps only their hashes.

import { useState } from "preact/hooks";
import { Button } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { addressOf, spokenText } from "../ui/join-link";
import { Qr } from "../ui/qr";
import type { IssuedLink } from "../wire/types";
import type { Wire } from "../wire/wire";
import { common, timeOfDay } from "../words/common";
import { language } from "../words/dictionary";
import { t } from "../words/board";
import { download } from "./download";
import { linksCsv, personOf } from "./links";
import { dayOf } from "./today";

interface IssuedProps {
  wire: Wire;
  links: readonly IssuedLink[];
  /** So many of the list got no link. */
  missing: number;
  onClose(): void;
}

export function Issued({ wire, links, missing, onClose }: IssuedProps) {
  const [taken, setTaken] = useState(false);
  const [asking, setAsking] = useState(false);
  const tickets = wire.views.rows("tickets");
  const write = () => {
    const headings = ["code", "name", "call_back", "url", "spoken", "expires"] as const;
    const csv = linksCsv(
      links,
      tickets,
      location.origin,
      headings.map((one) => t(`csv_${one}`)),
    );
    download(`minato-links-${dayOf(wire.clock.read())}.csv`, csv);
    setTaken(true);
  };
  const close = () => (taken || asking ? onClose() : setAsking(true));
  return (
    <Dialog
      title={t("issued_title", { n: links.length })}
      onClose={close}
      cancel={common("close")}
      actions={
        <Button kind="primary" onClick={write} data-act="export">
          {t("issued_export")}
        </Button>
      }
    >
      <p class="wide-dialog">{t("issued_once")}</p>
      {missing > 0 && <p class="banner lamp">{t("issued_missing", { n: missing })}</p>}
      {asking && (
        <p class="banner lamp" role="alert">
          {t("issued_sure")}
        </p>
      )}
      <Links wire={wire} links={links} onTaken={() => setTaken(true)} />
    </Dialog>
  );
}

interface LinksProps {
  wire: Wire;
  links: readonly IssuedLink[];
  onTaken(): void;
}

function Links({ wire, links, onTaken }: LinksProps) {
  const only = links.length === 1 ? links[0]?.ticket : undefined;
  const [qr, setQr] = useState<string | undefined>(only);
  const tickets = wire.views.rows("tickets");
  return (
    <div
      class="people issued"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys
      tabIndex={0}
      role="region"
      aria-label={t("link")}
    >
      <table>
        <thead>
          <tr>
            {(["code", "name", "url", "spoken", "expires"] as const).map((column) => (
              <th key={column}>{t(`csv_${column}`)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {links.map((link) => (
            <LinkLine
              key={link.ticket}
              link={link}
              name={personOf(link, tickets)?.name}
              shown={qr === link.ticket}
              onQr={() => setQr(qr === link.ticket ? undefined : link.ticket)}
              onTaken={onTaken}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface LineProps {
  link: IssuedLink;
  name: string | undefined;
  shown: boolean;
  onQr(): void;
  onTaken(): void;
}

function LinkLine({ link, name, shown, onQr, onTaken }: LineProps) {
  const [copied, setCopied] = useState<boolean | undefined>();
  const address = addressOf(link, location.origin);
  const copy = async () => {
    const done = await navigator.clipboard.writeText(address).then(
      () => true,
      () => false,
    );
    setCopied(done);
    if (done) onTaken();
  };
  return (
    <>
      <tr data-ticket={link.ticket}>
        <td>
          <b class="code">{link.code}</b>
        </td>
        <td>{name}</td>
        <td>
          <span class="link-cell">
            <input
              class="input address"
              readOnly
              aria-label={t("link_of", { code: link.code })}
              value={address}
              onFocus={(event) => event.currentTarget.select()}
            />
            <Button size="slim" onClick={copy} aria-label={t("copy_label", { code: link.code })}>
              {copied === undefined ? t("copy") : t(copied ? "copied" : "copy_failed")}
            </Button>
            <Button size="slim" aria-pressed={shown} onClick={onQr}>
              QR
            </Button>
          </span>
        </td>
        <td>
          <b class="spoken">{spokenText(link.spoken)}</b>
        </td>
        <td>{dayAndTime(link.expires)}</td>
      </tr>
      {shown && (
        <tr class="qr-row">
          <td colSpan={5}>
            <Qr text={address} label={t("qr_label", { code: link.code })} />
            <b class="code">{link.code}</b>
          </td>
        </tr>
      )}
    </>
  );
}

/** "11/23 14:05" in the screen's own time zone. */
function dayAndTime(at: number): string {
  const tag = language.value === "ja" ? "ja-JP" : "en-GB";
  const day = new Date(at).toLocaleDateString(tag, { month: "numeric", day: "numeric" });
  return `${day} ${timeOfDay(at)}`;
}
