// SPDX-License-Identifier: BSD-3-Clause
import { createCipheriv, createDiffieHellman } from "node:crypto";

/** Bits of the accelerators offered here: modular exponentiation and AES-256. Node has no bare SHA-256 compression. */
export const ACCELERATORS = 1 | 2;

const isZero = (x: Uint8Array) => x.every((byte) => byte === 0);

/** x as a number of `len` bytes is 1. */
const isOne = (x: Uint8Array) => x.at(-1) === 1 && isZero(x.subarray(0, -1));

/** x + 1 = n, for an odd n. */
function isMinusOne(x: Uint8Array, n: Uint8Array): boolean {
  const last = n.length - 1;
  return (
    x[last] === (n[last] ?? 0) - 1 && x.subarray(0, last).every((byte, index) => byte === n[index])
  );
}

/**
 * x^e mod n for an odd n of 64 bytes or more and x < n; all big-endian, the result as long as n. The exponentiation is
 * OpenSSL's of Diffie-Hellman, which does not depend on the exponent's bits. Throws when OpenSSL refuses the modulus.
 */
export function modExp(x: Uint8Array, e: Uint8Array, n: Uint8Array): Uint8Array {
  const one = new Uint8Array(n.length);
  one[n.length - 1] = 1;
  if (isZero(e) || isOne(x)) return one;
  // OpenSSL refuses 0, 1 and n - 1 as a peer's public value.
  if (isZero(x)) return x.slice();
  if (isMinusOne(x, n)) return (e.at(-1) ?? 0) % 2 === 0 ? one : x.slice();
  const group = createDiffieHellman(Buffer.from(n), Buffer.from([2]));
  group.setPrivateKey(Buffer.from(e));
  const result = group.computeSecret(x);
  const padded = new Uint8Array(n.length);
  padded.set(result, n.length - result.length);
  return padded;
}

/** Encrypts whole blocks of 16 bytes with AES-256 (FIPS 197), each by itself. */
export function aes256(x: Uint8Array, key: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  return cipher.update(x);
}
