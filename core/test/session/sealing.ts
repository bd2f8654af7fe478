// SPDX-License-Identifier: BSD-3-Clause
// core/AUTHENTICITY.md once more, from its text: what a peer's client computes, and what lies in a device's store.
import { createCipheriv, createHash, createHmac } from "node:crypto";

const LABEL = "AT-AUTH-1";
export const sha256 = (x: Uint8Array): Buffer => createHash("sha256").update(x).digest();
const hmac = (key: Uint8Array | string, x: Uint8Array): Buffer =>
  createHmac("sha256", key).update(x).digest();
const bytes = (x: Uint8Array | string): Buffer => Buffer.from(x as string);

function number(value: number, length: number): Buffer {
  const out = Buffer.alloc(length);
  out.writeUIntBE(value, 0, length);
  return out;
}

const part = (x: Uint8Array | string): Buffer =>
  Buffer.concat([number(bytes(x).length, 2), bytes(x)]);

/** HKDF's extract and one block of its expand, over parts that carry their length. */
function derive(secret: Uint8Array, ...parts: (Uint8Array | string)[]): Buffer {
  return hmac(hmac(LABEL, secret), Buffer.concat([...parts.map(part), Buffer.of(1)]));
}

/** The pin of an atSign's public key, base64 of its SubjectPublicKeyInfo. */
export const pinOf = (atSign: string, spki: string): Buffer =>
  sha256(Buffer.concat([`${LABEL} fingerprint`, atSign, Buffer.from(spki, "base64")].map(part)));

/** What two atSigns share in one direction; keys of 32 bytes, an epoch of 16. */
export type Direction = {
  readonly from: string;
  readonly to: string;
  readonly namespace: string;
  readonly issued: Uint8Array;
  readonly key: Uint8Array;
  readonly epoch: Uint8Array;
};

/** An instance and its counter. */
export type Count = readonly [instance: number, counter: number];

export type Sealed = { readonly iv: string; readonly value: string | undefined };

function pad(plain: string | undefined): Buffer {
  if (plain === undefined) return Buffer.alloc(0);
  const length = 16 - (Buffer.byteLength(plain) % 16);
  return Buffer.concat([bytes(plain), Buffer.alloc(length, length)]);
}

function seal(
  mac: Uint8Array,
  key: Uint8Array,
  about: { kind: number; flags?: number; from: string; to: string; name: string },
  [instance, counter]: Count,
  plain: string | undefined,
): Sealed {
  const padded = pad(plain);
  const n = number(instance * 2 ** 28 + counter, 6);
  const { kind, flags = 0, from, to, name } = about;
  const names = [from, to, name].map(part);
  const message = [Buffer.of(kind, flags), n, ...names, number(padded.length, 4), padded];
  const iv = Buffer.concat([n, hmac(mac, Buffer.concat(message)).subarray(0, 10)]);
  const value = createCipheriv("aes-256-ctr", key, iv).update(padded).toString("base64");
  return { iv: iv.toString("base64"), value: plain === undefined ? undefined : value };
}

/** Seals a notification (kind 1, 2) or shared record (3) of this atKey. */
export function sealShared(
  d: Direction,
  kind: 1 | 2 | 3,
  name: string,
  count: Count,
  plain: string | undefined,
  flags = 0,
): Sealed {
  const secret = Buffer.concat([d.issued, d.key]);
  const names = [d.from, d.to, d.namespace];
  const mac =
    kind === 3 ? derive(secret, "record", ...names) : derive(secret, "notify", ...names, d.epoch);
  return seal(mac, d.key, { kind, flags, from: d.from, to: d.to, name }, count, plain);
}

/** Seals a record of one's own. */
export function sealOwn(
  me: string,
  selfKey: Uint8Array,
  name: string,
  count: Count,
  plain: string,
) {
  const about = { kind: 3, from: me, to: me, name };
  return seal(derive(selfKey, "self", me), selfKey, about, count, plain);
}

