// SPDX-License-Identifier: BSD-3-Clause
// @alpha's device that has known @bravo for days, in the world of the vectors; and @bravo's client, which commands it.
import { expect } from "vitest";
import type { EngineFactory } from "../engine/engine.ts";
import vectors from "../vectors/interop/16-authenticity.json" with { type: "json" };
import { Device, type DeviceOptions, State } from "./device.ts";
import { imported } from "./fixtures.ts";
import {
  type Count,
  type Direction,
  Known,
  type StoredPeer,
  sealShared,
  storedNumbers,
  storedPeers,
} from "./sealing.ts";
import { World } from "./world.ts";

const hex = (text: string) => Buffer.from(text, "hex");
const { bravoToAlpha, alphaToBravo } = vectors.keys;
const { messages } = vectors;

/** @bravo with his fingerprint, as a device's list has him. */
export const PEERS = `@bravo:${vectors.fingerprints["@bravo"].text}`;

/** What @bravo seals for @alpha, and the other way round. */
export const INWARD: Direction = {
  from: "@bravo",
  to: "@alpha",
  namespace: "greenhouse",
  issued: hex(bravoToAlpha.issuedKey),
  key: hex(bravoToAlpha.sharedKey),
  epoch: hex(bravoToAlpha.epoch),
};
export const OUTWARD: Direction = {
  from: "@alpha",
  to: "@bravo",
  namespace: "greenhouse",
  issued: hex(alphaToBravo.issuedKey),
  key: hex(alphaToBravo.sharedKey),
  epoch: hex(alphaToBravo.epoch),
};

/** @bravo as a device knows him that works for days already. */
export const BRAVO: StoredPeer = {
  atSign: "@bravo",
  flags:
    Known.out | Known.copy | Known.in | Known.pinned | Known.issued | Known.published | Known.taken,
  generation: vectors.ownCopySeal.generation,
  pin: hex(vectors.fingerprints["@bravo"].sha256),
  issued: hex(bravoToAlpha.issuedKey),
  inKey: hex(bravoToAlpha.sharedKey),
  taken: hex(alphaToBravo.issuedKey),
  outKey: hex(alphaToBravo.sharedKey),
  epoch: hex(bravoToAlpha.epoch),
  theirEpoch: hex(alphaToBravo.epoch),
  takenText: "the text of what @bravo issued",
};

export type WorkingOptions = DeviceOptions & {
  readonly peer?: Partial<StoredPeer>;
  /** The number given last. */
  readonly given?: readonly [number, number];
  readonly monitor?: boolean;
  readonly peers?: string;
  /** Instances of @bravo's whose numbers were taken. */
  readonly taken?: readonly Count[];
};

/** A device of @alpha that is ready and knows @bravo. */
export async function working(factory: EngineFactory, options: WorkingOptions = {}) {
  const world = new World();
  const before = await imported(factory, world);
  const { store } = before;
  const { peer = {}, given = [5, 0], monitor = false, peers = PEERS, taken = [] } = options;
  store.set(3, storedPeers({ ...BRAVO, ...peer }));
  store.set(4, storedNumbers(given, { generation: 1, taken }));
  world.records.set("@bravo:__auth1.greenhouse@alpha", { value: vectors.issued.wrappedBase64 });
  world.records.set("__auth1_bravo.greenhouse@alpha", {
    value: messages.ownCopyOfIssuedKey.ciphertextBase64,
    meta: { ivNonce: messages.ownCopyOfIssuedKey.ivNonceBase64, isEncrypted: true },
  });
  world.records.set("shared_key.bravo@alpha", {
    value: "not to be opened",
    meta: { ivNonce: vectors.ownCopySeal.ivNonceBase64 },
  });
  world.records.set("@alpha:__auth1.greenhouse@bravo", {
    value: "the text of what @bravo issued",
    meta: { ivNonce: Buffer.from(hex(alphaToBravo.epoch)).toString("base64") },
  });
  // Fetched anew after a login, and the same.
  world.records.set("@alpha:shared_key@bravo", { value: "not to be opened" });
  const device = await Device.open(factory, world, { ...options, store });
  expect(device.init()).toBe(0);
  device.configure("");
  expect(device.config(5, '{"other":"r","greenhouse":"rw"}')).toBe(0);
  expect(device.config(15, peers)).toBe(0);
  expect(device.start(monitor)).toBe(0);
  device.until(() => device.state() === State.ready);
  device.settle();
  return { world, device };
}

let ids = 0;

/** @bravo's client sends a sealed notification; what it sent. */
export function command(
  world: World,
  count: Count,
  plain: string | undefined,
  {
    direction = INWARD,
    name = "interval",
    operation = "update",
    ...more
  }: {
    direction?: Direction;
    name?: string;
    operation?: "update" | "delete";
    [member: string]: unknown;
  } = {},
): Record<string, unknown> {
  const key = `@alpha:${name}.greenhouse@bravo`;
  const kind = operation === "delete" ? 2 : 1;
  const { iv, value } = sealShared(direction, kind, key, count, plain);
  const sent = {
    id: `command ${ids++}`,
    from: "@bravo",
    key,
    ...(value === undefined ? {} : { value }),
    operation,
    isEncrypted: true,
    metadata: { ivNonce: iv },
    ...more,
  };
  world.notify(sent);
  return sent;
}
