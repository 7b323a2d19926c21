// Comma-separated text (RFC 4180) in and out, as spreadsheets in Japan write and read it.

/** Rows of cells. Blank lines are left out; an open quote at the end closes there. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const source = text.replace(/^\uFEFF/, "");
  const separator = separatorOf(source);
  const endRow = () => {
    row.push(cell);
    cell = "";
    if (row.some((one) => one.trim() !== "")) rows.push(row);
    row = [];
  };
  for (let at = 0; at < source.length; at += 1) {
    const char = source[at];
    if (quoted) {
      if (char !== '"') cell += char;
      else if (source[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && cell.trim() === "") {
      quoted = true;
      cell = "";
    } else if (char === separator) {
      row.push(cell);
      cell = "";
    } else if (char === "\n") endRow();
    else if (char !== "\r") cell += char;
  }
  endRow();
  return rows;
}

/** What is copied out of a spreadsheet is separated by tabs. */
function separatorOf(text: string): "," | "\t" {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  return first.includes("\t") && !first.includes(",") ? "\t" : ",";
}

/** Text that spreadsheets open with its characters right (byte order mark, CRLF, all quoted). */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => row.map(cellText).join(",");
  return `\uFEFF${rows.map((row) => `${line(row)}\r\n`).join("")}`;
}

/** A cell that begins like a formula is not one: a blank before it keeps it text. */
function cellText(value: string): string {
  const harmless = /^[=@\t\r]|^[+-](?![\d\s()-]*$)/.test(value) ? ` ${value}` : value;
  return `"${harmless.replaceAll('"', '""')}"`;
}

/** A file's text: UTF-8, or Shift_JIS as older spreadsheets save it. */
export function decodeFile(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("shift_jis").decode(bytes);
  }
}
