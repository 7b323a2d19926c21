// Whether this browser lets a page talk to devices: Chrome and Edge mostly do, iPad and Firefox never.

import type { Bluetooth } from "./bluetooth";

export function bluetoothOf(navigator: Navigator): Bluetooth | undefined {
  return (navigator as { bluetooth?: Bluetooth }).bluetooth;
}
