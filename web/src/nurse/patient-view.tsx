// Patient view: the tablet is turned to the patient and shows one patient's side and nobody else;
// the nurse's PIN leads back.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Wire } from "../wire/wire";
import { common } from "../words/common";
import { nurse } from "../words/nurse";
import { Button, Field } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { LanguageButton } from "../ui/language";
import { Mark } from "../ui/mark";
import { usePress } from "../ui/press";
import type { TicketProps } from "./ticket";

const place = signal<typeof import("../patient/place") | undefined>(undefined);

export function EnterPatientView({ wire, row }: TicketProps) {
  const [asking, setAsking] = useState(false);
  const [press, busy] = usePress(wire);
  const enter = async () => {
    // The broker greets the tablet anew; what it knew of others is forgotten, not only hidden.
    await press({ type: "enter_patient_view", ticket: row.ticket });
    setAsking(false);
  };
  return (
    <>
      <Button onClick={() => setAsking(true)} data-act="patient-view">
        {nurse("patient_view")}
      </Button>
      {asking && (
        <Dialog
          title={nurse("patient_view")}
          onClose={() => setAsking(false)}
          actions={
            <Button kind="primary" disabled={busy} onClick={enter}>
              {nurse("patient_view")}
            </Button>
          }
        >
          <p>{nurse("patient_view_means")}</p>
        </Dialog>
      )}
    </>
  );
}

export function PatientView({ wire }: { wire: Wire }) {
  useEffect(() => {
    void import("../patient/place").then((loaded) => {
      place.value = loaded;
    });
    // The patient's page is calmer and larger than the nurse's.
    document.body.classList.add("patient");
    document.body.classList.remove("staff");
    return () => {
      document.body.classList.remove("patient");
      document.body.classList.add("staff");
    };
  }, []);
  return (
    <>
      <header class="top">
        <Mark size={36} />
        <span class="product">{common("product")}</span>
        <LanguageButton />
        <LeaveView wire={wire} />
      </header>
      <main class="page">
        {place.value && (
          <>
            <place.value.Cut />
            <place.value.PlaceView />
          </>
        )}
      </main>
    </>
  );
}

function LeaveView({ wire }: { wire: Wire }) {
  const [asking, setAsking] = useState(false);
  const [pin, setPin] = useState("");
  const [press, busy] = usePress(wire);
  const leave = async (event?: Event) => {
    event?.preventDefault();
    const done = await press({ type: "leave_patient_view", pin });
    setPin("");
    if (done) setAsking(false);
  };
  return (
    <>
      <Button kind="quiet" size="slim" onClick={() => setAsking(true)} data-act="leave-view">
        {nurse("patient_view_leave")}
      </Button>
      {asking && (
        <Dialog
          title={nurse("patient_view_leave")}
          onClose={() => setAsking(false)}
          actions={
            <Button kind="primary" disabled={busy || !pin} onClick={() => void leave()}>
              {nurse("pin_do")}
            </Button>
          }
        >
          <form onSubmit={leave}>
            <Field
              label={nurse("pin")}
              type="password"
              value={pin}
              onValue={setPin}
              inputMode="numeric"
              autocomplete="off"
              maxLength={12}
              digits
            />
          </form>
        </Dialog>
      )}
    </>
  );
}
