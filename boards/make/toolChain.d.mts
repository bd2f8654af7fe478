// SPDX-License-Identifier: BSD-3-Clause
export function toolChain(name: "native" | "arm" | "riscv"): {
  readonly cc: string;
  readonly objcopy: string;
  readonly nm: string;
  readonly size: string;
};
