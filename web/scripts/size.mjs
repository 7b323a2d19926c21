// Measures what the patient's phone has to load (brotli, as served) and fails beyond the budget:
// 20 kB before the first readable screen, 60 kB before media.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { fileURLToPath } from "node:url";

const DIST = join(dirname(fileURLToPath(import.meta.url)), "..", "dist");
const FIRST_SCREEN_BYTES_MAX = 20_000;
const BEFORE_MEDIA_BYTES_MAX = 60_000;

const compressed = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const read = (path) => readFileSync(join(DIST, path));

/** What a page loads at once: itself, its scripts, styles and preloads. */
function initialOf(page) {
  const html = read(page).toString();
  const links = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((found) => found[1]);
  const seen = new Set([page, ...links]);
  for (const path of links) addStatic(path, seen);
  return seen;
}

/** Follows `import … from "./x.js"`, which the browser loads before anything runs. */
function addStatic(path, seen) {
  seen.add(path);
  if (!path.endsWith(".js")) return;
  for (const [, name] of read(path).toString().matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)) {
    if (!seen.has(`assets/${name}`)) addStatic(`assets/${name}`, seen);
  }
}

/** Everything that any chunk names: more than is loaded before media, so the budget holds twice. */
function reachableFrom(initial) {
  const seen = new Set(initial);
  const queue = [...initial];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (!path.endsWith(".js")) continue;
    const named = read(path).toString().matchAll(/["'`](?:\.\/|\/?assets\/)([\w.-]+\.(?:js|css))["'`]/g);
    for (const [, name] of named) {
      const next = `assets/${name}`;
      if (seen.has(next) || !present.has(name)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return seen;
}

const present = new Set(readdirSync(join(DIST, "assets")));
const total = (paths) => [...paths].reduce((sum, path) => sum + compressed(read(path)), 0);

const first = initialOf("p.html");
const all = reachableFrom(first);
const rows = [
  ["first readable screen", total(first), FIRST_SCREEN_BYTES_MAX],
  ["all of it", total(all), BEFORE_MEDIA_BYTES_MAX],
];
for (const path of [...all].sort()) {
  process.stdout.write(`  ${String(compressed(read(path))).padStart(6)}  ${path}${first.has(path) ? "  (first)" : ""}\n`);
}
for (const [name, bytes, most] of rows) {
  process.stdout.write(`patient page, ${name}: ${bytes} of ${most} bytes (brotli)\n`);
  if (bytes > most) process.exitCode = 1;
}
