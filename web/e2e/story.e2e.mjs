// One evening in real browsers against the real binary: links, the queue, two doctors at once, calls
// from home and from the bedside, values of devices, a crash, a ten-minute cut, a hand-over, the end.
// Every step says in its sentence what it proves; each begins where the one before has ended. The
// pictures of every page and state, and the programs' logs, are left in artefacts/story.

import { after, before } from "node:test";
import { close, open } from "./world.mjs";
import "./chapters/1-coming-in.mjs";
import "./chapters/2-claim.mjs";
import "./chapters/3-calls.mjs";
import "./chapters/4-cuts.mjs";
import "./chapters/5-endings.mjs";

before(open);
after(close);
