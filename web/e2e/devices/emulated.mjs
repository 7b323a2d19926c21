// A Bluetooth device that exists only inside the browser, by Chromium's own emulation. It can be
// read, but never speaks by itself; the browser's question which device is answered for the person.

const ADDRESS = "09:09:09:09:09:09";
const CENTRAL = { state: "powered-on", leSupported: true };
/** HCI and ATT both write success so. */
const SUCCESS = 0;

/** Puts a device beside a page's browser: one service with one characteristic, which holds `bytes`. */
export async function emulate(browser, page, { name, service, characteristic, bytes }) {
  const session = await browser.newBrowserCDPSession();
  const send = (method, more) => session.send(`BluetoothEmulation.${method}`, more);
  await send("enable", CENTRAL);
  session.on("BluetoothEmulation.gattOperationReceived", async ({ address, type }) => {
    if (type === "discovery") {
      const { serviceId } = await send("addService", { address, serviceUuid: uuidOf(service) });
      const characteristicUuid = uuidOf(characteristic);
      await send("addCharacteristic", { serviceId, characteristicUuid, properties: { read: true } });
    }
    await send("simulateGATTOperationResponse", { address, type, code: SUCCESS });
  });
  session.on("BluetoothEmulation.characteristicOperationReceived", async ({ characteristicId, type }) => {
    const data = type === "read" ? { data: Buffer.from(bytes).toString("base64") } : {};
    await send("simulateCharacteristicOperationResponse", { characteristicId, type, code: SUCCESS, ...data });
  });
  await chooseFirst(page);
  const place = { address: ADDRESS, name, manufacturerData: [], knownServiceUuids: [uuidOf(service)] };
  await send("simulatePreconnectedPeripheral", place);
}

/** The browser tells twice of the same device; the first time it is not ready for a choice yet. */
async function chooseFirst(page) {
  const tab = await page.context().newCDPSession(page);
  let told = 0;
  tab.on("DeviceAccess.deviceRequestPrompted", ({ id, devices: [device] }) => {
    if (!device) return;
    told += 1;
    if (told % 2 === 0) void tab.send("DeviceAccess.selectPrompt", { id, deviceId: device.id });
  });
  await tab.send("DeviceAccess.enable");
}

function uuidOf(number) {
  return `0000${number.toString(16).padStart(4, "0")}-0000-1000-8000-00805f9b34fb`;
}
