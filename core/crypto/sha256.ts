// SPDX-License-Identifier: BSD-3-Clause
// SHA-256 (FIPS 180-4 §6.2). Rounds are unrolled eight times with the roles of a..h renamed, which saves an interpreter
// the seven moves a round; eight and not sixteen, because a board keeps several bytes of RAM per byte of warm code.
//
// Context: state[8] as words in memory order, length in bytes as u64, block[64].
import { bytesStore32, bytesStore64, bytesWipe } from "../bytes";
import { SCRATCH_BLOCK, SCRATCH_HASH } from "../memory";
import { ACCEL_SHA256, acceleratorHas, acceleratorSha256 } from "./accelerator";

/** Bytes of a digest, and of the state at the head of a context. */
export const SHA256_OUT: u32 = 32;
/** Offset of the block buffer in a context. */
export const SHA256_BLOCK: u32 = 40;
/** Bytes of a context. */
export const SHA256_CTX: u32 = 104;

const LENGTH: usize = 32;

// The fractional parts of the square roots of the first 8 primes, of the cube roots of the first 64.
const INITIAL: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const ROUND: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** Starts a hash. */
export function sha256Init(ctx: usize): void {
  sha256Resume(ctx, INITIAL, 0);
}

/** Goes on from the 32 bytes of a saved state after `length` bytes, a multiple of 64. */
export function sha256Resume(ctx: usize, state: usize, length: u32): void {
  memory.copy(ctx, state, SHA256_OUT);
  store<u64>(ctx + LENGTH, length);
}

/** Adds `xLen` bytes; any split of the message gives the same digest. */
export function sha256Update(ctx: usize, x: usize, xLen: u32): void {
  const held = load<u32>(ctx + LENGTH) & 63;
  store<u64>(ctx + LENGTH, load<u64>(ctx + LENGTH) + xLen);
  if (held) {
    const room = min<u32>(64 - held, xLen);
    memory.copy(ctx + SHA256_BLOCK + held, x, room);
    if (held + room < 64) return;
    compress(ctx, ctx + SHA256_BLOCK, 1);
    x += room;
    xLen -= room;
  }
  const blocks = xLen >>> 6;
  if (blocks) compress(ctx, x, blocks);
  memory.copy(ctx + SHA256_BLOCK, x + (blocks << 6), xLen & 63);
}

/** Writes the 32-byte digest and wipes the context. */
export function sha256Final(out: usize, ctx: usize): void {
  const length = load<u64>(ctx + LENGTH);
  const held = (length as u32) & 63;
  const block = ctx + SHA256_BLOCK;
  store<u8>(block + held, 0x80);
  bytesWipe(block + held + 1, 63 - held);
  if (held > 55) {
    compress(ctx, block, 1);
    bytesWipe(block, 56);
  }
  bytesStore64(block + 56, length << 3);
  compress(ctx, block, 1);
  for (let i: usize = 0; i < SHA256_OUT; i += 4) bytesStore32(out + i, load<u32>(ctx + i));
  bytesWipe(ctx, SHA256_CTX);
}

/** The 32-byte digest of `xLen` bytes; out may equal x. Uses SCRATCH_HASH. */
export function sha256(out: usize, x: usize, xLen: u32): void {
  sha256Init(SCRATCH_HASH);
  sha256Update(SCRATCH_HASH, x, xLen);
  sha256Final(out, SCRATCH_HASH);
}

function compress(state: usize, blocks: usize, count: u32): void {
  if (acceleratorHas(ACCEL_SHA256)) {
    acceleratorSha256(state, blocks, count);
    return;
  }
  for (; count; count--) {
    expand(blocks);
    rounds(state);
    blocks += 64;
  }
  bytesWipe(SCRATCH_BLOCK, 256);
}

