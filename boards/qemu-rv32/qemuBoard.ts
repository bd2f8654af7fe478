// SPDX-License-Identifier: BSD-3-Clause
// The device's firmware in QEMU, and the other end of its UART: links are sockets of this machine, the flash is a file.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeFileSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";

/** Kinds of boards/qemu-rv32/firmware/frames.h. */
const TO_HOST = {
  log: 0x4c,
  open: 0x4f,
  send: 0x53,
  taken: 0x4b,
  close: 0x43,
  erase: 0x45,
  program: 0x50,
  noise: 0x4e,
  reboot: 0x52,
} as const;
const TO_CHIP = {
  opened: 0x6f,
  failed: 0x66,
  data: 0x64,
  closed: 0x63,
  done: 0x61,
  random: 0x6e,
} as const;

const HEAD = 3;
const WINDOW = 4096;
const SECTOR = 4096;
/** Addresses of boards/qemu-rv32/virt.ld. */
const STORE_ADDRESS = 0x8048_0000;
const CAUSE_ADDRESS = 0x804a_0000;
const LETTERS = ["E", "W", "I", "D"] as const;

export interface QemuBoardOptions {
  readonly elf: string;
  /** The file that is the store's flash; its size is the board's. */
  readonly flash: string;
  /** A line of the log, its level's letter first. */
  readonly onLine: (line: string) => void;
}

/** One connection of the device; what is not taken yet waits here. */
class Link {
  readonly number: number;
  readonly socket: Socket;
  readonly #frame: (kind: number, payload: Uint8Array) => void;
  #waiting: Buffer = Buffer.alloc(0);
  #room = WINDOW;
  #ended = false;
  #open = false;

  constructor(number: number, socket: Socket, frame: (kind: number, payload: Uint8Array) => void) {
    this.number = number;
    this.socket = socket;
    this.#frame = frame;
    socket.setNoDelay(true);
    socket.once("connect", () => {
      this.#open = true;
      this.#tell(TO_CHIP.opened);
    });
    socket.on("data", (bytes: Buffer) => {
      this.#waiting = Buffer.concat([this.#waiting, bytes]);
      this.#pass();
    });
    // A failed connection closes as well, which is what the device gets to know.
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#ended = true;
      this.#pass();
    });
  }

  taken(count: number): void {
    this.#room += count;
    this.#pass();
  }

  #tell(kind: number, bytes: Uint8Array = new Uint8Array()): void {
    this.#frame(kind, Buffer.concat([Buffer.of(this.number), bytes]));
  }

  #pass(): void {
    const some = this.#waiting.subarray(0, this.#room);
    this.#waiting = this.#waiting.subarray(some.length);
    this.#room -= some.length;
    if (some.length > 0) this.#tell(TO_CHIP.data, some);
    if (!this.#ended || this.#waiting.length > 0) return;
    this.#tell(this.#open ? TO_CHIP.closed : TO_CHIP.failed);
  }
}

/** The machine with power; ends when it is closed. A reboot of the device starts QEMU anew with the flash as it is. */
export class QemuBoard {
  readonly #options: QemuBoardOptions;
  #qemu: ChildProcess;
  #bytes = Buffer.alloc(0);
  #link: Link | null = null;
  #cause = 0;
  #closed = false;

  constructor(options: QemuBoardOptions) {
    this.#options = options;
    this.#qemu = this.#start();
  }

  /** Power is gone. */
  close(): void {
    this.#closed = true;
    this.#link?.socket.destroy();
    this.#qemu.kill("SIGKILL");
  }

  #start(): ChildProcess {
    const cause = join(dirname(this.#options.flash), "cause.bin");
    writeFileSync(cause, Buffer.of(this.#cause, 0, 0, 0));
    const loader = (file: string, address: number) => [
      "-device",
      `loader,file=${file},addr=${address},force-raw=on`,
    ];
    const machine = ["-M", "virt", "-bios", "none", "-m", "8M", "-display", "none"];
    const devices = ["-monitor", "none", "-serial", "stdio"];
    const qemu = spawn(
      "setpriv",
      [
        ...["--pdeathsig", "KILL", "qemu-system-riscv32"],
        ...[...machine, ...devices, "-kernel", this.#options.elf],
        ...loader(this.#options.flash, STORE_ADDRESS),
        ...loader(cause, CAUSE_ADDRESS),
      ],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    qemu.stdin?.on("error", () => {});
    qemu.stdout?.on("data", (bytes: Buffer) => this.#received(bytes));
    qemu.once("error", (error) => this.#options.onLine(`E qemu: ${error.message}`));
    qemu.once("exit", (code) => this.#exited(code));
    return qemu;
  }

  #exited(code: number | null): void {
    this.#link?.socket.destroy();
    this.#link = null;
    this.#bytes = Buffer.alloc(0);
    if (this.#closed) return;
    if (code === 0) this.#qemu = this.#start();
    else this.#options.onLine(`E the machine ended with ${code}`);
  }

  #frame(kind: number, payload: Uint8Array): void {
    const head = Buffer.alloc(HEAD);
    head.writeUInt8(kind);
    head.writeUInt16LE(payload.length, 1);
    this.#qemu.stdin?.write(Buffer.concat([head, payload]));
  }

  #received(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    while (this.#bytes.length >= HEAD) {
      const end = HEAD + this.#bytes.readUInt16LE(1);
      if (this.#bytes.length < end) return;
      const [kind, payload] = [this.#bytes.readUInt8(0), this.#bytes.subarray(HEAD, end)];
      this.#bytes = this.#bytes.subarray(end);
      this.#take(kind, payload);
    }
  }

  #take(kind: number, payload: Buffer): void {
    switch (kind) {
      case TO_HOST.log:
        this.#options.onLine(`${LETTERS[payload.readUInt8(0)] ?? "D"} ${payload.subarray(1)}`);
        break;
      case TO_HOST.open:
        this.#open(payload);
        break;
      case TO_HOST.send:
        this.#link?.socket.write(payload);
        break;
      case TO_HOST.taken:
        this.#link?.taken(payload.readUInt16LE(0));
        break;
      case TO_HOST.close:
        this.#link?.socket.destroy();
        this.#link = null;
        break;
      case TO_HOST.erase:
        this.#keep(payload.readUInt32LE(0) * SECTOR, Buffer.alloc(SECTOR, 0xff));
        break;
      case TO_HOST.program:
        this.#keep(payload.readUInt32LE(0), payload.subarray(4));
        break;
      case TO_HOST.noise:
        this.#frame(TO_CHIP.random, randomBytes(payload.readUInt16LE(0)));
        break;
      case TO_HOST.reboot:
        this.#cause = payload.readUInt8(0);
        break;
      default:
        this.#options.onLine(`E a frame of kind ${kind} from the device`);
    }
  }

  #open(payload: Buffer): void {
    this.#link?.socket.destroy();
    const socket = connect(payload.readUInt16LE(1), payload.subarray(3).toString("utf8"));
    const link = new Link(payload.readUInt8(0), socket, (kind, bytes) => {
      if (this.#link === link) this.#frame(kind, bytes);
    });
    this.#link = link;
  }

  #keep(offset: number, bytes: Uint8Array): void {
    const file = openSync(this.#options.flash, "r+");
    writeSync(file, bytes, 0, bytes.length, offset);
    fsyncSync(file);
    closeSync(file);
    this.#frame(TO_CHIP.done, new Uint8Array());
  }
}
