// SPDX-License-Identifier: BSD-3-Clause
// The only holder of private keys: the login key, the encryption key, the self key and the
// symmetric key of the enrollment. It lies in memory as it is stored: version, flags, fields, and a
// SHA-256 over them that tells a damaged one. The RSA login key comes last and is stored only when
// there is one.
import { bytesEqual, bytesMaskZero, bytesWipe } from "../bytes";
import { base64Decode, base64Encode, base64Key } from "../codec/base64";
import { CODE_VALUE } from "../codec/code";
import { derReadPkcs8, derReadRsaPublic } from "../codec/derRsa";
import { drbgGenerate } from "../crypto/drbg";
import { hmacFinal, hmacInit, hmacUpdate } from "../crypto/hmac";
import { p256KeyGen, p256PublicKey } from "../crypto/p256/p256";
import { pkcs1Encrypt, pkcs1Message, pkcs1Open, pkcs1Sign } from "../crypto/rsa/pkcs1";
import { RSA_HALF, RSA_LEN, RSA_P, RSA_PUBLIC } from "../crypto/rsa/rsaKey";
import { sha256 } from "../crypto/sha256";
import { ATSIGN_MAX, KEY_WORK, KEY_WORK_LEN, KEYRING } from "../memory";
import { Status } from "../status";
import { atsignAllows } from "../wire/atsign";
import { ENROLL_PROOF, PROOF } from "../wire/words";
import { SEAL_OUT, sealBegin, sealExpand, sealExtract, sealPart, sealWord } from "./seal";

/** The login key is a P-256 scalar, or RSA. */
export const KEYRING_P256: u32 = 1;
export const KEYRING_RSA: u32 = 2;
/** The public half of the encryption key, then all of it. */
export const KEYRING_ENC_PUBLIC: u32 = 4;
export const KEYRING_ENC: u32 = 8;
export const KEYRING_SELF: u32 = 16;
/** The symmetric key the approving client encrypts the other keys with. */
export const KEYRING_APKAM: u32 = 32;
/** In its place is what the keys of an enrollment with a pairing code are derived from. */
export const KEYRING_CODED: u32 = 64;

/** Longest enrollmentId. */
export const KEYRING_ID_MAX: u32 = 64;
/** The most keyringSeal() returns. */
export const KEYRING_MAX: u32 = 2684;

const VERSION: u32 = 0x316b7461; // "atk1"
const FLAGS: usize = KEYRING + 4;
const ATSIGN_LEN: usize = KEYRING + 8;
const ID_LEN: usize = KEYRING + 9;
const ATSIGN: usize = KEYRING + 12;
const ID: usize = KEYRING + 180;
const SELF: usize = KEYRING + 244;
const APKAM: usize = KEYRING + 276;
const SCALAR: usize = KEYRING + 308;
const ENC: usize = KEYRING + 340;
const RSA: usize = KEYRING + 1496;
const WITHOUT_RSA: u32 = 1496;
const WITH_RSA: u32 = 2652;
const DIGEST_LEN: u32 = 32;
/** Characters of a 32-byte key in base64. */
const KEY_TEXT: u32 = 44;

/** Wipes every key. */
export function keyringClear(): void {
  bytesWipe(KEYRING, KEYRING_MAX);
  store<u32>(KEYRING, VERSION);
}

/** Whether all of these flags are set. */
export function keyringHas(flags: u32): bool {
  return (load<u32>(FLAGS) & flags) === flags;
}

/** Whether the keys a device works with are all there. */
export function keyringIsComplete(): bool {
  return keyringCanLogin() && keyringHas(KEYRING_ENC | KEYRING_SELF);
}

/** Whether there is a login key. */
export function keyringCanLogin(): bool {
  return (load<u32>(FLAGS) & (KEYRING_P256 | KEYRING_RSA)) !== 0;
}

/** The atSign the keys belong to. */
export function keyringAtsign(): usize {
  return ATSIGN;
}

export function keyringAtsignLen(): u32 {
  return load<u8>(ATSIGN_LEN);
}

/** Says whose keys these are; at most ATSIGN_MAX bytes. */
export function keyringSetAtsign(x: usize, len: u32): void {
  memory.fill(ATSIGN, 0, ATSIGN_MAX);
  memory.copy(ATSIGN, x, len);
  store<u8>(ATSIGN_LEN, len as u8);
}

/** The enrollmentId; its length is 0 when there is none. */
export function keyringId(): usize {
  return ID;
}

export function keyringIdLen(): u32 {
  return load<u8>(ID_LEN);
}

/** Keeps an enrollmentId, letters, digits, - and _ alone; len 0 forgets it. 0 or BadArgument. */
export function keyringSetId(x: usize, len: u32): i32 {
  if (len > KEYRING_ID_MAX) return Status.BadArgument;
  for (let i: u32 = 0; i < len; i++) {
    const c = load<u8>(x + i);
    if (!atsignAllows(c) && !(c >= 0x41 && c <= 0x5a)) return Status.BadArgument;
  }
  memory.fill(ID, 0, KEYRING_ID_MAX);
  memory.copy(ID, x, len);
  store<u8>(ID_LEN, len as u8);
  return 0;
}

