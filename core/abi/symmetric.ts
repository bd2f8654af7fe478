// SPDX-License-Identifier: BSD-3-Clause
// The symmetric primitives, one thin function each. Every range has to lie in the I/O area (else BadArgument); the
// primitives wipe their own scratch, contexts given by the caller are wiped by their final call.
import { acceleratorProbe } from "../crypto/accelerator";
import { AES_SCHEDULE, aesEncrypt, aesExpand } from "../crypto/aes";
import { aesCtrCrypt, pkcs7Pad, pkcs7Unpad } from "../crypto/aesCtr";
import { drbgGenerate, drbgReseed, drbgSeed } from "../crypto/drbg";
import { HMAC_CTX, hmacFinal, hmacInit, hmacUpdate } from "../crypto/hmac";
import {
  SHA256_CTX,
  SHA256_OUT,
  sha256,
  sha256Final,
  sha256Init,
  sha256Update,
} from "../crypto/sha256";
import {
  SHA512_CTX,
  SHA512_OUT,
  sha512,
  sha512Final,
  sha512Init,
  sha512Update,
} from "../crypto/sha512";
import { Status } from "../status";
import { argumentIn } from "./arguments";

/** Asks the board for its accelerators, as core_init does. */
export function accelerator_probe(): void {
  acceleratorProbe();
}

/** Bytes of a SHA-256 context. */
export function sha256_ctx_len(): u32 {
  return SHA256_CTX;
}

/** Starts a SHA-256. */
export function sha256_init(ctx: usize): i32 {
  if (!argumentIn(ctx, SHA256_CTX)) return Status.BadArgument;
  sha256Init(ctx);
  return Status.Done;
}

/** Adds `xLen` bytes of message. */
export function sha256_update(ctx: usize, x: usize, xLen: u32): i32 {
  if (!argumentIn(ctx, SHA256_CTX) || !argumentIn(x, xLen)) return Status.BadArgument;
  sha256Update(ctx, x, xLen);
  return Status.Done;
}

/** Writes 32 bytes and wipes the context. */
export function sha256_final(out: usize, ctx: usize): i32 {
  if (!argumentIn(out, SHA256_OUT) || !argumentIn(ctx, SHA256_CTX)) return Status.BadArgument;
  sha256Final(out, ctx);
  return Status.Done;
}

/** SHA-256 of `xLen` bytes, 32 bytes at `out`. */
export function sha256_hash(out: usize, x: usize, xLen: u32): i32 {
  if (!argumentIn(out, SHA256_OUT) || !argumentIn(x, xLen)) return Status.BadArgument;
  sha256(out, x, xLen);
  return Status.Done;
}

/** Bytes of a SHA-512 context. */
export function sha512_ctx_len(): u32 {
  return SHA512_CTX;
}

/** Starts a SHA-512. */
export function sha512_init(ctx: usize): i32 {
  if (!argumentIn(ctx, SHA512_CTX)) return Status.BadArgument;
  sha512Init(ctx);
  return Status.Done;
}

/** Adds `xLen` bytes of message. */
export function sha512_update(ctx: usize, x: usize, xLen: u32): i32 {
  if (!argumentIn(ctx, SHA512_CTX) || !argumentIn(x, xLen)) return Status.BadArgument;
  sha512Update(ctx, x, xLen);
  return Status.Done;
}

/** Writes 64 bytes and wipes the context. */
export function sha512_final(out: usize, ctx: usize): i32 {
  if (!argumentIn(out, SHA512_OUT) || !argumentIn(ctx, SHA512_CTX)) return Status.BadArgument;
  sha512Final(out, ctx);
  return Status.Done;
}

/** SHA-512 of `xLen` bytes, 64 bytes at `out`. */
export function sha512_hash(out: usize, x: usize, xLen: u32): i32 {
  if (!argumentIn(out, SHA512_OUT) || !argumentIn(x, xLen)) return Status.BadArgument;
  sha512(out, x, xLen);
  return Status.Done;
}

