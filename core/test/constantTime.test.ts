// SPDX-License-Identifier: BSD-3-Clause
// Constant time, checked on the module that is shipped: with different secrets a primitive has to take the same decisions
// (jumps, selects, lengths of fills and copies) in the same order and access the same addresses. Lengths, public keys and
// the outcome (a status) may differ. Not seen here: the time a single instruction takes. AES reads its table at addresses
// made of the secret: its decisions alone are compared.
import { createHash, randomBytes } from "node:crypto";
import { p256 } from "@noble/curves/nist";
import binaryen from "assemblyscript/binaryen";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EngineFactory } from "./engine/engine.ts";
import { fromHex, Io } from "./engine/io.ts";
import { privateFromPkcs8 } from "./engine/rsaKey.ts";
import {
  instrumented,
  instrumentedCore,
  type Trace,
  type TracedCore,
  traced,
} from "./engine/trace.ts";
import { Kind, State } from "./session/device.ts";
import { repeatable } from "./session/entropy.ts";
import { imported } from "./session/fixtures.ts";
import { type WorkingOptions, working } from "./session/known.ts";
import { encryptValue, World } from "./session/world.ts";
import { encryptBlock, paddedBlock, wrapAs } from "./session/wrapping.ts";
import identities from "./vectors/interop/00-identities.json" with { type: "json" };

const BAD_PADDING = -14;
const BAD_SIGNATURE = -15;

let core: TracedCore;
let io: Io;

beforeAll(() => {
  core = traced(instrumentedCore());
  io = new Io(core);
});
beforeEach(() => io.reset());

/** The same seed before each run, so that what comes from the DRBG is equally long. */
function seed(): void {
  expect(core.call("drbg_seed", io.put(new Uint8Array(48).fill(9)), 48)).toBe(0);
}

function expectSame(traces: readonly Trace[], addressesToo = true): void {
  expect(traces.length).toBeGreaterThan(1);
  const [first] = traces;
  expect(first?.events).toBeGreaterThan(30);
  for (const trace of traces) {
    expect(trace.executed).toBe(first?.executed);
    if (addressesToo) expect(trace.accessed).toBe(first?.accessed);
  }
}

/** Runs an export once for each secret; `place` puts the arguments anew and gives them. */
function run<T>(name: string, secrets: readonly T[], place: (secret: T) => number[]): Trace[] {
  return secrets.map((secret) => {
    io.reset();
    seed();
    return core.trace(name, ...place(secret));
  });
}

const hash = (text: string): Uint8Array => createHash("sha256").update(text).digest();

/** Scalars with few and many bits, even and odd, at the edges, and one that makes the last addition double. */
const scalars = [
  "0000000000000000000000000000000000000000000000000000000000000001",
  "0000000000000000000000000000000000000000000000000000000000000002",
  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f",
  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
].map(fromHex);

const rsaKeys = [
  identities["@alpha"].pkam.privateKeyPkcs8Base64,
  identities["@alpha"].encryption.privateKeyPkcs8Base64,
].map(privateFromPkcs8);

