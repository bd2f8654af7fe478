// SPDX-License-Identifier: BSD-3-Clause
// A chip in QEMU, its UART as a pair of named pipes that are used synchronously.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SerialLine } from "../../device/probe/serialEngine.ts";

const QEMU = "qemu-system-riscv32";
const pause = new Int32Array(new SharedArrayBuffer(4));

function makePipes(folder: string): void {
  const made = spawnSync("mkfifo", [join(folder, "uart.in"), join(folder, "uart.out")]);
  if (made.status !== 0) throw new Error(`mkfifo failed: ${made.stderr ?? made.error}`);
}

/** Whether the process has ended; its exit is only reported after this thread is idle again. */
function hasEnded(pid: number): boolean {
  try {
    return / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return true;
    throw error;
  }
}

/**
 * Opens the pipe for reading that blocks, as soon as QEMU has opened its end; opened before, it would wait for ever
 * for a QEMU that failed to start. An empty read says that nobody has the other end, EAGAIN that somebody has.
 */
function openWhenWritten(path: string, pid: number | undefined): number {
  const probe = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    while (isUnwritten(probe)) {
      if (pid === undefined || hasEnded(pid)) {
        throw new Error(`${QEMU} did not start; is Debian's qemu-system-misc installed?`);
      }
      Atomics.wait(pause, 0, 0, 1);
    }
    return openSync(path, constants.O_RDONLY);
  } finally {
    closeSync(probe);
  }
}

function isUnwritten(probe: number): boolean {
  try {
    return readSync(probe, Buffer.alloc(1)) === 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return false;
    throw error;
  }
}

export class QemuLine implements SerialLine {
  readonly #folder: string;
  readonly #qemu: ChildProcess;
  readonly #toChip: number;
  readonly #fromChip: number | undefined;
  readonly #room = Buffer.alloc(4096);
  #text = Buffer.alloc(0);

  /** Starts `elf` on QEMU's `virt` machine, instructions counted one by one. */
  constructor(elf: string) {
    this.#folder = mkdtempSync(join(tmpdir(), "atmicro-qemu-"));
    makePipes(this.#folder);
    const path = join(this.#folder, "uart");
    this.#toChip = openSync(`${path}.in`, constants.O_RDWR);
    const machine = ["-M", "virt", "-icount", "shift=0", "-bios", "none", "-m", "8M"];
    const devices = ["-display", "none", "-monitor", "none", "-serial", `pipe:${path}`];
    // A test that ends without closing takes its machine along.
    const dying = ["--pdeathsig", "KILL", QEMU];
    this.#qemu = spawn("setpriv", [...dying, ...machine, ...devices, "-kernel", elf], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#qemu.on("error", () => {});
    try {
      this.#fromChip = openWhenWritten(`${path}.out`, this.#qemu.pid);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#toChip, bytes, at);
  }

  read(count: number): Uint8Array {
    while (this.#text.length < count) {
      const more = this.#room.subarray(0, readSync(this.#fromChip ?? -1, this.#room));
      if (more.length === 0) throw new Error(`the chip stopped: ${this.#text.toString()}`);
      this.#text = Buffer.concat([this.#text, more]);
    }
    const bytes = this.#text.subarray(0, count);
    this.#text = this.#text.subarray(count);
    return bytes;
  }

  close(): void {
    this.#qemu.kill("SIGKILL");
    closeSync(this.#toChip);
    if (this.#fromChip !== undefined) closeSync(this.#fromChip);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
