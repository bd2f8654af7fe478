// SPDX-License-Identifier: BSD-3-Clause
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AtClient } from "../../client/atClient.ts";
import type { MonitorOptions } from "../../client/monitor.ts";
import type { ReceivedNotification } from "../../client/notifications.ts";
import { base2e15Encode } from "../../crypto/base2e15.ts";
import { alpha } from "../client/identities.ts";
import type { Json } from "./hostileServer.ts";
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

const forged: Json = {
  id: "1",
  from: "@bravo",
  to: "@alpha",
  key: "@alpha:command.demo@bravo",
  value: "open the door",
  operation: "update",
  epochMillis: 1,
  messageType: "MessageType.key",
  isEncrypted: false,
  metadata: null,
};

/** What a monitor makes of one notification. */
async function received(
  notification: Json,
  options: Partial<MonitorOptions> = {},
): Promise<ReceivedNotification | Error> {
  let settle: (outcome: ReceivedNotification | Error) => void = () => undefined;
  const outcome = new Promise<ReceivedNotification | Error>((resolve) => {
    settle = resolve;
  });
  const monitor = client.monitor({ onNotification: settle, onError: settle, ...options });
  await monitor.ready;
  world.server.notify(notification);
  const first = await outcome;
  await monitor.close();
  return first;
}

const refused = {
  code: "AT0014",
  message: expect.stringMatching(/plaintext, which anyone .* \(--accept-plaintext\)$/),
};
const text = "MessageType.text";

describe("a notification in plaintext", () => {
  it.each([
    ["of a peer", {}],
    ["of a peer that says so in words", { isEncrypted: "false" }],
    ["of a peer that says nothing", { isEncrypted: undefined }],
    [
      "of a peer, with what belongs to encrypted ones",
      { metadata: { ivNonce: "x", sharedKeyEnc: "y" } },
    ],
    [
      "said to be binary",
      { value: base2e15Encode(Buffer.from("x")), metadata: { isBinary: true } },
    ],
    ["as a text message", { key: "@alpha:open the door", value: null, messageType: text }],
    ["said to be from oneself", { from: "@alpha", key: "command.demo@alpha" }],
    [
      "with the name of an enrollment request, of a peer",
      { key: "1.new.enrollments.__manage@bravo" },
    ],
  ])("%s is refused, unless it is accepted, and is marked then", async (_, changes) => {
    expect(await received({ ...forged, ...changes })).toMatchObject(refused);
    const accepted = await received({ ...forged, ...changes }, { acceptPlaintext: true });
    expect(accepted).toMatchObject({ id: "1", encrypted: false });
  });

  it("is handed over where it is the atServer's own word: a request to enroll", async () => {
    const request = { from: "@alpha", key: "@alpha:1.new.enrollments.__manage@alpha", value: "{}" };
    const options = { selfNotifications: true };
    expect(await received({ ...forged, ...request }, options)).toMatchObject({
      value: "{}",
      encrypted: false,
    });
  });

  it.each([
    ["a delete", { operation: "delete" }],
    ["a key that is announced", { value: null }],
  ])("has nothing to refuse in %s", async (_, changes) => {
    expect(await received({ ...forged, ...changes })).toMatchObject({
      value: undefined,
      encrypted: false,
    });
  });
});

describe("a record in plaintext", () => {
  it.each([
    ["shared with me", "note.demo@bravo", /^lookup:/],
    ["of my own", "note.demo@alpha", /^llookup:/],
    ["shared by me", "@bravo:note.demo@alpha", /^llookup:/],
    ["cached", "cached:@alpha:note.demo@bravo", /^llookup:/],
  ])("%s is refused, unless it is accepted, and is marked then", async (_, key, line) => {
    const found = { key, data: "forged", metaData: { isEncrypted: false } };
    world.server.onCommand(line, () => `data:${JSON.stringify(found)}`);
    await expect(client.get(key)).rejects.toMatchObject(refused);
    const accepted = await client.get(key, { acceptPlaintext: true });
    expect(accepted).toMatchObject({ value: "forged", encrypted: false });
  });

  it("is no public record for what the server answers", async () => {
    const found = {
      key: "public:note.demo@bravo",
      data: "forged",
      metaData: { isEncrypted: false },
    };
    world.server.onCommand(/^lookup:/, () => `data:${JSON.stringify(found)}`);
    await expect(client.get("note.demo@bravo")).rejects.toMatchObject(refused);
  });

  it("is what public ones are", async () => {
    const found = { data: "all may know", metaData: { isEncrypted: false } };
    world.server.onCommand(/^plookup:/, () => `data:${JSON.stringify(found)}`);
    expect(await client.get("public:note.demo@bravo")).toMatchObject({
      value: "all may know",
      encrypted: false,
    });
  });
});