describe("constant time", () => {
  it("of pkcs7_unpad, whatever the padding", () => {
    const ends = [
      "01",
      "0202",
      "10".repeat(16),
      "0f".repeat(15),
      "030303",
      "00",
      "11",
      "02",
      "ff",
      "0303",
    ];
    const blocks = ends.map((end) => fromHex("41".repeat(32 - end.length / 2) + end));
    const traces = run("pkcs7_unpad", blocks, (block) => [io.put(block), 32]);
    // The status is chosen by one select at the very end, whose condition is the outcome itself.
    const [right, wrong] = [traces.filter((t) => t.status > 0), traces.filter((t) => t.status < 0)];
    expect(right.map((t) => t.status)).toEqual([31, 30, 16, 17, 29]);
    expect(wrong.map((t) => t.status)).toEqual(Array(wrong.length).fill(BAD_PADDING));
    expectSame(right);
    expectSame(wrong);
    expect(wrong[0]?.events).toBe(right[0]?.events);
  });

  it("of base64_encode, whatever the bytes", () => {
    const inputs = [new Uint8Array(48), new Uint8Array(48).fill(255), randomBytes(48)];
    expectSame(run("base64_encode", inputs, (x) => [io.room(64), 64, io.put(x), 48]));
  });

  it("of base64_decode, whatever the bytes", () => {
    const inputs = [new Uint8Array(48), new Uint8Array(48).fill(255), randomBytes(48)];
    const texts = inputs.map((x) => Buffer.from(Buffer.from(x).toString("base64")));
    expectSame(run("base64_decode", texts, (x) => [io.room(48), 48, io.put(x), 64]));
  });

  it("of HMAC, whatever the key and the message", () => {
    const secrets = [new Uint8Array(64), new Uint8Array(64).fill(255), randomBytes(64)];
    const ctx = core.call("hmac_ctx_len");
    for (const [name, args] of [
      ["hmac_init", (x: Uint8Array) => [io.room(ctx), io.put(x), 64]],
      ["hmac_update", (x: Uint8Array) => [keyed(ctx), io.put(x, 0), 64]],
    ] as const) {
      expectSame(run(name, secrets, args));
    }
  });

  function keyed(ctxLen: number): number {
    const ctx = io.room(ctxLen);
    expect(core.call("hmac_init", ctx, io.put(new Uint8Array(32)), 32)).toBe(0);
    return ctx;
  }

  it("of AES-256, its table's addresses apart", () => {
    const keys = [new Uint8Array(32), new Uint8Array(32).fill(255), randomBytes(32)];
    const iv = new Uint8Array(16).fill(1);
    const place = (key: Uint8Array) => [io.room(48), io.put(key), 32, io.put(key), io.put(iv)];
    expectSame(run("aes_ctr_crypt", keys, place), false);
  });

  it("of p256_public_key, whatever the scalar", () => {
    const traces = run("p256_public_key", scalars, (k) => [io.room(65), io.put(k)]);
    expect(traces.map((t) => t.status)).toEqual(scalars.map(() => 0));
    expectSame(traces);
  });

  it("of ecdh, whatever the scalar", () => {
    const pub = p256.getPublicKey(fromHex("11".repeat(32)), false);
    const traces = run("ecdh", scalars, (k) => [io.room(32), io.put(k), io.put(pub)]);
    expect(traces.map((t) => t.status)).toEqual(scalars.map(() => 0));
    expectSame(traces);
  });

  it("of ecdsa_sign_with, whatever the key, the hash and the nonce", () => {
    const cases = scalars.map((key, i) => ({ key, digest: hash(`message ${i}`) }));
    const traces = run("ecdsa_sign_with", cases, ({ key, digest }) => {
      return [io.room(64), io.put(digest), io.put(key), io.put(hash("extra")), 32];
    });
    expect(traces.map((t) => t.status)).toEqual(scalars.map(() => 0));
    expectSame(traces);
  });

  it("of rsa_private, whatever the key and the number", () => {
    const numbers = [1, 2, 255].map((byte) => new Uint8Array(256).fill(byte, 1));
    const cases = rsaKeys.flatMap((key) => numbers.map((x) => ({ key, x })));
    const traces = run("rsa_private", cases, ({ key, x }) => [
      io.room(256),
      io.put(x),
      io.put(key),
    ]);
    expect(traces.map((t) => t.status)).toEqual(cases.map(() => 0));
    expectSame(traces);
  });

  it("of pkcs1_encrypt_with, whatever the message", () => {
    const messages = [new Uint8Array(44), new Uint8Array(44).fill(255), randomBytes(44)];
    const ps = new Uint8Array(209).fill(1);
    const pub = rsaKeys[0]?.subarray(0, 260) ?? new Uint8Array();
    const place = (m: Uint8Array) => [io.room(256), io.put(m), 44, io.put(ps), io.put(pub)];
    expectSame(run("pkcs1_encrypt_with", messages, place));
  });

  it("of pkcs1_decrypt, whether the padding is right or wrong, and where it ends", () => {
    const key = rsaKeys[0] ?? new Uint8Array();
    const block = (zero: number, type = 2) => {
      const em = new Uint8Array(256).fill(0x33);
      em.set([0, type]);
      if (zero) em[zero] = 0;
      return em;
    };
    const blocks = [block(211), block(10), block(255), block(0), block(9), block(2), block(211, 1)];
    const ciphertexts = blocks.map((em) => {
      io.reset();
      const out = io.room(256);
      expect(core.call("rsa_public", out, io.put(em), io.put(key))).toBe(0);
      return core.read(out, 256);
    });
    const place = (c: Uint8Array) => [io.room(100), 100, io.put(c), io.put(key)];
    const traces = run("pkcs1_decrypt", ciphertexts, place);
    const bad = BAD_PADDING;
    expect(traces.map((t) => t.status)).toEqual([44, bad, 0, bad, bad, bad, bad]);
    expectSame(traces);
  });
});