/** Bytes of an HMAC context. */
export function hmac_ctx_len(): u32 {
  return HMAC_CTX;
}

/** Starts an HMAC-SHA-256 under a key of any length. */
export function hmac_init(ctx: usize, key: usize, keyLen: u32): i32 {
  if (!argumentIn(ctx, HMAC_CTX) || !argumentIn(key, keyLen)) return Status.BadArgument;
  hmacInit(ctx, key, keyLen);
  return Status.Done;
}

/** Adds `xLen` bytes of message. */
export function hmac_update(ctx: usize, x: usize, xLen: u32): i32 {
  if (!argumentIn(ctx, HMAC_CTX) || !argumentIn(x, xLen)) return Status.BadArgument;
  hmacUpdate(ctx, x, xLen);
  return Status.Done;
}

/** Writes the 32-byte MAC and wipes the context. */
export function hmac_final(out: usize, ctx: usize): i32 {
  if (!argumentIn(out, SHA256_OUT) || !argumentIn(ctx, HMAC_CTX)) return Status.BadArgument;
  hmacFinal(out, ctx);
  return Status.Done;
}

/** Instantiates the DRBG from entropy, nonce and personalisation, at least 48 bytes. */
export function drbg_seed(seed: usize, seedLen: u32): i32 {
  return argumentIn(seed, seedLen) ? drbgSeed(seed, seedLen) : Status.BadArgument;
}

/** Reseeds the DRBG from at least 32 bytes of entropy. */
export function drbg_reseed(seed: usize, seedLen: u32): i32 {
  return argumentIn(seed, seedLen) ? drbgReseed(seed, seedLen) : Status.BadArgument;
}

/** Writes `outLen` random bytes; NoEntropy before drbg_seed. */
export function drbg_generate(out: usize, outLen: u32): i32 {
  return argumentIn(out, outLen) ? drbgGenerate(out, outLen) : Status.BadArgument;
}

/** Bytes of an expanded AES-256 key. */
export function aes_schedule_len(): u32 {
  return AES_SCHEDULE;
}

/** Expands a 32-byte key; the schedule is as secret as the key and the caller's to wipe. */
export function aes256_expand(schedule: usize, key: usize): i32 {
  if (!argumentIn(schedule, AES_SCHEDULE) || !argumentIn(key, 32)) return Status.BadArgument;
  aesExpand(schedule, key);
  return Status.Done;
}

/** Encrypts one block of 16 bytes; out may equal x. */
export function aes256_encrypt(out: usize, x: usize, schedule: usize): i32 {
  if (!argumentIn(out, 16) || !argumentIn(x, 16)) return Status.BadArgument;
  if (!argumentIn(schedule, AES_SCHEDULE)) return Status.BadArgument;
  aesEncrypt(out, x, schedule);
  return Status.Done;
}

/** Encrypts or decrypts a whole message, AES-256-CTR with a 128-bit counter; out may equal x. */
export function aes_ctr_crypt(out: usize, x: usize, xLen: u32, key: usize, iv: usize): i32 {
  if (!argumentIn(out, xLen) || !argumentIn(x, xLen)) return Status.BadArgument;
  if (!argumentIn(key, 32) || !argumentIn(iv, 16)) return Status.BadArgument;
  aesCtrCrypt(out, x, xLen, key, iv);
  return Status.Done;
}

/** Pads `len` bytes to a multiple of 16; the padded length or NoRoom. */
export function pkcs7_pad(buf: usize, len: u32, cap: u32): i32 {
  return argumentIn(buf, cap) ? pkcs7Pad(buf, len, cap) : Status.BadArgument;
}

/** Length without padding, or BadPadding. */
export function pkcs7_unpad(buf: usize, len: u32): i32 {
  return argumentIn(buf, len) ? pkcs7Unpad(buf, len) : Status.BadArgument;
}
