"""A ward of Bluetooth devices without any: BlueZ's service as python-dbusmock plays it, with devices
that have services and characteristics, refuse, send and hang up as they are told.

It reads one JSON object a line: {"do": "device", ...} and so on, and answers each with a line.
"""

import json
import sys
import traceback

import dbus
import dbus.mainloop.glib
import dbusmock
from dbusmock import mockobject
from gi.repository import GLib

ADAPTER = "hci0"
DEVICE = "org.bluez.Device1"
SERVICE = "org.bluez.GattService1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
BATTERY = "org.bluez.Battery1"

# What the test told of each device, by its object.
told = {}
written = []


def fault(name, words=""):
    return dbus.exceptions.DBusException(words, name="org.bluez.Error." + name)


def object_of(address):
    return "/org/bluez/" + ADAPTER + "/dev_" + address.upper().replace(":", "_")


def uuid(number):
    return number if len(number) > 4 else "0000" + number.lower() + "-0000-1000-8000-00805f9b34fb"


def octets(hexadecimal):
    return dbus.Array([dbus.Byte(b) for b in bytes.fromhex(hexadecimal)], signature="y")


def connect(device):
    is_told = told[device.path]
    if is_told.get("refuses"):
        raise fault(*is_told["refuses"])
    device.UpdateProperties(DEVICE, {"Connected": dbus.Boolean(True)})
    for at, characteristic in enumerate(is_told["characteristics"]):
        add_characteristic(device, at, characteristic)
    device.UpdateProperties(DEVICE, {"ServicesResolved": dbus.Boolean(True)})


def add_characteristic(device, at, characteristic):
    service = device.path + "/service0010"
    if service not in mockobject.objects:
        properties = {"UUID": uuid(told[device.path]["service"]), "Primary": True}
        device.AddObject(service, SERVICE, properties, [])
    path = service + "/char%04x" % (0x11 + at)
    characteristic["path"] = path
    if path in mockobject.objects:
        return
    properties = {
        "UUID": uuid(characteristic["uuid"]),
        "Service": dbus.ObjectPath(service),
        "Flags": dbus.Array(["read", "write", "indicate"], signature="s"),
        "Value": octets(characteristic.get("value", "")),
        "Notifying": False,
    }
    methods = [
        ("ReadValue", "a{sv}", "ay", lambda object, _: octets(characteristic["value"])),
        ("WriteValue", "aya{sv}", "", lambda object, value, _: write(characteristic, value)),
        ("StartNotify", "", "", lambda object: start(device, characteristic)),
        ("StopNotify", "", "", ""),
    ]
    device.AddObject(path, CHARACTERISTIC, properties, methods)


def write(characteristic, value):
    value = bytes(value).hex()
    characteristic["value"] = value
    written.append({"uuid": characteristic["uuid"], "hex": value})


def start(device, characteristic):
    """A device that has records sends them before it has even said yes, and may hang up then."""
    is_told = told[device.path]
    if is_told.get("wants_bond") and not device.props[DEVICE]["Paired"]:
        raise fault("Failed", "ATT error: 0x05")
    notifying = {"Notifying": dbus.Boolean(True)}
    mockobject.objects[characteristic["path"]].UpdateProperties(CHARACTERISTIC, notifying)
    for record in characteristic.pop("records", []):
        notify(characteristic["path"], record)
    if characteristic.pop("hangs_up", False):
        is_told["on_air"] = False
        hang_up(device)


def notify(path, hexadecimal):
    value = {"Value": octets(hexadecimal)}
    mockobject.objects[path].UpdateProperties(CHARACTERISTIC, value)


def hang_up(device):
    if device.props[DEVICE]["Connected"]:
        over = {"ServicesResolved": dbus.Boolean(False), "Connected": dbus.Boolean(False)}
        device.UpdateProperties(DEVICE, over)


def pair(device):
    if told[device.path].get("refuses_pairing"):
        raise fault("AuthenticationRejected")
    device.UpdateProperties(DEVICE, {"Paired": dbus.Boolean(True)})


def add_device(manager, order):
    path = object_of(order["address"])
    told[path] = order
    manager.AddDevice(ADAPTER, order["address"], order["name"])
    device = mockobject.objects[path]
    device.AddMethods(
        DEVICE,
        [("Connect", "", "", connect), ("Disconnect", "", "", hang_up), ("Pair", "", "", pair)],
    )
    if "battery" in order:
        device.AddProperties(BATTERY, {"Percentage": dbus.Byte(order["battery"])})
    uuids = [uuid(number) for number in order["advertises"]]
    paired = dbus.Boolean(order.get("paired", False))
    device.UpdateProperties(DEVICE, {"UUIDs": dbus.Array(uuids, signature="s"), "Paired": paired})


def advertise():
    """Every device that is on the air and not connected is heard again, a little louder or less."""
    for path, is_told in told.items():
        device = mockobject.objects[path]
        if is_told.get("on_air", True) and not device.props[DEVICE]["Connected"]:
            strength = -121 - device.props[DEVICE]["RSSI"]
            device.UpdateProperties(DEVICE, {"RSSI": dbus.Int16(strength)})
    return True


def obey(manager, order):
    do = order.pop("do")
    if do == "adapter":
        manager.AddAdapter(ADAPTER, "ward")
        radio = mockobject.objects["/org/bluez/" + ADAPTER]
        radio.props["org.bluez.Adapter1"]["DiscoveryFilter"] = dbus.Dictionary({}, signature="sv")
    elif do == "remove_adapter":
        told.clear()
        manager.RemoveAdapterWithDevices(ADAPTER)
    elif do == "device":
        add_device(manager, order)
    elif do == "tell":
        told[object_of(order["address"])].update(order)
    elif do == "notify":
        characteristics = told[object_of(order["address"])]["characteristics"]
        path = next(c["path"] for c in characteristics if c["uuid"] == order["uuid"])
        notify(path, order["hex"])
    elif do == "notifying":
        characteristics = told[object_of(order["address"])]["characteristics"]
        path = next(c.get("path") for c in characteristics if c["uuid"] == order["uuid"])
        has = path and mockobject.objects[path].props[CHARACTERISTIC]["Notifying"]
        return {"notifying": bool(has)}
    elif do == "hang_up":
        hang_up(mockobject.objects[object_of(order["address"])])
    elif do != "written":
        raise ValueError("there is no " + do)
    return {"written": written}


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    module = mockobject.load_module("bluez5")
    bus = dbusmock.testcase.DBusTestCase.get_dbus(system_bus=True)
    name = dbus.service.BusName(module.BUS_NAME, bus, do_not_queue=True)
    manager = mockobject.DBusMockObject(
        name, module.MAIN_OBJ, mockobject.OBJECT_MANAGER_IFACE, {}, "/dev/null", True
    )
    mockobject.objects[module.MAIN_OBJ] = manager
    manager.AddTemplate("bluez5", {})
    loop = GLib.MainLoop()

    def read(*_):
        line = sys.stdin.readline()
        if not line:
            loop.quit()
            return False
        try:
            print(json.dumps(obey(manager, json.loads(line))), flush=True)
        except Exception:
            traceback.print_exc()
            loop.quit()
        return True

    GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, read)
    GLib.timeout_add(250, advertise)
    print(json.dumps({"ready": True}), flush=True)
    loop.run()


main()
