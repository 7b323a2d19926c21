// A phone that falls asleep cannot ring: the screen is asked to stay on while somebody waits.

/** Keeps the screen on until the returned function is called, where the browser can. */
export function stayAwake(): () => void {
  let lock: WakeLockSentinel | undefined;
  let over = false;
  const hold = async () => {
    if (over || document.visibilityState !== "visible") return;
    try {
      lock = await navigator.wakeLock?.request("screen");
    } catch {
      // Low battery or an old browser: the page works, the phone may sleep.
    }
    if (over) void lock?.release();
  };
  const seen = () => void hold();
  document.addEventListener("visibilitychange", seen);
  void hold();
  return () => {
    over = true;
    document.removeEventListener("visibilitychange", seen);
    void lock?.release();
  };
}
