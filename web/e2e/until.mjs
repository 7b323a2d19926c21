// Waiting for a condition, and never for a time.

const LOOK_EVERY_MS = 50;

/**
 * Asks again and again until the answer is truthy, and gives that answer. After `within_ms` it
 * fails with the sentence and the last answer (or the last error).
 */
export async function until(sentence, ask, within_ms = 15_000) {
  const end = performance.now() + within_ms;
  let last;
  for (;;) {
    try {
      last = await ask();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      const said = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`not within ${within_ms} ms: ${sentence} (last: ${said})`);
    }
    await new Promise((look) => setTimeout(look, LOOK_EVERY_MS));
  }
}
