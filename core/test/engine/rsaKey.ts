// SPDX-License-Identifier: BSD-3-Clause
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

/** RSA-2048 numbers, big-endian, of any length. */
export interface RsaNumbers {
  n: Uint8Array;
  e: Uint8Array;
  p: Uint8Array;
  q: Uint8Array;
  dp: Uint8Array;
  dq: Uint8Array;
  qi: Uint8Array;
  d: Uint8Array;
}

/** The number in `len` bytes: leading zeros added or dropped. */
export function sized(x: Uint8Array, len: number): Uint8Array {
  const out = new Uint8Array(len);
  const kept = x.subarray(Math.max(0, x.length - len));
  out.set(kept, len - kept.length);
  return out;
}

/** A public key as core/crypto/rsa/rsaKey.ts lays it out: n, e. */
export function publicBytes(n: Uint8Array, e: Uint8Array): Uint8Array {
  return Buffer.concat([sized(n, 256), sized(e, 4)]);
}

/** A private key as core/crypto/rsa/rsaKey.ts lays it out: n, e, p, q, dp, dq, qinv, d. */
export function privateBytes(key: RsaNumbers): Uint8Array {
  const halves = [key.p, key.q, key.dp, key.dq, key.qi].map((x) => sized(x, 128));
  return Buffer.concat([publicBytes(key.n, key.e), ...halves, sized(key.d, 256)]);
}

const number = (text: string | undefined) => Buffer.from(text ?? "", "base64url");

/** The numbers of a private key of node:crypto. */
export function numbersOf(key: KeyObject): RsaNumbers {
  const { n, e, p, q, dp, dq, qi, d } = key.export({ format: "jwk" });
  return {
    n: number(n),
    e: number(e),
    p: number(p),
    q: number(q),
    dp: number(dp),
    dq: number(dq),
    qi: number(qi),
    d: number(d),
  };
}

/** The private key of base64 PKCS#8 text, as the core keeps it. */
export function privateFromPkcs8(base64: string): Uint8Array {
  const der = Buffer.from(base64, "base64");
  return privateBytes(numbersOf(createPrivateKey({ key: der, format: "der", type: "pkcs8" })));
}

/** The public key of base64 SubjectPublicKeyInfo text, as the core keeps it. */
export function publicFromSpki(base64: string): Uint8Array {
  const der = Buffer.from(base64, "base64");
  const { n, e } = createPublicKey({ key: der, format: "der", type: "spki" }).export({
    format: "jwk",
  });
  return publicBytes(number(n), number(e));
}
