// SPDX-License-Identifier: BSD-3-Clause
import type { EngineFactory } from "../engine/engine.ts";
import { Device, type DeviceOptions, State } from "./device.ts";
import { alpha, World } from "./world.ts";

/** A device with @alpha's RSA identity imported, configured and not started. */
export async function imported(
  factory: EngineFactory,
  world: World,
  options: DeviceOptions = {},
): Promise<Device> {
  const device = await Device.open(factory, world, options);
  device.init();
  device.configure("");
  const values: [number, string][] = [
    [8, alpha.pkam.privateKeyPkcs8Base64],
    [9, alpha.encryption.privateKeyPkcs8Base64],
    [10, alpha.selfEncryptionKeyBase64],
    ...Object.entries(options.config ?? {}).map(([field, text]): [number, string] => [
      Number(field),
      text,
    ]),
  ];
  for (const [field, text] of values) {
    const status = device.config(field, text);
    if (status !== 0) throw new Error(`config_set(${field}) returned ${status}`);
  }
  return device;
}

/** The same, started and ready. */
export async function loggedIn(
  factory: EngineFactory,
  options: DeviceOptions & { monitor?: boolean } = {},
): Promise<{ world: World; device: Device }> {
  const world = new World();
  const device = await imported(factory, world, options);
  if (device.start(options.monitor) !== 0) throw new Error("session_start failed");
  device.until(() => device.state() === State.ready);
  device.settle();
  return { world, device };
}
