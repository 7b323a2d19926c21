// Pictures as a tablet's camera makes them: a JPEG of a display, with a note of where and when in it.

/** Marks the note that is looked for afterwards. */
const NOTE = Buffer.from("Exif\0\0MM\0*\0\0\0\x08 34.48N 136.84E 2026:11:30", "latin1");

/** Draws a display in a page and gives the file that a camera would. */
export async function pictureOf(page, words, width, height) {
  const base64 = await page.evaluate(
    ({ words, width, height }) => {
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#c7d2c0";
      pen.fillRect(0, 0, width, height);
      pen.fillStyle = "#1d2a1d";
      pen.font = `bold ${Math.round(height / 5)}px monospace`;
      pen.textAlign = "center";
      pen.fillText(words, width / 2, height / 2);
      return canvas.toDataURL("image/jpeg", 0.9).split(",")[1];
    },
    { words, width, height },
  );
  const plain = Buffer.from(base64, "base64");
  const length = NOTE.length + 2;
  const segment = Buffer.concat([Buffer.from([0xff, 0xe1, length >> 8, length & 0xff]), NOTE]);
  return Buffer.concat([plain.subarray(0, 2), segment, plain.subarray(2)]);
}

/** Whether a file tells where and when. */
export function exifOf(bytes) {
  return bytes.includes("Exif") || bytes.includes("34.48N");
}
