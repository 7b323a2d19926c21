// A clinic with the poor link through it: the broker and the doctor on the mainland, the nurse and the
// box on the wall on the island. For a script that `minato-island run` started.

import { mkdirSync } from "node:fs";
import { BIN, Broker } from "../broker.mjs";
import { Gateway } from "../gateway.mjs";
import { House } from "../house.mjs";
import { seeAndHearEachOther } from "../media.mjs";
import { bedsideCall, Doctor, Nurse, Patient } from "../people.mjs";
import { Screens } from "../screen.mjs";
import { FUMI } from "../world.mjs";
import { watchCall } from "./pulse.mjs";
import { fetchOn, ISLAND, Link, MAINLAND_ADDRESS, programOn, speech } from "./shores.mjs";

const PORT = 8080;
const WIRE = "delay 0, jitter 0, loss 0, burst none, rate none, queue 500";
/** What is said on each side where people talk, and how high the voice is. */
const TALK = {
  mainland: [
    "Good morning. How did you sleep, and how is your breathing today? I would like to hear about the cough first, " +
      "then about your legs, and please tell me whether you took the small white tablet after breakfast as we said. ",
    30,
  ],
  island: [
    "She slept well until about four. The cough is better, but her left ankle is a little thicker than yesterday. " +
      "We measured her blood pressure twice this morning, sitting, with ten minutes between, and wrote both down. ",
    70,
  ],
};

export class IslandClinic {
  /** `talk`: people speak all the time, where else their microphones beep. `box`: there is one on the wall. */
  static async open(name, { talk = false, box = true } = {}) {
    const clinic = new IslandClinic();
    clinic.house = new House(name);
    clinic.link = new Link();
    const { house } = clinic;
    const starters = house.folder("starters");
    mkdirSync(starters, { recursive: true });
    const there = { address: MAINLAND_ADDRESS, program: programOn("mainland", `${BIN}/minato`, starters), fetch: fetchOn("mainland") };
    const places = ["--listen", `${MAINLAND_ADDRESS}:${PORT}`, "--media", `${MAINLAND_ADDRESS}:0`, "--data", house.folder("broker")];
    const options = ["--demo", "--demo-beyond-loopback", "--no-gateway", ...places];
    clinic.broker = new Broker(PORT, options, house.log("broker"), there);
    await clinic.broker.start();
    const wall = { program: programOn("island", `${BIN}/minato-gateway`, starters), fetch: fetchOn("island") };
    if (box) clinic.gateway = await Gateway.start(house, clinic.broker.origin, clinic.broker.enrolCode, wall);
    // A camera wants a secure address, and this one is plain http over a link of this machine.
    const secure = `--unsafely-treat-insecure-origin-as-secure=${clinic.broker.origin}`;
    const browsers = ["mainland", "island"].map((side) => {
      const voice = talk ? [`--use-file-for-fake-audio-capture=${speech(starters, side, ...TALK[side])}`] : [];
      return Screens.behind(house, [ISLAND, "in", side, "--"], [secure, ...voice]);
    });
    [clinic.mainland, clinic.island] = await Promise.all(browsers);
    return clinic;
  }

  /** The call from the bedside, with devices on the patient. */
  async call(...devices) {
    this.doctor = new Doctor(await this.mainland.screen("abe", "desktop"));
    this.nurse = new Nurse(await this.island.screen("nurse", "tablet"));
    this.people = [this.doctor, this.nurse];
    await bedsideCall(this.broker, this.doctor, this.nurse, FUMI, ...devices);
    await this.nurse.takeConsent();
    await seeAndHearEachOther(this.people, 30_000);
  }

  /** Both open their pages anew: what a call has learnt of one link is nothing on the next. */
  async callAnew() {
    const [, code] = await this.codes();
    await Promise.all(this.people.map(({ page }) => page.reload()));
    await this.nurse.open(code);
    await seeAndHearEachOther(this.people, 60_000);
  }

  /** From now on every cut is noticed, and whether both are still in this visit. */
  async watch() {
    for (const person of this.people) person.watch = await watchCall(person.page);
    // A page that left the visit and came back would have lost this.
    for (const place of this.places()) await place.evaluate((main) => main.setAttribute("data-same", "yes"));
    this.code = await this.codes();
  }

  /** The other way round: a doctor on the island, a patient who waited on the mainland. */
  async callFromTheIsland() {
    const doctor = new Doctor(await this.island.screen("mori", "desktop"));
    const patient = new Patient(await this.mainland.screen("patient", "phone"));
    await doctor.signIn(this.broker.staffLink("mori"));
    await doctor.goOnDuty();
    await patient.open(this.broker.patientLink);
    await patient.join();
    const code = await patient.code();
    await doctor.callOne(code);
    await patient.answer();
    await doctor.isInVisit();
    await seeAndHearEachOther([doctor, patient], 30_000);
    return { doctor, patient, code };
  }

  /** The link becomes a wire but for what is said. */
  shape(words = "") {
    return this.link.say(words ? `${WIRE}, ${words}` : WIRE);
  }

  places() {
    return [this.doctor.page.locator("main.visit"), this.nurse.page.locator(".visit-panel")];
  }

  /** The ticket as each of them reads it. */
  codes() {
    const shown = [this.doctor.page.locator("header.strip .code"), this.nurse.page.locator("header.head .code")];
    return Promise.all(shown.map((code) => code.innerText()));
  }

  /** Whether everybody is in the visit they were in, under the same ticket. */
  async isSameVisit() {
    const marks = await Promise.all(this.places().map((place) => place.getAttribute("data-same")));
    return marks.every((mark) => mark === "yes") && JSON.stringify(await this.codes()) === JSON.stringify(this.code);
  }

  get errors() {
    return [...this.mainland.errors, ...this.island.errors];
  }

  async close() {
    await Promise.allSettled([this.mainland?.close(), this.island?.close()]);
    await this.gateway?.stop();
    await this.broker?.stop();
    this.link?.close();
    this.house?.leave();
  }
}
