// SPDX-License-Identifier: BSD-3-Clause
// The public-key primitives for tests and benchmarks: checks that every argument lies in the I/O area, wipes scratch.
import { bytesWipe } from "../bytes";
import { ecdh as ecdhShared } from "../crypto/p256/ecdh";
import { ecdsaSign, ecdsaSignWith, ecdsaVerify } from "../crypto/p256/ecdsa";
import { P256_PUBLIC, p256Check, p256KeyGen, p256PublicKey } from "../crypto/p256/p256";
import {
  PKCS1_MESSAGE_MAX,
  pkcs1Decrypt,
  pkcs1Encrypt,
  pkcs1EncryptWith,
  pkcs1Sign,
  pkcs1Verify,
} from "../crypto/rsa/pkcs1";
import { rsaPrivate, rsaPublic } from "../crypto/rsa/rsa";
import { RSA_LEN, RSA_PRIVATE, RSA_PUBLIC } from "../crypto/rsa/rsaKey";
import { SCRATCH, SCRATCH_LEN } from "../memory";
import { Status } from "../status";
import { argumentIn } from "./arguments";

function wiped(status: i32): i32 {
  bytesWipe(SCRATCH, SCRATCH_LEN);
  return status;
}

/** Makes a P-256 key pair: 32 bytes at priv, 65 at pub. NoEntropy. */
export function p256_keygen(priv: usize, pub: usize): i32 {
  if (!argumentIn(priv, 32) || !argumentIn(pub, P256_PUBLIC)) return Status.BadArgument;
  return wiped(p256KeyGen(priv, pub));
}

/** Writes the 65-byte public key of the 32-byte scalar. BadPoint. */
export function p256_public_key(pub: usize, priv: usize): i32 {
  if (!argumentIn(priv, 32) || !argumentIn(pub, P256_PUBLIC)) return Status.BadArgument;
  return wiped(p256PublicKey(pub, priv));
}

/** Done when the 65 bytes are a point of the curve. BadPoint. */
export function p256_check(pub: usize): i32 {
  if (!argumentIn(pub, P256_PUBLIC)) return Status.BadArgument;
  return wiped(p256Check(pub));
}

/** Signs the 32-byte hash: 64 bytes r, s at sig. Hedged by the DRBG: NoEntropy. BadPoint. */
export function ecdsa_sign(sig: usize, hash: usize, priv: usize): i32 {
  if (!argumentIn(sig, 64) || !argumentIn(hash, 32) || !argumentIn(priv, 32)) {
    return Status.BadArgument;
  }
  return wiped(ecdsaSign(sig, hash, priv));
}

/** ecdsa_sign with the additional data given; extraLen 0 is RFC 6979 as it stands. */
export function ecdsa_sign_with(
  sig: usize,
  hash: usize,
  priv: usize,
  extra: usize,
  extraLen: u32,
): i32 {
  if (!argumentIn(sig, 64) || !argumentIn(hash, 32) || !argumentIn(priv, 32)) {
    return Status.BadArgument;
  }
  if (!argumentIn(extra, extraLen)) return Status.BadArgument;
  return wiped(ecdsaSignWith(sig, hash, priv, extra, extraLen));
}

/** Done, or BadSignature, BadPoint. */
export function ecdsa_verify(hash: usize, sig: usize, pub: usize): i32 {
  if (!argumentIn(hash, 32) || !argumentIn(sig, 64) || !argumentIn(pub, P256_PUBLIC)) {
    return Status.BadArgument;
  }
  return wiped(ecdsaVerify(hash, sig, pub));
}

/** Writes the 32-byte shared secret. BadPoint. */
export function ecdh(out: usize, priv: usize, pub: usize): i32 {
  if (!argumentIn(out, 32) || !argumentIn(priv, 32) || !argumentIn(pub, P256_PUBLIC)) {
    return Status.BadArgument;
  }
  return wiped(ecdhShared(out, priv, pub));
}

/** x^e mod n, 256 bytes each; pub is RSA_PUBLIC bytes. BadRsaKey, BadArgument for x >= n. */
export function rsa_public(out: usize, x: usize, pub: usize): i32 {
  if (!argumentIn(out, RSA_LEN) || !argumentIn(x, RSA_LEN) || !argumentIn(pub, RSA_PUBLIC)) {
    return Status.BadArgument;
  }
  return wiped(rsaPublic(out, x, pub));
}

/** x^d mod n, 256 bytes each; priv is RSA_PRIVATE bytes. BadRsaKey, BadArgument for x >= n, NoEntropy, Fault. */
export function rsa_private(out: usize, x: usize, priv: usize): i32 {
  if (!argumentIn(out, RSA_LEN) || !argumentIn(x, RSA_LEN) || !argumentIn(priv, RSA_PRIVATE)) {
    return Status.BadArgument;
  }
  return wiped(rsaPrivate(out, x, priv));
}

/** Signs a hash of 32 or 64 bytes: 256 bytes at sig. */
export function pkcs1_sign(sig: usize, hash: usize, hashLen: u32, priv: usize): i32 {
  if (!argumentIn(sig, RSA_LEN) || !argumentIn(hash, hashLen) || !argumentIn(priv, RSA_PRIVATE)) {
    return Status.BadArgument;
  }
  return wiped(pkcs1Sign(sig, hash, hashLen, priv));
}

/** Done, or BadSignature, BadRsaKey. */
export function pkcs1_verify(hash: usize, hashLen: u32, sig: usize, pub: usize): i32 {
  if (!argumentIn(sig, RSA_LEN) || !argumentIn(hash, hashLen) || !argumentIn(pub, RSA_PUBLIC)) {
    return Status.BadArgument;
  }
  return wiped(pkcs1Verify(hash, hashLen, sig, pub));
}

/** Encrypts at most 245 bytes: 256 bytes at out. NoEntropy, BadRsaKey. */
export function pkcs1_encrypt(out: usize, m: usize, mLen: u32, pub: usize): i32 {
  if (!argumentIn(out, RSA_LEN) || !argumentIn(m, mLen) || !argumentIn(pub, RSA_PUBLIC)) {
    return Status.BadArgument;
  }
  return wiped(pkcs1Encrypt(out, m, mLen, pub));
}

/** pkcs1_encrypt with the 253 - mLen bytes of padding given. */
export function pkcs1_encrypt_with(out: usize, m: usize, mLen: u32, ps: usize, pub: usize): i32 {
  if (!argumentIn(out, RSA_LEN) || !argumentIn(m, mLen) || !argumentIn(pub, RSA_PUBLIC)) {
    return Status.BadArgument;
  }
  if (mLen > PKCS1_MESSAGE_MAX || !argumentIn(ps, RSA_LEN - 3 - mLen)) return Status.BadArgument;
  return wiped(pkcs1EncryptWith(out, m, mLen, ps, pub));
}

/** Decrypts 256 bytes: the message's length, or BadPadding for whatever is wrong with it. NoEntropy, BadRsaKey, Fault. */
export function pkcs1_decrypt(out: usize, outCap: u32, c: usize, priv: usize): i32 {
  if (!argumentIn(out, outCap) || !argumentIn(c, RSA_LEN) || !argumentIn(priv, RSA_PRIVATE)) {
    return Status.BadArgument;
  }
  return wiped(pkcs1Decrypt(out, outCap, c, priv));
}
