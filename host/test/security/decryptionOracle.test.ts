// SPDX-License-Identifier: BSD-3-Clause
// Whoever can have texts decrypted and sees whether that went well reads any text in the end, so nothing that leaves a client
// may depend on it. Each case is sent a hundred times right and a hundred times wrong, and both leave the same.
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { AtClient, type AtClientOptions } from "../../client/atClient.ts";
import { awaitApproval } from "../../client/enrollment.ts";
import {
  KNOWN_KEY_MILLIS,
  MISSING_KEY_MILLIS,
  NEW_KEY_MILLIS,
  NEW_KEYS_AT_ONCE,
} from "../../client/senderKeys.ts";
import { aesEncryptText, generateAesKey, generateIv } from "../../crypto/aesCtr.ts";
import { rsaEncrypt } from "../../crypto/rsa.ts";
import { alpha, bravo } from "../client/identities.ts";
import { flipBit, type Json } from "./hostileServer.ts";
import { HostileWorld } from "./hostileWorld.ts";

const ROUNDS = 100;
const KEY = generateAesKey();

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function victim(
  prepare: (world: HostileWorld) => void,
  options: Partial<AtClientOptions> = {},
): Promise<{ world: HostileWorld; client: AtClient }> {
  const world = await HostileWorld.start();
  opened.push(world);
  prepare(world);
  const client = await AtClient.connect({ ...world.network, keys: alpha, ...options });
  opened.push(client);
  return { world, client };
}

/** What left, by command and length: IVs and signatures are random, and always as long. */
function left({ server }: HostileWorld): string[] {
  return server.lines.map(
    (line) => `${line.split(/[:{]/, 2).join(":").slice(0, 30)} ${line.length}`,
  );
}

const wrapped = (key = KEY): string => rsaEncrypt(key, alpha.encryptPublicKey);
/** A ciphertext that holds nothing: the first byte keeps it below the modulus. */
const noKey = (): string =>
  Buffer.concat([Buffer.from([0x01]), randomBytes(255)]).toString("base64");

type Text = { readonly value: string; readonly ivNonce: string };

const good = (key = KEY): Text => {
  const ivNonce = generateIv();
  return { value: aesEncryptText("a value of 20 bytes.", key, ivNonce), ivNonce };
};
/** The same with its padding broken: the last of 32 bytes. */
const badPadding = (key = KEY): Text => {
  const { value, ivNonce } = good(key);
  return { value: flipBit(value, 31 * 8), ivNonce };
};

let count = 0;
function notification({ value, ivNonce }: Text, metadata: Json = {}): Json {
  count += 1;
  return {
    id: `n${count}`,
    from: "@bravo",
    to: "@alpha",
    key: "@alpha:a.demo@bravo",
    value,
    operation: "update",
    epochMillis: 1_000 + count,
    isEncrypted: true,
    metadata: { ivNonce, ...metadata },
  };
}

/** Sends notifications to a client's monitor, waits until all are handled; gives how many could be read. */
async function notify(
  world: HostileWorld,
  client: AtClient,
  sent: readonly Json[],
): Promise<number> {
  let read = 0;
  let handled = 0;
  let done: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const step = (): void => {
    handled += 1;
    if (handled === sent.length) done();
  };
  const monitor = client.monitor({
    onNotification: () => {
      read += 1;
      step();
    },
    onError: step,
  });
  await monitor.ready;
  world.server.notify(...sent);
  await all;
  await monitor.close();
  return read;
}

async function reactions(
  make: () => Json,
  prepare: (world: HostileWorld) => void,
): Promise<{ lines: string[]; read: number }> {
  const { world, client } = await victim(prepare);
  const read = await notify(world, client, Array.from({ length: ROUNDS }, make));
  return { lines: left(world), read };
}

const shares =
  (record: () => string) =>
  ({ server }: HostileWorld): void => {
    server.onCommand(/^l?lookup:.*shared_key@bravo$/, () => `data:${record()}`);
  };

/** What a ciphertext is put into, and how the two are made. */
type Case = {
  readonly name: string;
  readonly good: () => Json;
  readonly bad: () => Json;
  readonly prepareGood?: (world: HostileWorld) => void;
  readonly prepareBad?: (world: HostileWorld) => void;
};

