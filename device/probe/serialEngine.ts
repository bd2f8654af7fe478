// SPDX-License-Identifier: BSD-3-Clause
// The host's end of the probe (device/probe/probe.c): core.wasm on a chip, called over a serial line.

/** A serial line to a chip, used synchronously: an emulator in this process, or a file that blocks. */
export interface SerialLine {
  write(bytes: Uint8Array): void;
  /** Exactly `count` bytes; throws when the chip stopped before it sent them. */
  read(count: number): Uint8Array;
  close(): void;
}

/** The functions of `hal`; an accelerator that is left out runs on the chip. */
export interface SerialHal {
  now_ms(): bigint;
  entropy(out: number, len: number): number;
  store_read(id: number, out: number, cap: number): number;
  store_write(id: number, x: number, len: number): number;
  log(level: number, text: number, len: number): void;
  accelerators(): number;
  accel_mod_exp?(out: number, x: number, e: number, eLen: number, n: number, nLen: number): number;
  accel_aes256?(out: number, x: number, count: number, key: number): void;
  accel_sha256?(state: number, blocks: number, count: number): void;
}

/** What the interpreter holds on the chip, as device/interpreter.h explains it, and the chip's stack. */
const USAGE = [
  "linear",
  "code",
  "codeMost",
  "functions",
  "stack",
  "stackMost",
  "module",
  "heapUsed",
  "heapMost",
  "compiled",
  "evicted",
  "nativeStack",
] as const;

export type ChipUsage = Readonly<Record<(typeof USAGE)[number], number>>;

const REQUEST = {
  open: 1,
  call: 2,
  read: 3,
  write: 4,
  usage: 5,
  drop: 6,
  answer: 7,
  fill: 8,
  native: 9,
} as const;
const REPLY = { done: 1, trap: 2, ask: 3 };
/** In the order of the probe. */
const HAL = [
  "now_ms",
  "entropy",
  "store_read",
  "store_write",
  "log",
  "accelerators",
  "accel_mod_exp",
  "accel_aes256",
  "accel_sha256",
] as const;

/** The core trapped, or the probe refused a request; the message is its text. */
export class ChipTrap extends Error {
  override readonly name = "ChipTrap";
}

export class SerialEngine {
  readonly name: string;
  readonly #line: SerialLine;
  readonly #hal: SerialHal;
  #count = 0;
  #closed = false;

  /** Opens core.wasm on the chip. `hal` is built from the engine, to reach its memory. */
  constructor(name: string, line: SerialLine, hal: (engine: SerialEngine) => SerialHal) {
    this.name = name;
    this.#line = line;
    this.#hal = hal(this);
    this.#request(REQUEST.open);
  }

  /** What the last call cost: clock cycles, or instructions where the board counts those. */
  get count(): number {
    return this.#count;
  }

  /** Calls an export; an i32 or i64 result as a number. Throws ChipTrap. */
  call(name: string, ...args: (number | bigint)[]): number {
    const text = Buffer.from(`${name}\0`, "latin1");
    const payload = Buffer.alloc(text.length + 8 * args.length);
    text.copy(payload);
    for (const [i, arg] of args.entries()) {
      payload.writeBigUInt64LE(BigInt.asUintN(64, BigInt(arg)), text.length + 8 * i);
    }
    const reply = this.#request(REQUEST.call, payload);
    this.#count = Number(reply.readBigUInt64LE(8));
    return Number(reply.readBigInt64LE(0));
  }

  /** Copies `len` bytes of linear memory from `ptr`. */
  read(ptr: number, len: number): Uint8Array {
    return Uint8Array.from(this.#request(REQUEST.read, words(ptr, len)));
  }

  /** Copies bytes into linear memory at `ptr`. */
  write(ptr: number, bytes: Uint8Array): void {
    const [first] = bytes;
    // Serial lines are slow and tests clear kilobytes.
    if (first !== undefined && bytes.every((byte) => byte === first)) {
      this.#request(REQUEST.fill, Buffer.concat([words(ptr, bytes.length), Buffer.of(first)]));
    } else this.#request(REQUEST.write, Buffer.concat([words(ptr), bytes]));
  }

  /** nativeStack: what was used since the last usage(), 0 when the board can't say. */
  usage(): ChipUsage {
    const reply = this.#request(REQUEST.usage);
    const at = (name: keyof ChipUsage): number => reply.readUInt32LE(4 * USAGE.indexOf(name));
    return {
      linear: at("linear"),
      code: at("code"),
      codeMost: at("codeMost"),
      functions: at("functions"),
      stack: at("stack"),
      stackMost: at("stackMost"),
      module: at("module"),
      heapUsed: at("heapUsed"),
      heapMost: at("heapMost"),
      compiled: at("compiled"),
      evicted: at("evicted"),
      nativeStack: at("nativeStack"),
    };
  }

  /** Forgets the interpreter's compiled code. */
  dropCode(): void {
    this.#request(REQUEST.drop);
  }

  /** Runs a native anchor (device/probe/native.h) and gives what the board's counter went on by. */
  native(operation: number, input: Uint8Array): number {
    const reply = this.#request(REQUEST.native, Buffer.concat([Buffer.of(operation), input]));
    const count = Number(reply.readBigInt64LE(0));
    if (count < 0) throw new ChipTrap(`native operation ${operation} failed with ${count}`);
    return count;
  }

  close(): void {
    if (!this.#closed) this.#line.close();
    this.#closed = true;
  }

  #request(kind: number, payload: Uint8Array = new Uint8Array()): Buffer {
    if (this.#closed) throw new Error("the engine is closed");
    this.#send(kind, payload);
    for (;;) {
      const [reply, body] = this.#receive();
      if (reply === REPLY.done) return body;
      if (reply === REPLY.trap) throw new ChipTrap(body.toString("utf8"));
      if (reply !== REPLY.ask) throw new Error(`the chip sent a frame of kind ${reply}`);
      this.#answer(body);
    }
  }

  /** A function of `hal` that throws would leave the chip waiting, so its error closes the engine. */
  #answer(body: Buffer): void {
    const name = HAL[body.readUInt32LE(0)];
    if (!name) throw new Error(`the chip asked for function ${body.readUInt32LE(0)} of hal`);
    const args = [];
    for (let at = 4; at < body.length; at += 8) args.push(Number(body.readBigInt64LE(at)));
    try {
      const f: ((...args: number[]) => unknown) | undefined = this.#hal[name];
      const answer = Buffer.alloc(f ? 8 : 0);
      if (f) answer.writeBigInt64LE(BigInt(asInteger(f(...args))));
      this.#send(REQUEST.answer, answer);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #send(kind: number, payload: Uint8Array): void {
    const head = Buffer.alloc(5);
    head.writeUInt8(kind);
    head.writeUInt32LE(payload.length, 1);
    this.#line.write(Buffer.concat([head, payload]));
  }

  #receive(): [number, Buffer] {
    const head = Buffer.from(this.#line.read(5));
    const body = Buffer.from(this.#line.read(head.readUInt32LE(1)));
    return [head.readUInt8(0), body];
  }
}

/** What a function of `hal` gave; one without a result answers 0. */
function asInteger(result: unknown): number | bigint {
  return typeof result === "number" || typeof result === "bigint" ? result : 0;
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
  return bytes;
}