/** The outcomes of opening what should wrap a key: one key, and everything that is none. */
const wrappings = (() => {
  const key = Buffer.alloc(32, 7).toString("base64");
  const wrongType = paddedBlock(key);
  wrongType[1] = 1;
  const blocks = [Buffer.alloc(256, 0x11), wrongType].map((em) => encryptBlock(em));
  const texts = [key, key.slice(0, 43), "?".repeat(44)];
  return [...texts.map((text) => wrapAs(text)), ...blocks];
})();

/** A logged-in device whose next poll is to be traced. */
async function tracedDevice(prepare: (world: World) => void, monitor = false) {
  const opened: TracedCore[] = [];
  const module = instrumentedCore();
  const factory: EngineFactory = {
    name: "traced",
    open: (hal) => {
      const engine = traced(module, hal);
      opened.push(engine);
      return Promise.resolve(engine);
    },
  };
  const world = new World();
  prepare(world);
  const device = await imported(repeatable(factory), world);
  if (device.start(monitor) !== 0) throw new Error("session_start failed");
  device.until(() => device.state() === State.ready);
  device.settle();
  const [engine] = opened;
  if (!engine) throw new Error("no engine was opened");
  return { device, engine };
}

function tracePoll(engine: TracedCore, line: string): Trace {
  const bytes = Buffer.from(line);
  engine.write(engine.call("rx_ptr"), bytes);
  engine.call("rx_push", bytes.length);
  return engine.trace("session_poll");
}

describe("constant time of the session", () => {
  it("when my own copy of a key is opened, whether it is one or not", async () => {
    const traces: Trace[] = [];
    for (const wrapped of wrappings) {
      const { device, engine } = await tracedDevice((world) => {
        world.hook = (line) => (line.startsWith("llookup:shared_key") ? "" : undefined);
      });
      device.operate(Kind.notify, "@bravo:temp.demo@alpha", "21.5");
      device.settle();
      traces.push(tracePoll(engine, `data:${wrapped}\n@alpha@`));
    }
    expect(new Set(traces.map((trace) => trace.status))).toEqual(new Set([4]));
    expectSame(traces);
  });

  it("when a key that came with a value is opened, whether it is one or not", async () => {
    // No padding under any of these keys; AES has its table's addresses.
    const value = encryptValue("x", Buffer.alloc(32, 8).toString("base64"));
    const traces: Trace[] = [];
    for (const sharedKeyEnc of wrappings) {
      const { engine } = await tracedDevice(() => {}, true);
      const notification = {
        id: "n",
        from: "@bravo",
        key: "@alpha:temp.demo@bravo",
        value,
        operation: "update",
        isEncrypted: true,
        metadata: { sharedKeyEnc },
      };
      traces.push(tracePoll(engine, `notification: ${JSON.stringify(notification)}\n`));
    }
    expect(traces[0]?.events).toBeGreaterThan(100_000);
    expectSame(traces, false);
  });

  /** A device that knows @bravo, with these secrets. */
  const knowing = async (fill: number, options: WorkingOptions = {}) => {
    let engine: TracedCore | undefined;
    const factory: EngineFactory = {
      name: "traced",
      open: async (hal) => {
        engine = traced(instrumentedCore(), hal);
        return engine;
      },
    };
    const secret = new Uint8Array(32).fill(fill);
    const peer = { inKey: secret, issued: secret, outKey: secret, taken: secret };
    const { device, world } = await working(repeatable(factory), { ...options, peer });
    if (!engine) throw new Error("no engine");
    return { device, world, engine };
  };

  it("when the tag of a value is wrong, whatever the keys and what it decrypts to", async () => {
    const traces: Trace[] = [];
    for (const fill of [0, 1, 0x55, 0xff]) {
      const { engine } = await knowing(fill, { monitor: true });
      const sent = {
        id: "n",
        from: "@bravo",
        key: "@alpha:interval.greenhouse@bravo",
        value: Buffer.alloc(48, 3).toString("base64"),
        operation: "update",
        isEncrypted: true,
        metadata: { ivNonce: Buffer.alloc(16, 5).toString("base64"), sharedKeyEnc: "AAAA" },
      };
      traces.push(tracePoll(engine, `notification: ${JSON.stringify(sent)}\n`));
    }
    expect(traces[0]?.events).toBeGreaterThan(3_000);
    expectSame(traces, false);
  });

  it("when a value is sealed, whatever the keys and the value", async () => {
    const traces: Trace[] = [];
    for (const fill of [0, 1, 0x55, 0xff]) {
      const { device, engine } = await knowing(fill);
      device.finish(Kind.put, "@bravo:reading.greenhouse@alpha", "ready");
      device.operate(Kind.put, "@bravo:reading.greenhouse@alpha", new Uint8Array(40).fill(fill));
      traces.push(engine.trace("session_poll"));
    }
    expect(new Set(traces.map((trace) => trace.status))).toEqual(new Set([4]));
    expect(traces[0]?.events).toBeGreaterThan(3_000);
    expectSame(traces, false);
  });
});

