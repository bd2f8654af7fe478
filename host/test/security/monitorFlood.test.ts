// SPDX-License-Identifier: BSD-3-Clause
// An atServer that pushes faster than a listener can take: what waits has a bound, and nothing of it is lost.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AtClient } from "../../client/atClient.ts";
import { aesEncryptText, generateAesKey, generateIv } from "../../crypto/aesCtr.ts";
import { rsaEncrypt } from "../../crypto/rsa.ts";
import { alpha } from "../client/identities.ts";
import { deepJson, type HostileConnection, SILENCE } from "./hostileServer.ts";
import { HostileWorld } from "./hostileWorld.ts";

let world: HostileWorld;
let client: AtClient;
beforeEach(async () => {
  world = await HostileWorld.start();
  client = await AtClient.connect({ ...world.network, keys: alpha });
});
afterEach(async () => {
  await client.close();
  await world.close();
});

const MANY = 3_000;
const KEY = generateAesKey();
const ivNonce = generateIv();
/** 16 kB of value: all of them are three times what a monitor holds. */
const value = aesEncryptText("x".repeat(16_000), KEY, ivNonce);

const message = (id: number): Record<string, unknown> => ({
  id: `m${id}`,
  from: "@bravo",
  to: "@alpha",
  key: "@alpha:a.demo@bravo",
  value,
  operation: "update",
  epochMillis: id + 1,
  isEncrypted: true,
  metadata: { ivNonce },
});

describe("a monitor whose atServer floods it", () => {
  it("reads no more while its listener waits for a key, then all of it, in order", async () => {
    let answer: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => {
      world.server.onCommand(/^lookup:.*shared_key@bravo$/, (_, connection: HostileConnection) => {
        answer = () => connection.write(`data:${rsaEncrypt(KEY, alpha.encryptPublicKey)}\n@`);
        resolve();
        return SILENCE;
      });
    });
    const ids: string[] = [];
    let finished: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      finished = resolve;
    });
    const monitor = client.monitor({
      onNotification: ({ id }) => {
        if (ids.push(id) === MANY) finished();
      },
    });
    await monitor.ready;
    for (let id = 0; id < MANY; id++) world.server.notify(message(id));
    await asked;
    // What the client doesn't take stays with the server.
    const [connection] = world.server.monitors;
    let before = Number.POSITIVE_INFINITY;
    let waiting = connection?.waitingBytes ?? 0;
    while (waiting < before) {
      before = waiting;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      waiting = connection?.waitingBytes ?? 0;
    }
    expect(waiting).toBeGreaterThan((MANY * value.length) / 3);
    expect(ids).toEqual([]);
    answer?.();
    await all;
    expect(ids).toEqual(Array.from({ length: MANY }, (_, id) => `m${id}`));
    await monitor.close();
  });

  it.each([
    ["deep JSON", `notification: ${deepJson(100_000)}`],
    [
      "a deep appMetadata",
      `notification: {"id":"1","metadata":{"appMetadata":${deepJson(6_000)}}}`,
    ],
    ["no JSON", "notification: {"],
    ["an array", "notification: []"],
    ["null", "notification: null"],
    ["members of other types", 'notification: {"id":1,"from":{},"key":[]}'],
    ["an atSign that is none", 'notification: {"id":"1","from":"@a@b","key":"k"}'],
    ["not UTF-8", Buffer.from([...Buffer.from("notification: "), 0xff, 0x0a])],
    ["something that is no reply", "GET / HTTP/1.1"],
    ["a reply nobody asked for", "data:hello"],
  ])("tells of %s, and goes on", async (_, line) => {
    const errors: Error[] = [];
    let told: () => void = () => undefined;
    const failed = new Promise<void>((resolve) => {
      told = resolve;
    });
    let got: (id: string) => void = () => undefined;
    const received = new Promise<string>((resolve) => {
      got = resolve;
    });
    const monitor = client.monitor({
      onNotification: ({ id }) => got(id),
      onError: (error) => {
        errors.push(error);
        told();
      },
    });
    await monitor.ready;
    world.server.push(line);
    await failed;
    expect(errors[0]).toMatchObject({ name: "AtError" });
    // On the same connection or the next.
    const { key, from } = message(0);
    world.server.onCommand(/^monitor/, (_line, connection) => {
      connection.isMonitor = true;
      world.server.notify({ id: "after", from, key, operation: "delete" });
      return SILENCE;
    });
    world.server.notify({ id: "after", from, key, operation: "delete" });
    expect(await received).toBe("after");
    await monitor.close();
  });
});
