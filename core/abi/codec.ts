// SPDX-License-Identifier: BSD-3-Clause
// The codecs, one thin function each. Every range has to lie in the I/O area, else BadArgument.
import { base64Decode, base64Encode } from "../codec/base64";
import { derReadP256Pkcs8, derReadP256Spki, derReadSec1, derWriteP256Spki } from "../codec/derEc";
import {
  derReadPkcs1Private,
  derReadPkcs1Public,
  derReadPkcs8,
  derReadRsaPublic,
  derReadSpki,
  derWritePkcs1Private,
  derWritePkcs1Public,
  derWritePkcs8,
  derWriteSpki,
} from "../codec/derRsa";
import {
  JSON_READER,
  jsonMember,
  jsonMemberIn,
  jsonNext,
  jsonOpen,
  jsonText,
  jsonTextLen,
} from "../codec/json";
import { jsonQuote, jsonUnescape } from "../codec/jsonString";
import { RSA_PRIVATE, RSA_PUBLIC } from "../crypto/rsa/rsaKey";
import { Status } from "../status";
import { argumentIn } from "./arguments";

/** Whether both ranges lie in the I/O area. */
function both(out: usize, outLen: u32, x: usize, xLen: u32): bool {
  return argumentIn(out, outLen) && argumentIn(x, xLen);
}

/** Base64 of `xLen` bytes with padding; its length or NoRoom. The two ranges may not overlap. */
export function base64_encode(out: usize, outCap: u32, x: usize, xLen: u32): i32 {
  return both(out, outCap, x, xLen) ? base64Encode(out, outCap, x, xLen) : Status.BadArgument;
}

/** Bytes of base64 text in either alphabet; their number, NoRoom or BadBase64. out may equal x. */
export function base64_decode(out: usize, outCap: u32, x: usize, xLen: u32): i32 {
  return both(out, outCap, x, xLen) ? base64Decode(out, outCap, x, xLen) : Status.BadArgument;
}

/** Reads an RSA SubjectPublicKeyInfo into 260 bytes. BadDer, BadRsaKey. */
export function der_read_spki(pub: usize, der: usize, derLen: u32): i32 {
  return both(pub, RSA_PUBLIC, der, derLen) ? derReadSpki(pub, der, derLen) : Status.BadArgument;
}

/** Reads a PKCS#1 RSAPublicKey into 260 bytes. BadDer, BadRsaKey. */
export function der_read_pkcs1_public(pub: usize, der: usize, derLen: u32): i32 {
  if (!both(pub, RSA_PUBLIC, der, derLen)) return Status.BadArgument;
  return derReadPkcs1Public(pub, der, derLen);
}

/** Reads either form of RSA public key into 260 bytes. BadDer, BadRsaKey. */
export function der_read_rsa_public(pub: usize, der: usize, derLen: u32): i32 {
  if (!both(pub, RSA_PUBLIC, der, derLen)) return Status.BadArgument;
  return derReadRsaPublic(pub, der, derLen);
}

/** Reads a PKCS#8 RSA key into 1156 bytes. BadDer, BadRsaKey. */
export function der_read_pkcs8(priv: usize, der: usize, derLen: u32): i32 {
  return both(priv, RSA_PRIVATE, der, derLen)
    ? derReadPkcs8(priv, der, derLen)
    : Status.BadArgument;
}

/** Reads a PKCS#1 RSAPrivateKey into 1156 bytes. BadDer, BadRsaKey. */
export function der_read_pkcs1_private(priv: usize, der: usize, derLen: u32): i32 {
  if (!both(priv, RSA_PRIVATE, der, derLen)) return Status.BadArgument;
  return derReadPkcs1Private(priv, der, derLen);
}

/** Writes an RSA SubjectPublicKeyInfo; its length or NoRoom. */
export function der_write_spki(out: usize, outCap: u32, pub: usize): i32 {
  return both(out, outCap, pub, RSA_PUBLIC) ? derWriteSpki(out, outCap, pub) : Status.BadArgument;
}

/** Writes a PKCS#1 RSAPublicKey; its length or NoRoom. */
export function der_write_pkcs1_public(out: usize, outCap: u32, pub: usize): i32 {
  if (!both(out, outCap, pub, RSA_PUBLIC)) return Status.BadArgument;
  return derWritePkcs1Public(out, outCap, pub);
}