/** Makes the bytes at KEYRING ready to be stored: their length. */
export function keyringSeal(): u32 {
  const len = keyringHas(KEYRING_RSA) ? WITH_RSA : WITHOUT_RSA;
  sha256(KEYRING + len, KEYRING, len);
  return len + DIGEST_LEN;
}

/**
 * Takes the `len` bytes read to KEYRING. 0, or StoreFailed when they are damaged or of another
 * version; then all is wiped.
 */
export function keyringOpen(len: u32): i32 {
  const used = keyringHas(KEYRING_RSA) ? WITH_RSA : WITHOUT_RSA;
  let good = len === used + DIGEST_LEN && load<u32>(KEYRING) === VERSION;
  if (good) {
    sha256(KEY_WORK, KEYRING, used);
    good = bytesEqual(KEY_WORK, KEYRING + used, DIGEST_LEN) !== 0;
    bytesWipe(KEY_WORK, DIGEST_LEN);
  }
  if (good) return 0;
  keyringClear();
  return Status.StoreFailed;
}

/**
 * Makes a login key on P-256 and the symmetric key of an enrollment; everything else is forgotten.
 * 0 or negative.
 */
export function keyringMake(me: usize, meLen: u32): i32 {
  keyringClear();
  keyringSetAtsign(me, meLen);
  let status = p256KeyGen(SCALAR, KEY_WORK);
  if (status === 0) status = drbgGenerate(APKAM, 32);
  bytesWipe(KEY_WORK, 65);
  if (status < 0) keyringClear();
  else addFlags(KEYRING_P256 | KEYRING_APKAM);
  return status;
}

/** The login key's uncompressed point, 65 bytes. 0 or negative. */
export function keyringPoint(out65: usize): i32 {
  return p256PublicKey(out65, SCALAR);
}

/** Takes the atSign's public encryption key, base64 text, decoded in place. 0 or negative. */
export function keyringTakePublic(x: usize, len: u32): i32 {
  const n = base64Decode(x, len, x, len);
  if (n < 0) return n;
  const status = derReadRsaPublic(ENC, x, n);
  if (status >= 0) addFlags(KEYRING_ENC_PUBLIC);
  return status;
}

/** The public encryption key, RSA_PUBLIC bytes. */
export function keyringPublic(): usize {
  return ENC;
}

/** Wraps a 32-byte key, as its base64 text, for an RSA public key. 0 or negative. secret: key32. */
export function keyringWrap(out256: usize, key32: usize, pub: usize): i32 {
  let status = base64Encode(KEY_WORK, KEY_TEXT, key32, 32);
  if (status >= 0) status = pkcs1Encrypt(out256, KEY_WORK, KEY_TEXT, pub);
  bytesWipe(KEY_WORK, KEY_TEXT);
  return min<i32>(status, 0);
}

/** Takes the value of a pairing code, 18 digits, for the enrollment; 0: a key at random. 0 or NoEntropy. secret: value18. */
export function keyringPair(value18: usize): i32 {
  if (value18) {
    sealExtract(APKAM, value18, CODE_VALUE);
    addFlags(KEYRING_CODED);
    return 0;
  }
  store<u32>(FLAGS, load<u32>(FLAGS) & ~KEYRING_CODED);
  return drbgGenerate(APKAM, 32);
}

/** Derives a key of the pairing code by a word: 32 bytes at SEAL_OUT. core/AUTHENTICITY.md, section 9. */
export function keyringPaired(word: usize): void {
  sealBegin(APKAM);
  sealWord(word);
  sealPart(ATSIGN, keyringAtsignLen());
  sealExpand();
}

/**
 * Wraps the enrollment's symmetric key for the public encryption key; with a pairing code the proof of it, which is no key.
 * 0 or negative.
 */
export function keyringWrapApkam(out256: usize): i32 {
  if (!keyringHas(KEYRING_CODED)) return keyringWrap(out256, APKAM, ENC);
  keyringPaired(ENROLL_PROOF);
  const mark: u32 = load<u8>(PROOF);
  memory.copy(KEY_WORK, PROOF + 1, mark);
  base64Encode(KEY_WORK + mark, KEY_TEXT, SEAL_OUT, 32);
  const status = pkcs1Encrypt(out256, KEY_WORK, mark + KEY_TEXT, ENC);
  bytesWipe(KEY_WORK, mark + KEY_TEXT);
  return min<i32>(status, 0);
}

/**
 * Opens a key wrapped for our encryption key. What holds none gives a key as well, one that nobody else can foresee and
 * the same each time, by the same steps: whoever sends wrapped keys learns nothing from what is done with them. 0;
 * BadPadding when it is for a larger key, which anybody can see; NoEntropy, Fault. wrapped: 256 bytes, not in KEY_WORK.
 */
