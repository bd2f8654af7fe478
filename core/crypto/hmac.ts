// SPDX-License-Identifier: BSD-3-Clause
// HMAC-SHA-256 (RFC 2104, FIPS 198-1). A context is the inner hash followed by the outer hash's state after its key
// block, so the key itself is kept nowhere.
import { bytesWipe } from "../bytes";
import { SCRATCH_HASH } from "../memory";
import {
  SHA256_BLOCK,
  SHA256_CTX,
  SHA256_OUT,
  sha256,
  sha256Final,
  sha256Init,
  sha256Resume,
  sha256Update,
} from "./sha256";

/** Bytes of a context. */
export const HMAC_CTX: u32 = 136;

/** Starts a MAC under `key` (any length, secret; above 64 bytes its hash is used). */
export function hmacInit(ctx: usize, key: usize, keyLen: u32): void {
  // The context's own block buffer is free until the first update: the padded key is made there.
  const block = ctx + SHA256_BLOCK;
  bytesWipe(block, 64);
  if (keyLen > 64) sha256(block, key, keyLen);
  else memory.copy(block, key, keyLen);
  keyBlock(SCRATCH_HASH, block, 0x5c5c5c5c);
  memory.copy(ctx + SHA256_CTX, SCRATCH_HASH, SHA256_OUT);
  bytesWipe(SCRATCH_HASH, SHA256_CTX);
  keyBlock(ctx, block, 0x5c5c5c5c ^ 0x36363636);
}

function keyBlock(ctx: usize, block: usize, pad: u32): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(block + i, load<u32>(block + i) ^ pad);
  sha256Init(ctx);
  sha256Update(ctx, block, 64);
}

/** Adds `xLen` bytes of message. */
export function hmacUpdate(ctx: usize, x: usize, xLen: u32): void {
  sha256Update(ctx, x, xLen);
}

/** Writes the 32-byte MAC and wipes the context. */
export function hmacFinal(out: usize, ctx: usize): void {
  sha256Final(out, ctx);
  sha256Resume(ctx, ctx + SHA256_CTX, 64);
  sha256Update(ctx, out, SHA256_OUT);
  sha256Final(out, ctx);
  bytesWipe(ctx, HMAC_CTX);
}