const ownWrap = wrapped();
const otherWrap = wrapped(generateAesKey());
const nothing = noKey();
const cases: readonly Case[] = [
  {
    name: "padding of a value whose key is a record",
    good: () => notification(good()),
    bad: () => notification(badPadding()),
  },
  {
    name: "padding of a value that came with its key",
    good: () => notification(good(), { sharedKeyEnc: ownWrap }),
    bad: () => notification(badPadding(), { sharedKeyEnc: ownWrap }),
  },
  {
    name: "padding of a value to oneself",
    good: () => ({ ...notification(good(alpha.selfEncryptionKey)), from: "@alpha" }),
    bad: () => ({ ...notification(badPadding(alpha.selfEncryptionKey)), from: "@alpha" }),
  },
  {
    name: "PKCS#1 of the same wrapped key",
    good: () => notification(good(), { sharedKeyEnc: ownWrap }),
    bad: () => notification(good(), { sharedKeyEnc: nothing }),
  },
  {
    name: "PKCS#1 of a new wrapped key each time",
    good: () => notification(good(), { sharedKeyEnc: wrapped() }),
    bad: () => notification(good(), { sharedKeyEnc: noKey() }),
    prepareGood: shares(() => otherWrap),
    prepareBad: shares(() => otherWrap),
  },
  {
    name: "a wrapped text that is no key",
    good: () => notification(good(), { sharedKeyEnc: wrapped() }),
    bad: () => notification(good(), { sharedKeyEnc: wrapped("no key") }),
    prepareGood: shares(() => otherWrap),
    prepareBad: shares(() => otherWrap),
  },
  {
    name: "PKCS#1 of the key's record",
    good: () => notification(good()),
    bad: () => notification(good()),
    prepareBad: shares(noKey),
  },
];

describe("a client leaves the same for right and wrong", () => {
  it.each(cases)("$name", async ({ good: right, bad: wrong, prepareGood, prepareBad }) => {
    const served = shares(() => wrapped());
    const fine = await reactions(right, prepareGood ?? served);
    const failed = await reactions(wrong, prepareBad ?? served);
    expect(fine.read).toBe(ROUNDS);
    // A wrong padding is right by chance in one of 256.
    expect(failed.read).toBeLessThan(ROUNDS / 2);
    expect(failed.lines).toEqual(fine.lines);
  });

  it("records that are got, with their key or without", async () => {
    const leftOf = async (make: () => Text, metadata: Json): Promise<string[]> => {
      const { world, client } = await victim((one) => {
        shares(() => wrapped())(one);
        one.server.onCommand(/^lookup:all:/, () => {
          const { value: data, ivNonce } = make();
          return `data:${JSON.stringify({ data, metaData: { ivNonce, ...metadata } })}`;
        });
      });
      for (let i = 0; i < ROUNDS; i++) await client.get("a.demo@bravo").catch(() => undefined);
      return left(world);
    };
    for (const metadata of [{}, { sharedKeyEnc: ownWrap }]) {
      expect(await leftOf(badPadding, metadata)).toEqual(await leftOf(good, metadata));
    }
  });

  it("my own copy of a key, when I send", async () => {
    const sendWith = async (copy: () => string): Promise<{ lines: string[]; failed: number }> => {
      const { world, client } = await victim(({ server }) => {
        server.onCommand(/^llookup:shared_key\.bravo@alpha$/, () => `data:${copy()}`);
        server.onCommand(/^llookup:@bravo:shared_key@alpha$/, () => "data:x");
        server.onCommand(/^plookup:publickey@bravo$/, () => `data:${bravo.encryptPublicKey}`);
        server.onCommand(/^(?:update|notify):/, () => "data:1");
      });
      let failed = 0;
      const count = (): void => {
        failed += 1;
      };
      for (let i = 0; i < ROUNDS / 2; i++) {
        await client.put("@bravo:a.demo@alpha", "a value").catch(count);
        await client.notify("@bravo:a.demo@alpha", "a value").catch(count);
      }
      return { lines: left(world), failed };
    };
    const fine = await sendWith(() => wrapped());
    const lost = await sendWith(noKey);
    expect(fine.failed).toBe(0);
    expect(lost.failed).toBe(ROUNDS);
    expect(lost.lines).toEqual(fine.lines);
  });

  it("the key that an application asks with, when its owner approves", async () => {
    const approve = async (key: string): Promise<{ lines: string[]; outcome: unknown }> => {
      const { world, client } = await victim(({ server }) => {
        const request = { status: "pending", encryptedAPKAMSymmetricKey: key };
        server.onCommand(/^enroll:fetch/, () => `data:${JSON.stringify(request)}`);
        server.onCommand(/^enroll:approve/, () => 'data:{"status":"approved"}');
      });
      const outcome = await client.approve("1").catch((reason: unknown) => reason);
      return { lines: left(world), outcome };
    };
    const fine = await approve(wrapped());
    const lost = await approve(noKey());
    expect(fine.outcome).toMatchObject({ id: "1" });
    expect(lost.outcome).toMatchObject({
      code: "AT0014",
      message: expect.stringContaining("revoke"),
    });
    expect(lost.lines).toEqual(fine.lines);
  });

  it("the keys of an approval", async () => {
    const apkamSymmetricKey = generateAesKey();
    const answer = (text: string, broken: boolean): string => {
      const iv = generateIv();
      const value = aesEncryptText(text, apkamSymmetricKey, iv);
      const last = Buffer.from(value, "base64").length - 1;
      return `data:${JSON.stringify({ value: broken ? flipBit(value, last * 8) : value, iv })}`;
    };
    const enrol = async (broken: boolean): Promise<string[]> => {
      const world = await HostileWorld.start();
      opened.push(world);
      const { server } = world;
      server.onCommand(/^keys:.*enc_private/, () => answer(alpha.encryptPrivateKey, broken));
      server.onCommand(/^keys:.*self_enc/, () => answer(alpha.selfEncryptionKey, broken));
      const pending = { ...alpha, enrollmentId: "1", apkamSymmetricKey };
      const keys = awaitApproval(pending, world.network);
      if (broken) await expect(keys).rejects.toMatchObject({ code: "AT0014" });
      else expect((await keys).selfEncryptionKey).toBe(alpha.selfEncryptionKey);
      return left(world);
    };
    expect(await enrol(true)).toEqual(await enrol(false));
  });
});

