// The door for staff: a link that is valid once, an open session, or account, password and code.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import * as api from "../wire/api";
import type { Code, Entry, Role } from "../wire/types";
import type { Wire } from "../wire/wire";
import { sentence } from "../words/codes";
import { common } from "../words/common";
import { staff } from "../words/staff";
import { Button, Card, Field } from "./controls";
import { LanguageButton } from "./language";
import { Mark } from "./mark";
import "./sign-in.css";

interface DoorProps {
  /** Who works at this page. */
  role: Role;
  /** Its name, over the form. */
  title: string;
  /** Started once there is a session. */
  wire: Wire;
  /** The page is loaded again once somebody is signed in: whom it may speak to depends on that. */
  anew?: boolean;
  children: ComponentChildren;
}

type At = "looking" | "form" | "open";

function isOpenFor(reply: api.Reply<Entry>, role: Role): boolean {
  return reply.type === "ok" && reply.value.type === "open" && reply.value.role === role;
}

/** Shows its children once somebody of this role is signed in. */
export function StaffDoor({ role, title, wire, anew = false, children }: DoorProps) {
  const [at, setAt] = useState<At>("looking");
  const said = useSignal<string | undefined>(undefined);
  const open = () => {
    setAt("open");
    wire.start();
  };
  const enter = () => (anew ? location.reload() : open());
  useEffect(() => {
    const look = async () => {
      const once = new URLSearchParams(api.takeFragment()).get("once");
      if (once) {
        if (isOpenFor(await api.signInOnce(once), role)) return enter();
        said.value = staff("once_failed");
      }
      if (isOpenFor(await api.me(), role)) return open();
      setAt("form");
    };
    void look();
  }, []);
  if (at === "looking") return <p class="door soft">{common("wait_moment")}</p>;
  const link = wire.link.value;
  if (link.state === "bye") return <Goodbye code={link.code} />;
  if (at === "open") return <>{children}</>;
  return <Form role={role} title={title} said={said.value} onOpen={enter} />;
}

/** The broker ended the session: why, and the way back in. */
export function Goodbye({ code }: { code: Code }) {
  return (
    <main class="door">
      <Card title={staff("signed_out_why")}>
        <p>{sentence(code)}</p>
        <Button kind="primary" wide onClick={() => location.reload()}>
          {common("reload")}
        </Button>
      </Card>
    </main>
  );
}

interface FormProps {
  role: Role;
  title: string;
  said: string | undefined;
  onOpen(): void;
}

function Form({ role, title, said, onOpen }: FormProps) {
  const [account, setAccount] = useState("");
  const [password, setPassword] = useState("");
  const [totp, setTotp] = useState("");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState(said);
  const enter = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const reply = await api.signIn(account.trim(), password, totp.replace(/\D/g, ""));
    setBusy(false);
    if (isOpenFor(reply, role)) return onOpen();
    if (reply.type === "unreachable") return setWrong(common("unreachable"));
    setWrong(sentence(reply.type === "refused" ? reply.code : "not_allowed"));
  };
  return (
    <main class="door">
      <form onSubmit={enter}>
        <Card>
          <div class="row">
            <Mark size={44} />
            <h1>{title}</h1>
            <span class="push">
              <LanguageButton />
            </span>
          </div>
          <Field
            label={staff("account")}
            value={account}
            onValue={setAccount}
            autocomplete="username"
            required
          />
          <Field
            label={staff("password")}
            type="password"
            value={password}
            onValue={setPassword}
            autocomplete="current-password"
            required
          />
          <Field
            label={staff("totp")}
            hint={staff("totp_hint")}
            value={totp}
            onValue={setTotp}
            inputMode="numeric"
            autocomplete="one-time-code"
            maxLength={7}
            digits
            required
          />
          {wrong && (
            <p class="banner lamp" role="alert">
              {wrong}
            </p>
          )}
          <Button type="submit" kind="primary" wide disabled={busy}>
            {staff("sign_in")}
          </Button>
        </Card>
      </form>
    </main>
  );
}