/** The seal of one's own copy of a shared key, base64. */
export function sealOfKey(
  me: string,
  selfKey: Uint8Array,
  peer: string,
  pin: Uint8Array,
  generation: number,
  key: Uint8Array,
): string {
  const g = number(generation, 4);
  const message = Buffer.concat([part(peer), pin, g, key]);
  const tag = hmac(derive(selfKey, "seal", me), message).subarray(0, 12);
  return Buffer.concat([g, tag]).toString("base64");
}

/** The keys of a coded enrollment and the IV of one of its two answers. */
export function pairing(code18: string, owner: string) {
  const secret = bytes(code18);
  const mac = derive(secret, "enroll-mac", owner);
  return {
    key: derive(secret, "enroll-key", owner),
    proof: derive(secret, "enroll-proof", owner),
    iv(what: "private" | "self", enrollmentId: string, text: string): string {
      const padded = pad(text);
      const message = [part(what), part(enrollmentId), number(padded.length, 4), padded];
      return hmac(mac, Buffer.concat(message)).subarray(0, 16).toString("base64");
    },
  };
}

/** core/keys/peers.ts: flags of what is stored. */
export const Known = {
  out: 1,
  copy: 8,
  in: 16,
  pinned: 512,
  issued: 1024,
  published: 2048,
  written: 4096,
  taken: 8192,
  verified: 16384,
} as const;

/** A peer as slot 3 has him. */
export type StoredPeer = {
  readonly atSign: string;
  readonly flags: number;
  readonly generation?: number;
  readonly pin: Uint8Array;
  readonly issued?: Uint8Array;
  readonly inKey?: Uint8Array;
  readonly taken?: Uint8Array;
  readonly outKey?: Uint8Array;
  readonly epoch?: Uint8Array;
  readonly theirEpoch?: Uint8Array;
  readonly takenText?: string;
};

const field = (x: Uint8Array | undefined, length: number): Buffer => {
  const out = Buffer.alloc(length);
  if (x) out.set(x.subarray(0, length));
  return out;
};

const checked = (x: Buffer): Buffer => Buffer.concat([x, sha256(x).subarray(0, 8)]);

/** Slot 3. */
export function storedPeers(...peers: readonly StoredPeer[]): Buffer {
  const entries = [0, 1, 2, 3].map((place) => {
    const p = peers[place];
    if (!p) return Buffer.alloc(240);
    const flags = Buffer.alloc(4);
    flags.writeUInt32LE(p.flags);
    return Buffer.concat([
      sha256(bytes(p.atSign)).subarray(0, 16),
      flags,
      number(p.generation ?? 0, 4),
      p.pin,
      ...[p.issued, p.inKey, p.taken, p.outKey].map((x) => field(x, 32)),
      field(p.epoch, 16),
      field(p.theirEpoch, 16),
      Buffer.alloc(8),
      field(p.takenText === undefined ? undefined : sha256(bytes(p.takenText)), 16),
    ]);
  });
  return checked(Buffer.concat([Buffer.from("atp1"), ...entries]));
}

/** Slot 4: the number given last, and of each peer the generation of his epoch and the numbers taken. */
export function storedNumbers(
  [instance, counter]: Count,
  ...tables: readonly { generation: number; taken?: readonly Count[] }[]
): Buffer {
  const ceiling = Buffer.alloc(8);
  ceiling.writeBigUInt64LE(BigInt(instance) * 2n ** 28n + BigInt(counter));
  const all = [0, 1, 2, 3].map((place) => {
    const { generation = 0, taken = [] } = tables[place] ?? {};
    const numbers = taken.map(([i, c]) => number(i * 2 ** 28 + c, 6));
    return field(Buffer.concat([number(generation, 4), ...numbers]), 52);
  });
  return checked(Buffer.concat([Buffer.from("atn1"), Buffer.alloc(4), ceiling, ...all]));
}
