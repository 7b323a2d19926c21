// A clinic whose network lets nothing out but TCP 443: the patient's browser stands in a network
// namespace with that one way out. Pages and media come through the same port, media by plain TCP
// (RFC 6544) and, where that is not let through, by TURN in TLS; the doctor is outside.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Broker } from "./broker.mjs";
import { House } from "./house.mjs";
import { seeAndHearEachOther } from "./media.mjs";
import { outside } from "./one-door/forward.mjs";
import { chooseTurn, path, prepare } from "./one-door/one-way.mjs";
import { Doctor, Patient } from "./people.mjs";
import { freePort } from "./process.mjs";
import { Screens } from "./screen.mjs";

const HOUSE_SH = fileURLToPath(new URL("./one-door/house.sh", import.meta.url));
/** Reserved for documentation (RFC 5737): on this machine it exists in the namespace only. */
const DOOR = "203.0.113.1";

const house = new House("one-door");
let broker, screens, island, way, abe, patient;

before(async () => {
  const [port, tls] = [await freePort(), await freePort()];
  const [chain, key] = [house.folder("chain.pem"), house.folder("key.pem")];
  const names = `subjectAltName=IP:127.0.0.1,IP:${DOOR}`;
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", [...made, "-subj", "/CN=minato", "-addext", names, "-keyout", key, "-out", chain], { stdio: "ignore" });
  const doors = ["--listen", `127.0.0.1:${port}`, "--https", `127.0.0.1:${tls}`, "--certificate", chain, key];
  doors.push("--https-at", `${DOOR}:443`);
  broker = new Broker(port, ["--demo", "--no-gateway", "--data", house.folder("broker"), ...doors], house.log("broker"));
  await broker.start();
  way = await outside(house.folder("way-out"), tls);
  screens = await Screens.open(house);
  island = await Screens.behind(house, [HOUSE_SH, DOOR, "443", house.folder("way-out")]);
});

after(async () => {
  await island?.close();
  await screens?.close();
  way?.close();
  await broker?.stop();
  house.leave();
});

test("through TCP 443 alone a patient comes in, waits, is called, sees and hears", async (t) => {
  abe = new Doctor(await screens.screen("abe", "desktop"));
  patient = new Patient(await island.screen("patient", "phone"));
  await prepare(patient.page);
  const { pathname, hash } = new URL(broker.staffLink("abe"));
  await abe.signIn(`${broker.origin}${pathname}${hash}`);
  await abe.goOnDuty();
  const link = new URL(broker.patientLink);
  await patient.open(`https://${DOOR}/p${link.hash}`);
  await patient.join();
  await abe.callNext();
  const called = Date.now();
  await patient.answer();
  await abe.isInVisit();
  await Promise.all([abe.confirmIdentity(), patient.confirmIdentity()]);
  await patient.consent();
  await seeAndHearEachOther([abe, patient], 30_000);
  t.diagnostic(`picture and sound ${Date.now() - called} ms after the call`);
  await patient.look("patient-behind-one-door");
});

test("without TURN its media goes by TCP through the very door that the page came by", async () => {
  const { relayProtocol, protocol, to, tcpType } = await path(patient.page);
  assert.deepEqual(
    { relayProtocol, protocol, to, tcpType },
    { relayProtocol: undefined, protocol: "tcp", to: `${DOOR}:443`, tcpType: "active" },
  );
});

test("where only TLS is let through it goes by TURN through the same door", async () => {
  await chooseTurn(patient.page);
  await patient.page.reload();
  await patient.page.locator(".visit .call").waitFor();
  await seeAndHearEachOther([abe, patient], 30_000);
  const { by, relayProtocol, url } = await path(patient.page);
  assert.deepEqual({ by, relayProtocol, url }, { by: "relay", relayProtocol: "tls", url: `turns:${DOOR}:443?transport=tcp` });
});

test("nothing but the one door was asked, no page stumbled, every state is accessible", () => {
  assert.deepEqual([...island.requests], [`https://${DOOR}`]);
  assert.deepEqual([...screens.errors, ...island.errors], []);
  assert.deepEqual([...screens.violations, ...island.violations], []);
});
