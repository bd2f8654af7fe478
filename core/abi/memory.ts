// SPDX-License-Identifier: BSD-3-Clause
import { IO, IO_LEN, SCRATCH, SCRATCH_LEN } from "../memory";

/** Start of the I/O area: arguments and results of the crypto and codec exports while no session runs. */
export function io_ptr(): usize {
  return IO;
}

/** Size of the I/O area in bytes. */
export function io_len(): u32 {
  return IO_LEN;
}

/** Start of the scratch region, all zero between exported calls. */
export function scratch_ptr(): usize {
  return SCRATCH;
}

/** Size of the scratch region in bytes. */
export function scratch_len(): u32 {
  return SCRATCH_LEN;
}

/** Bytes of linear memory the core uses, from address 0: what a board has to provide. */
export function memory_used(): usize {
  return __heap_base;
}
