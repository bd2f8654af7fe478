// SPDX-License-Identifier: BSD-3-Clause
// The operations of `npm run bench:device`: the core's under the chip's interpreter, and the same by mbedTLS on it.
import {
  createECDH,
  createHash,
  generateKeyPairSync,
  type KeyPairKeyObjectResult,
  randomBytes,
} from "node:crypto";
import { ChipTrap, type SerialEngine } from "../../device/probe/serialEngine.ts";

/** Numbers of device/probe/native.h. */
const NATIVE = {
  p256Sign: 1,
  p256Verify: 2,
  p256Ecdh: 3,
  sha256Block: 4,
  aes256Block: 5,
  rsa2048Private: 6,
  rsa2048Public: 7,
} as const;

export type DeviceCaseName = keyof typeof NATIVE;

/** What an operation costs on the chip's counter. */
export interface DeviceCase {
  readonly name: DeviceCaseName;
  /** Whether a board may offer it as an accelerator. */
  readonly accelerator: boolean;
  /** Under the interpreter, its code already compiled. */
  core(engine: SerialEngine): number;
  /** By mbedTLS on the same chip. */
  native(engine: SerialEngine): number;
}

/** The inputs one after the other in the core's I/O area, each at a multiple of 16; their addresses. */
function place(engine: SerialEngine, ...inputs: readonly Uint8Array[]): number[] {
  let at = engine.call("io_ptr");
  return inputs.map((input) => {
    const address = at;
    engine.write(address, input);
    at += (input.length + 15) & ~15;
    return address;
  });
}

/** The second of two calls, which both have to return what they should: the first one compiles. */
function warm(engine: SerialEngine, expected: number, name: string, ...args: number[]): number {
  for (let i = 0; i < 2; i++) {
    const result = engine.call(name, ...args);
    if (result !== expected) throw new ChipTrap(`${name} returned ${result}, not ${expected}`);
  }
  return engine.count;
}

/** A key pair: the scalar with its leading zeros, which OpenSSL drops, and the point. */
function p256Pair(): { scalar: Uint8Array; point: Uint8Array } {
  const pair = createECDH("prime256v1");
  const point = pair.generateKeys();
  const key = pair.getPrivateKey();
  return { scalar: Buffer.concat([Buffer.alloc(32 - key.length), key]), point };
}

const own = p256Pair();
const peer = p256Pair();
const hash = createHash("sha256").update("a reading").digest();
const BLOCKS = 16;

/** A signature by the core itself: so verifying checks signing. */
function signature(engine: SerialEngine): Uint8Array {
  const [out = 0, h = 0, key = 0] = place(engine, Buffer.alloc(64), hash, own.scalar);
  warm(engine, 0, "ecdsa_sign", out, h, key);
  return engine.read(out, 64);
}

const rsa: KeyPairKeyObjectResult = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pkcs8 = rsa.privateKey.export({ type: "pkcs8", format: "der" });
const message = Buffer.concat([Buffer.of(0), randomBytes(255)]);

/** The private key in the core's own layout, with the message before and room for the result after it. */
function rsaInput(engine: SerialEngine): { message: number; key: number; out: number } {
  const [x = 0, key = 0, out = 0, der = 0] = place(
    engine,
    message,
    Buffer.alloc(1156),
    Buffer.alloc(256),
    pkcs8,
  );
  const status = engine.call("der_read_pkcs8", key, der, pkcs8.length);
  if (status !== 0) throw new ChipTrap(`der_read_pkcs8 returned ${status}`);
  return { message: x, key, out };
}

/** What one block costs among `BLOCKS` of them: the difference to a message that lacks them. */
function perBlock(cost: (blocks: number) => number): number {
  const few = cost(1);
  return Math.round((cost(1 + BLOCKS) - few) / BLOCKS);
}

export const deviceCases: readonly DeviceCase[] = [
  {
    name: "p256Sign",
    accelerator: false,
    core(engine) {
      const [out = 0, h = 0, key = 0] = place(engine, Buffer.alloc(64), hash, own.scalar);
      return warm(engine, 0, "ecdsa_sign", out, h, key);
    },
    native: (engine) => engine.native(NATIVE.p256Sign, Buffer.concat([own.scalar, hash])),
  },
  {
    name: "p256Verify",
    accelerator: false,
    core(engine) {
      const signed = signature(engine);
      const [h = 0, s = 0, key = 0] = place(engine, hash, signed, own.point);
      return warm(engine, 0, "ecdsa_verify", h, s, key);
    },
    native: (engine) =>
      engine.native(NATIVE.p256Verify, Buffer.concat([own.point, hash, signature(engine)])),
  },
  {
    name: "p256Ecdh",
    accelerator: false,
    core(engine) {
      const [out = 0, key = 0, point = 0] = place(engine, Buffer.alloc(32), own.scalar, peer.point);
      return warm(engine, 0, "ecdh", out, key, point);
    },
    native: (engine) => engine.native(NATIVE.p256Ecdh, Buffer.concat([own.scalar, peer.point])),
  },
  {
    name: "sha256Block",
    accelerator: true,
    core(engine) {
      const [x = 0, out = 0] = place(engine, randomBytes(64 * (BLOCKS + 1)), Buffer.alloc(32));
      return perBlock((blocks) => warm(engine, 0, "sha256_hash", out, x, 64 * blocks));
    },
    native: (engine) => engine.native(NATIVE.sha256Block, randomBytes(64)),
  },
  {
    name: "aes256Block",
    accelerator: true,
    core(engine) {
      const [x = 0, key = 0, iv = 0] = place(
        engine,
        randomBytes(16 * (BLOCKS + 1)),
        randomBytes(32),
        Buffer.alloc(16),
      );
      return perBlock((blocks) => warm(engine, 0, "aes_ctr_crypt", x, x, 16 * blocks, key, iv));
    },
    native: (engine) => engine.native(NATIVE.aes256Block, randomBytes(48)),
  },
  {
    name: "rsa2048Private",
    accelerator: true,
    core(engine) {
      const at = rsaInput(engine);
      return warm(engine, 0, "rsa_private", at.out, at.message, at.key);
    },
    native(engine) {
      const { key } = rsaInput(engine);
      const input = Buffer.concat([message, engine.read(key, 1156)]);
      return engine.native(NATIVE.rsa2048Private, input);
    },
  },
  {
    name: "rsa2048Public",
    accelerator: true,
    core(engine) {
      const at = rsaInput(engine);
      return warm(engine, 0, "rsa_public", at.out, at.message, at.key);
    },
    native(engine) {
      const { key } = rsaInput(engine);
      const input = Buffer.concat([message, engine.read(key, 260)]);
      return engine.native(NATIVE.rsa2048Public, input);
    },
  },
];