export function keyringUnwrap(out32: usize, wrapped: usize): i32 {
  const status = pkcs1Open(wrapped, ENC);
  if (status < 0) return status === Status.BadArgument ? Status.BadPadding : status;
  const key = KEY_WORK + 48;
  const other = KEY_WORK + 80;
  const hmac = KEY_WORK + 112;
  const n = pkcs1Message(KEY_WORK, KEY_TEXT);
  const right = base64Key(key, KEY_WORK) & bytesMaskZero(n ^ KEY_TEXT);
  hmacInit(hmac, ENC + RSA_P, 2 * RSA_HALF);
  hmacUpdate(hmac, wrapped, RSA_LEN);
  hmacFinal(other, hmac);
  for (let i: u32 = 0; i < 32; i += 4) {
    const unforeseen = load<u32>(other + i);
    store<u32>(out32 + i, unforeseen ^ ((load<u32>(key + i) ^ unforeseen) & right));
  }
  bytesWipe(KEY_WORK, KEY_WORK_LEN);
  return 0;
}

/**
 * Signs `len` bytes at x with the private encryption key: dataSignature, RSA with SHA-256. 0 or
 * negative. out: not in KEY_WORK.
 */
export function keyringSign(out256: usize, x: usize, len: u32): i32 {
  sha256(KEY_WORK, x, len);
  const status = pkcs1Sign(out256, KEY_WORK, DIGEST_LEN, ENC);
  bytesWipe(KEY_WORK, DIGEST_LEN);
  return status;
}

/** The self key, for keys/share.ts. */
export function keyringSelf(): usize {
  return SELF;
}

/** The enrollment's symmetric key, for keys/share.ts. */
export function keyringApkam(): usize {
  return APKAM;
}

/**
 * Takes the private encryption key, base64 of PKCS#8, decoded in place, when it works and belongs to the public key known
 * already (else PublicKeyChanged). One that came under a pairing code holds whatever public key was served: 1 when that was
 * another one. secret: x, wiped.
 */
export function keyringTakePrivate(x: usize, len: u32): i32 {
  let differs: i32 = 0;
  sha256(KEY_WORK, ENC, RSA_PUBLIC);
  let status = readPrivate(ENC, x, len);
  if (status >= 0 && keyringHas(KEYRING_ENC_PUBLIC)) {
    sha256(KEY_WORK + DIGEST_LEN, ENC, RSA_PUBLIC);
    if (!bytesEqual(KEY_WORK, KEY_WORK + DIGEST_LEN, DIGEST_LEN)) {
      if (keyringHas(KEYRING_CODED)) differs = 1;
      else status = Status.PublicKeyChanged;
    }
  }
  // The signature is thrown away: making it checks that all parts of the key belong together.
  if (status >= 0) status = pkcs1Sign(x, KEY_WORK, DIGEST_LEN, ENC);
  bytesWipe(x, len);
  bytesWipe(KEY_WORK, KEY_WORK_LEN);
  if (status >= 0) addFlags(KEYRING_ENC_PUBLIC | KEYRING_ENC);
  return status < 0 ? status : differs;
}

/** Takes the self key, base64 text. 0 or negative. secret: x, wiped. */
export function keyringTakeSelf(x: usize, len: u32): i32 {
  const n = base64Decode(x, len, x, len);
  if (n === 32) {
    memory.copy(SELF, x, 32);
    addFlags(KEYRING_SELF);
  }
  bytesWipe(x, len);
  return n === 32 ? 0 : Status.BadArgument;
}

/**
 * Takes an RSA login key (base64 of PKCS#8) or a P-256 scalar (64 hexadecimal digits). 0 or
 * negative. secret: x, wiped.
 */
export function keyringTakeLogin(x: usize, len: u32): i32 {
  let status = 0;
  if (len === 64) {
    status = hexDecode(SCALAR, x);
    if (status === 0) status = p256PublicKey(KEY_WORK, SCALAR);
    bytesWipe(KEY_WORK, 65);
    if (status >= 0) addFlags(KEYRING_P256);
  } else {
    status = readPrivate(RSA, x, len);
    if (status >= 0) addFlags(KEYRING_RSA);
  }
  bytesWipe(x, len);
  return min<i32>(status, 0);
}

/** The login keys, for auth.ts. */
export function keyringScalar(): usize {
  return SCALAR;
}

export function keyringRsa(): usize {
  return RSA;
}

function readPrivate(key: usize, x: usize, len: u32): i32 {
  const n = base64Decode(x, len, x, len);
  return n < 0 ? n : derReadPkcs8(key, x, n);
}

function addFlags(flags: u32): void {
  store<u32>(FLAGS, load<u32>(FLAGS) | flags);
}

// 64 digits of either case to 32 bytes.
function hexDecode(out: usize, x: usize): i32 {
  for (let i: u32 = 0; i < 32; i++) {
    const high = hexValue(load<u8>(x + 2 * i));
    const low = hexValue(load<u8>(x + 2 * i + 1));
    if ((high | low) < 0) return Status.BadArgument;
    store<u8>(out + i, ((high << 4) | low) as u8);
  }
  return 0;
}

function hexValue(c: u8): i32 {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const letter = (c | 32) as i32;
  return letter >= 0x61 && letter <= 0x66 ? letter - 87 : -1;
}
