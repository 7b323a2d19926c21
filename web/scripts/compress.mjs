// Lays a brotli copy beside each text file of the build: compressed once, served as it is.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { fileURLToPath } from "node:url";

const DIST = join(dirname(fileURLToPath(import.meta.url)), "..", "dist");

for (const path of readdirSync(DIST, { recursive: true }).map(String)) {
  if (!/\.(html|js|css|svg|json)$/.test(path)) continue;
  const plain = readFileSync(join(DIST, path));
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
  };
  writeFileSync(join(DIST, `${path}.br`), brotliCompressSync(plain, { params }));
}