/** Writes a PKCS#8 RSA key; its length or NoRoom. */
export function der_write_pkcs8(out: usize, outCap: u32, priv: usize): i32 {
  return both(out, outCap, priv, RSA_PRIVATE)
    ? derWritePkcs8(out, outCap, priv)
    : Status.BadArgument;
}

/** Writes a PKCS#1 RSAPrivateKey; its length or NoRoom. */
export function der_write_pkcs1_private(out: usize, outCap: u32, priv: usize): i32 {
  if (!both(out, outCap, priv, RSA_PRIVATE)) return Status.BadArgument;
  return derWritePkcs1Private(out, outCap, priv);
}

/** Reads a P-256 SubjectPublicKeyInfo into 65 bytes. BadDer. */
export function der_read_p256_spki(pub: usize, der: usize, derLen: u32): i32 {
  return both(pub, 65, der, derLen) ? derReadP256Spki(pub, der, derLen) : Status.BadArgument;
}

/** Writes a P-256 SubjectPublicKeyInfo; its length or NoRoom. */
export function der_write_p256_spki(out: usize, outCap: u32, pub: usize): i32 {
  return both(out, outCap, pub, 65) ? derWriteP256Spki(out, outCap, pub) : Status.BadArgument;
}

/** Reads a P-256 PKCS#8 key into 32 bytes. BadDer. */
export function der_read_p256_pkcs8(priv: usize, der: usize, derLen: u32): i32 {
  return both(priv, 32, der, derLen) ? derReadP256Pkcs8(priv, der, derLen) : Status.BadArgument;
}

/** Reads a SEC 1 ECPrivateKey into 32 bytes. BadDer. */
export function der_read_sec1(priv: usize, der: usize, derLen: u32): i32 {
  return both(priv, 32, der, derLen) ? derReadSec1(priv, der, derLen) : Status.BadArgument;
}

/** Begins to read JSON; `r` is a reader of 28 bytes. */
export function json_open(r: usize, x: usize, xLen: u32): i32 {
  if (!both(r, JSON_READER, x, xLen)) return Status.BadArgument;
  jsonOpen(r, x, xLen);
  return Status.Done;
}

/** The next token of an opened reader: 0 end 1 { 2 } 3 [ 4 ] 5 key 6 string 7 number 8 true 9 false 10 null. BadJson. */
export function json_next(r: usize): i32 {
  return argumentIn(r, JSON_READER) ? jsonNext(r) : Status.BadArgument;
}

/** Where the last token's text begins. */
export function json_text(r: usize): usize {
  return argumentIn(r, JSON_READER) ? jsonText(r) : 0;
}

/** Length of the last token's text. */
export function json_text_len(r: usize): u32 {
  return argumentIn(r, JSON_READER) ? jsonTextLen(r) : 0;
}

/** Token of the value of a member of the object `x`. NotFound, BadJson. */
export function json_member(r: usize, x: usize, xLen: u32, name: usize, nameLen: u32): i32 {
  if (!both(r, JSON_READER, x, xLen) || !argumentIn(name, nameLen)) return Status.BadArgument;
  return jsonMember(r, x, xLen, name, nameLen);
}

/** Token of the value of a member of the object in member `outer` of the object `x`. NotFound, BadJson. */
export function json_member_in(
  r: usize,
  x: usize,
  xLen: u32,
  outer: usize,
  outerLen: u32,
  name: usize,
  nameLen: u32,
): i32 {
  if (!both(r, JSON_READER, x, xLen)) return Status.BadArgument;
  if (!both(outer, outerLen, name, nameLen)) return Status.BadArgument;
  return jsonMemberIn(r, x, xLen, outer, outerLen, name, nameLen);
}

/** Undoes the escapes of a string's text; the length, NoRoom or BadJson. out may equal x. */
export function json_unescape(out: usize, outCap: u32, x: usize, xLen: u32): i32 {
  return both(out, outCap, x, xLen) ? jsonUnescape(out, outCap, x, xLen) : Status.BadArgument;
}

/** Writes `x` as a JSON string with quotes; the length or NoRoom. */
export function json_quote(out: usize, outCap: u32, x: usize, xLen: u32): i32 {
  return both(out, outCap, x, xLen) ? jsonQuote(out, outCap, x, xLen) : Status.BadArgument;
}
