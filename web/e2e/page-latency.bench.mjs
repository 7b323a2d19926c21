// From the box on the wall to the doctor's eyes, all on one machine.

import { Broker } from "./broker.mjs";
import { Gateway } from "./gateway.mjs";
import { House } from "./house.mjs";
import { measure, watchTiles } from "./page-latency.mjs";
import { bedsideCall, Doctor, Nurse } from "./people.mjs";
import { Screens } from "./screen.mjs";
import { FUMI, OXIMETER } from "./world.mjs";

const house = new House("page-latency");
const broker = await Broker.all(house);
const gateway = await Gateway.start(house, broker.origin, broker.enrolCode);
const screens = await Screens.open(house);
const abe = new Doctor(await screens.screen("abe", "desktop"));
const nurse = new Nurse(await screens.screen("nurse", "tablet"));
await abe.page.addInitScript(watchTiles);
await bedsideCall(broker, abe, nurse, FUMI, OXIMETER);
await measure("loopback", abe);
await Promise.all([screens.close(), gateway.stop(), broker.stop()]);
house.leave();
