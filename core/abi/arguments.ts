// SPDX-License-Identifier: BSD-3-Clause
import { IO, IO_LEN } from "../memory";

/** Whether `len` bytes at `p` lie in the I/O area: the crypto and codec exports touch nothing else for a caller. */
export function argumentIn(p: usize, len: u32): bool {
  return p >= IO && p - IO <= IO_LEN && len <= IO_LEN - ((p - IO) as u32);
}