describe("the instrument", () => {
  /** Leaks that follow the argument, one a function; and one function without. */
  const leaky = `(module
    (memory (export "memory") 1 1)
    (func (export "branch") (param i32) (result i32)
      (if (result i32) (local.get 0) (then (i32.const 7)) (else (i32.const 9))))
    (func (export "choice") (param i32) (result i32)
      (select (i32.const 7) (i32.const 9) (local.get 0)))
    (func (export "length") (param i32) (result i32)
      (memory.fill (i32.const 128) (i32.const 0) (local.get 0))
      (i32.const 0))
    (func (export "table") (param i32) (result i32) (i32.load8_u offset=16 (local.get 0)))
    (func (export "count") (param i32) (result i32) (local $n i32)
      (loop $again
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $n) (local.get 0))))
      (local.get $n))
    (func (export "mask") (param i32) (result i32)
      (i32.and (i32.load (i32.const 64)) (i32.sub (i32.const 0) (local.get 0)))))`;

  it("sees a secret branch, select, address, length and loop count", () => {
    const source = binaryen.parseText(leaky);
    const control = traced(instrumented(source.emitBinary()));
    source.dispose();
    const leaks = (name: string, a: number, b: number) => {
      const [first, second] = [control.trace(name, a), control.trace(name, b)];
      expect(control.trace(name, a)).toEqual(first);
      expect(second.accessed).not.toBe(first.accessed);
      return second.executed !== first.executed;
    };
    expect(leaks("branch", 0, 1)).toBe(true);
    expect(leaks("choice", 0, 1)).toBe(true);
    expect(leaks("length", 3, 5)).toBe(true);
    expect(leaks("count", 1, 5)).toBe(true);
    expect(leaks("table", 1, 5)).toBe(false);
    const [masked, other] = [control.trace("mask", 0), control.trace("mask", 1)];
    expect(other.accessed).toBe(masked.accessed);
  });

  it("sees the branches of the core's verification, which is public and may take them", () => {
    const pub = p256.getPublicKey(new Uint8Array(32).fill(1), false);
    const sig = p256.sign(hash("public"), new Uint8Array(32).fill(1), { lowS: false });
    const verify = (signature: Uint8Array) => {
      io.reset();
      const args = [io.put(hash("public")), io.put(signature), io.put(pub)];
      return core.trace("ecdsa_verify", ...args);
    };
    const right = verify(sig.toCompactRawBytes());
    const wrong = verify(new Uint8Array(64).fill(1));
    expect([right.status, wrong.status]).toEqual([0, BAD_SIGNATURE]);
    expect(wrong.executed).not.toBe(right.executed);
  });
});