/** The message schedule W of one block, 64 words at SCRATCH_BLOCK (§6.2.2 step 1). */
function expand(block: usize): void {
  let w: usize = SCRATCH_BLOCK;
  for (let i: usize = 0; i < 64; i += 16) {
    store<u32>(w + i, bswap(load<u32>(block + i)));
    store<u32>(w + i, bswap(load<u32>(block + i, 4)), 4);
    store<u32>(w + i, bswap(load<u32>(block + i, 8)), 8);
    store<u32>(w + i, bswap(load<u32>(block + i, 12)), 12);
  }
  // Four words a pass: the two newest are carried in locals, each old word is loaded once for both its uses.
  let y = load<u32>(w, 56);
  let z = load<u32>(w, 60);
  for (const end = w + 192; w < end; w += 16) {
    const w1 = load<u32>(w, 4);
    const w2 = load<u32>(w, 8);
    const w3 = load<u32>(w, 12);
    const w4 = load<u32>(w, 16);
    y =
      (rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10)) +
      load<u32>(w, 36) +
      (rotr(w1, 7) ^ rotr(w1, 18) ^ (w1 >>> 3)) +
      load<u32>(w);
    store<u32>(w, y, 64);
    z =
      (rotr(z, 17) ^ rotr(z, 19) ^ (z >>> 10)) +
      load<u32>(w, 40) +
      (rotr(w2, 7) ^ rotr(w2, 18) ^ (w2 >>> 3)) +
      w1;
    store<u32>(w, z, 68);
    y =
      (rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10)) +
      load<u32>(w, 44) +
      (rotr(w3, 7) ^ rotr(w3, 18) ^ (w3 >>> 3)) +
      w2;
    store<u32>(w, y, 72);
    z =
      (rotr(z, 17) ^ rotr(z, 19) ^ (z >>> 10)) +
      load<u32>(w, 48) +
      (rotr(w4, 7) ^ rotr(w4, 18) ^ (w4 >>> 3)) +
      w3;
    store<u32>(w, z, 76);
  }
}

/** The 64 rounds over the schedule at SCRATCH_BLOCK (§6.2.2 steps 2 to 4). */
function rounds(state: usize): void {
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  let k: usize = ROUND;
  for (let w: usize = SCRATCH_BLOCK; w < SCRATCH_BLOCK + 256; w += 32, k += 32) {
    h += load<u32>(k, 0) + load<u32>(w, 0) + (g ^ (e & (f ^ g)));
    h += rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    d += h;
    h += ((a & b) | (c & (a | b))) + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22));
    g += load<u32>(k, 4) + load<u32>(w, 4) + (f ^ (d & (e ^ f)));
    g += rotr(d, 6) ^ rotr(d, 11) ^ rotr(d, 25);
    c += g;
    g += ((h & a) | (b & (h | a))) + (rotr(h, 2) ^ rotr(h, 13) ^ rotr(h, 22));
    f += load<u32>(k, 8) + load<u32>(w, 8) + (e ^ (c & (d ^ e)));
    f += rotr(c, 6) ^ rotr(c, 11) ^ rotr(c, 25);
    b += f;
    f += ((g & h) | (a & (g | h))) + (rotr(g, 2) ^ rotr(g, 13) ^ rotr(g, 22));
    e += load<u32>(k, 12) + load<u32>(w, 12) + (d ^ (b & (c ^ d)));
    e += rotr(b, 6) ^ rotr(b, 11) ^ rotr(b, 25);
    a += e;
    e += ((f & g) | (h & (f | g))) + (rotr(f, 2) ^ rotr(f, 13) ^ rotr(f, 22));
    d += load<u32>(k, 16) + load<u32>(w, 16) + (c ^ (a & (b ^ c)));
    d += rotr(a, 6) ^ rotr(a, 11) ^ rotr(a, 25);
    h += d;
    d += ((e & f) | (g & (e | f))) + (rotr(e, 2) ^ rotr(e, 13) ^ rotr(e, 22));
    c += load<u32>(k, 20) + load<u32>(w, 20) + (b ^ (h & (a ^ b)));
    c += rotr(h, 6) ^ rotr(h, 11) ^ rotr(h, 25);
    g += c;
    c += ((d & e) | (f & (d | e))) + (rotr(d, 2) ^ rotr(d, 13) ^ rotr(d, 22));
    b += load<u32>(k, 24) + load<u32>(w, 24) + (a ^ (g & (h ^ a)));
    b += rotr(g, 6) ^ rotr(g, 11) ^ rotr(g, 25);
    f += b;
    b += ((c & d) | (e & (c | d))) + (rotr(c, 2) ^ rotr(c, 13) ^ rotr(c, 22));
    a += load<u32>(k, 28) + load<u32>(w, 28) + (h ^ (f & (g ^ h)));
    a += rotr(f, 6) ^ rotr(f, 11) ^ rotr(f, 25);
    e += a;
    a += ((b & c) | (d & (b | c))) + (rotr(b, 2) ^ rotr(b, 13) ^ rotr(b, 22));
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}
