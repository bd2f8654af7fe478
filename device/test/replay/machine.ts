// SPDX-License-Identifier: BSD-3-Clause
// The machines for which replay.c is compiled: this one, as a 64- or 32-bit program, and RV32 in QEMU.

import { spawnSync } from "node:child_process";

export interface Machine {
  readonly name: string;
  readonly cc: string;
  /** For the compiler everywhere, and when it links, too. */
  readonly flags: readonly string[];
  readonly linkFlags: readonly string[];
  /** The command that runs a program with arguments. */
  command(program: string, args: readonly string[]): readonly string[];
}

const HERE = {
  cc: process.env.CC ?? "cc",
  linkFlags: [],
  command: (program: string, args: readonly string[]) => [program, ...args],
};

/** True when the C compiler makes 32-bit programs (Debian: gcc-multilib). */
export function makes32Bit(): boolean {
  const input = "#include <stdio.h>\nint main(void) { return 0; }\n";
  const args = ["-m32", "-x", "c", "-o", "/dev/null", "-"];
  return spawnSync(HERE.cc, args, { input, stdio: "pipe" }).status === 0;
}

/** This machine, with 32 bits where the compiler can. */
export const native = (): Machine =>
  makes32Bit()
    ? { ...HERE, name: "32-bit program", flags: ["-m32"] }
    : { ...HERE, name: "64-bit program", flags: [] };

const MEMORY = { flash: 0x8000_0000, flash_size: 0x20_0000, ram: 0x8020_0000, ram_size: 0x60_0000 };
const QEMU = ["-M", "virt", "-bios", "none", "-m", "8M", "-display", "none", "-monitor", "none"];
const OUTPUT = ["-serial", "none", "-chardev", "stdio,id=out,signal=off"];

/** RV32IMC as on the ESP32-C3; files and output go through QEMU's semihosting. */
export const RV32: Machine = {
  name: "RV32 program",
  cc: "riscv64-unknown-elf-gcc",
  flags: ["-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2", "-specs=picolibc.specs"],
  linkFlags: [
    ...["--oslib=semihost", "--crt0=semihost"],
    ...Object.entries(MEMORY).map(([name, value]) => `-Wl,--defsym=__${name}=${value}`),
  ],
  command: (program, args) => [
    ...["qemu-system-riscv32", ...QEMU, ...OUTPUT, "-kernel", program],
    ...["-semihosting-config", ["enable=on,chardev=out", ...args].join(",arg=")],
  ],
};

const runs = (program: string) =>
  spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;

/** True when its compiler and QEMU are there (Debian: gcc- and picolibc-riscv64-unknown-elf, qemu-system-misc). */
export const hasRv32 = (): boolean => runs(RV32.cc) && runs("qemu-system-riscv32");