describe("keys are fetched by a schedule", () => {
  const lookups = ({ server }: HostileWorld): number => server.count(/^lookup:.*shared_key@bravo$/);

  /** A client whose clock the test sets. */
  async function scheduled(record: () => string): Promise<{
    world: HostileWorld;
    client: AtClient;
    pass: (millis: number) => void;
    reads: (text?: Text, metadata?: Json) => Promise<boolean>;
  }> {
    let now = 0;
    const { world, client } = await victim(
      ({ server }) => server.onCommand(/^lookup:.*shared_key@bravo$/, record),
      { now: () => now },
    );
    const reads = async (text = good(), metadata: Json = {}): Promise<boolean> => {
      const { value: data, ivNonce } = text;
      const reply = { data, metaData: { ivNonce, ...metadata } };
      world.server.onCommand(/^lookup:all:/, () => `data:${JSON.stringify(reply)}`);
      const got = await client.get("a.demo@bravo").catch(() => undefined);
      return got !== undefined;
    };
    const pass = (millis: number): void => {
      now += millis;
    };
    return { world, client, pass, reads };
  }

  it("a peer with a new key is read after a login, and within an hour without", async () => {
    let record = wrapped();
    const { world, pass, reads } = await scheduled(() => `data:${record}`);
    expect(await reads()).toBe(true);
    const next = generateAesKey();
    record = wrapped(next);
    expect(await reads(good(next))).toBe(false);
    pass(KNOWN_KEY_MILLIS - 1);
    expect(await reads(good(next))).toBe(false);
    expect(lookups(world)).toBe(1);
    pass(1);
    expect(await reads(good(next))).toBe(true);
    expect(lookups(world)).toBe(2);
    const third = generateAesKey();
    record = wrapped(third);
    world.server.hangUp();
    await reads(good(third));
    expect(await reads(good(third))).toBe(true);
    expect(lookups(world)).toBe(3);
  });

  it("a new login of a monitor counts", async () => {
    let record = wrapped();
    const { world, client, reads } = await scheduled(() => `data:${record}`);
    expect(await reads()).toBe(true);
    const next = generateAesKey();
    record = wrapped(next);
    expect(await notify(world, client, [notification(good(next))])).toBe(1);
    expect(lookups(world)).toBe(2);
  });

  it("one that can't be got every five minutes, whatever arrives", async () => {
    let answer = "error:AT0015-key not found";
    const { world, pass, reads } = await scheduled(() => answer);
    for (let i = 0; i < 20; i++) expect(await reads()).toBe(false);
    pass(MISSING_KEY_MILLIS - 1);
    expect(await reads()).toBe(false);
    expect(lookups(world)).toBe(1);
    pass(1);
    answer = `data:${wrapped()}`;
    expect(await reads()).toBe(true);
    expect(lookups(world)).toBe(2);
    pass(KNOWN_KEY_MILLIS);
    answer = "error:AT0007-not there";
    for (let i = 0; i < 20; i++) expect(await reads()).toBe(true);
    expect(lookups(world)).toBe(3);
    pass(MISSING_KEY_MILLIS);
    expect(await reads()).toBe(true);
    expect(lookups(world)).toBe(4);
  });

  it("one that holds nothing as one that holds a key", async () => {
    for (const record of [noKey(), ownWrap]) {
      const { world, pass, reads } = await scheduled(() => `data:${record}`);
      const asked: number[] = [];
      for (const millis of [0, MISSING_KEY_MILLIS, KNOWN_KEY_MILLIS - 1 - MISSING_KEY_MILLIS, 1]) {
        pass(millis);
        await reads();
        asked.push(lookups(world));
      }
      expect(asked).toEqual([1, 1, 1, 2]);
    }
  });

  it("new keys that come with values are opened four times, then one an hour", async () => {
    const { pass, reads } = await scheduled(() => `data:${ownWrap}`);
    const sent = async (): Promise<boolean> => {
      const key = generateAesKey();
      return await reads(good(key), { sharedKeyEnc: wrapped(key) });
    };
    for (let i = 0; i < NEW_KEYS_AT_ONCE; i++) expect(await sent()).toBe(true);
    expect(await sent()).toBe(false);
    // The same key wrapped anew is read all the same.
    expect(await reads(good(), { sharedKeyEnc: wrapped() })).toBe(true);
    pass(NEW_KEY_MILLIS - 1);
    expect(await sent()).toBe(false);
    pass(1);
    expect(await sent()).toBe(true);
    expect(await sent()).toBe(false);
    pass(100 * NEW_KEY_MILLIS);
    for (let i = 0; i < NEW_KEYS_AT_ONCE; i++) expect(await sent()).toBe(true);
    expect(await sent()).toBe(false);
  });
});
