// A server that is measured: a process that ends with this one however this one ends, asked by HTTP, and
// whose CPU time is read from outside.

import { readFileSync } from "node:fs";
import { Program } from "../process.mjs";

/** Ticks of /proc a second: the same on every Linux that has Debian's architectures. */
const TICKS = 100;

/** Starts a program that the kernel ends when this process is gone, also when that was killed. */
export function start(path, options, how) {
  return new Program("setpriv", ["--pdeathsig", "KILL", "--", path, ...options], how);
}

/** Seconds of CPU that a process and all its threads, ended ones too, have spent. */
export function cpu_s(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Behind the name, which may hold anything, stands the third field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [fields[11], fields[12]].map(Number);
  return (user + system) / TICKS;
}

/** Seconds that all cores together were busy, and were there. */
export function machine_s() {
  const [, ...ticks] = readFileSync("/proc/stat", "utf8").split("\n")[0].split(/\s+/);
  const [user, nice, system, idle, waiting, irq, softirq, stolen] = ticks.map(Number);
  const busy = user + nice + system + irq + softirq + stolen;
  return { busy: busy / TICKS, all: (busy + idle + waiting) / TICKS };
}

/** Sends JSON and gives the JSON that comes back; fails in words with anything but success. */
export async function post(url, body, headers = {}) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
