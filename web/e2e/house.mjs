// What a test uses up: a temporary directory that is gone afterwards, and the folder of artefacts
// (pictures, logs of the programs) that stays.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ARTEFACTS = fileURLToPath(new URL("./artefacts/", import.meta.url));

export class House {
  #temporary = mkdtempSync(join(tmpdir(), "minato-e2e-"));
  #pictures = 0;

  constructor(name) {
    this.artefacts = join(ARTEFACTS, name);
    rmSync(this.artefacts, { recursive: true, force: true });
    mkdirSync(this.artefacts, { recursive: true });
  }

  folder(name) {
    return join(this.#temporary, name);
  }

  log(name) {
    return join(this.artefacts, `${name}.log`);
  }

  picture(name) {
    this.#pictures += 1;
    return join(this.artefacts, `${String(this.#pictures).padStart(2, "0")}-${name}.png`);
  }

  leave() {
    rmSync(this.#temporary, { recursive: true, force: true });
  }
}
