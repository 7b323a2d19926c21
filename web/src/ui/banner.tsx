// Whether the page and the broker hear each other: said where everybody sees it, never hidden.

import { type Signal, signal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Link } from "../wire/link";
import { common, span, timeOfDay } from "../words/common";

const BACK_SHOWN_MS = 5_000;

interface BannerProps {
  tone?: "sea" | "lamp" | "moss";
  waiting?: boolean;
  children: ComponentChildren;
}

export function Banner({ tone = "sea", waiting, children }: BannerProps) {
  return (
    <div class={`banner ${tone} ${waiting ? "waiting" : ""}`}>
      <span>{children}</span>
    </div>
  );
}

interface LinkBannerProps {
  link: Signal<Link>;
  /** A signal that moves once a second, so that "for 2 min" stays true. */
  now: Signal<number>;
  /** What is said first, where "cut off" would say too much: a call can go on without this link. */
  goneText?: string | undefined;
  /** What stays true meanwhile, e.g. 「順番はそのままです」. */
  reassurance?: string | undefined;
  backText?: string | undefined;
}

/** Nothing while connected; since when and what that means while not; a short word on return. */
export function LinkBanner({ link, now, goneText, reassurance = "", backText }: LinkBannerProps) {
  const back = useRef(signal(false)).current;
  const wasGone = useRef(false);
  useSignalEffect(() => {
    const state = link.value.state;
    if (state === "reconnecting" || state === "cut_off") {
      wasGone.current = true;
      back.value = false;
      return;
    }
    if (state !== "connected" || !wasGone.current) return;
    wasGone.current = false;
    back.value = true;
    const timer = setTimeout(() => {
      back.value = false;
    }, BACK_SHOWN_MS);
    return () => clearTimeout(timer);
  });
  return (
    <div role="status" aria-live="polite">
      <LinkWords
        link={link.value}
        back={back.value}
        goneText={goneText}
        reassurance={reassurance}
        backText={backText}
        now={now}
      />
    </div>
  );
}

interface WordsProps {
  link: Link;
  back: boolean;
  goneText: string | undefined;
  reassurance: string;
  backText: string | undefined;
  now: Signal<number>;
}

function LinkWords({ link, back, goneText, reassurance, backText, now }: WordsProps) {
  switch (link.state) {
    case "connecting":
      return (
        <Banner waiting>{common("link_connecting")}</Banner>
      );
    case "reconnecting":
      return (
        <Banner tone="lamp" waiting>
          {common("link_reconnecting")}
        </Banner>
      );
    case "cut_off":
      return (
        <Banner tone="lamp" waiting>
          {goneText ?? common("link_cut_off")}
          {reassurance && <span class="means">{reassurance}</span>}
          <GoneFor since={link.since} now={now} />
        </Banner>
      );
    case "connected":
      return back ? <Banner tone="moss">{backText ?? common("link_back")}</Banner> : null;
    case "bye":
      return null;
  }
}

/** Seen, and not read aloud every second. */
function GoneFor({ since, now }: { since: number; now: Signal<number> }) {
  // `now` only makes this run again; both ends are the screen's own time.
  const gone = now.value && Date.now() - since;
  return (
    <span class="gone-for small" aria-hidden="true">
      {common("link_cut_since", { time: timeOfDay(since) })} · {span(gone)}
    </span>
  );
}
