// SPDX-License-Identifier: BSD-3-Clause
// P-256 keys as SubjectPublicKeyInfo (RFC 5480), PKCS#8 (RFC 5208) and SEC 1 ECPrivateKey (RFC 5915). Public keys are
// uncompressed points of 65 bytes, private keys scalars of 32; whether they belong to the curve is p256Check's to say.
import { bytesWipe } from "../bytes";
import { Status } from "../status";
import {
  DER_OCTET_STRING,
  DER_SEQUENCE,
  derClose,
  derEnter,
  derExpect,
  derFail,
  derHeader,
  derMore,
  derNextIs,
  derOpen,
  derTake,
} from "./der";

// SubjectPublicKeyInfo up to the point: id-ecPublicKey (1.2.840.10045.2.1), prime256v1 (1.2.840.10045.3.1.7), BIT STRING.
const SPKI: usize = memory.data<u8>([
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
  0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
]);
const SPKI_LEN: u32 = 26;
const ALGORITHM: usize = SPKI + 2;
const ALGORITHM_LEN: u32 = 21;
const CURVE: usize = SPKI + 13;
const CURVE_LEN: u32 = 10;
const PUBLIC_BITS: usize = SPKI + 23;
const PUBLIC_BITS_LEN: u32 = 3;
const VERSIONS: usize = memory.data<u8>([0x02, 0x01, 0x00, 0x02, 0x01, 0x01]);
const VERSION_LEN: u32 = 3;
const POINT_LEN: u32 = 65;
const SCALAR_LEN: u32 = 32;
const PARAMETERS: u32 = 0xa0;
const PUBLIC_KEY: u32 = 0xa1;

/** Reads an uncompressed point into 65 bytes. BadDer, and then zeros are written. */
export function derReadP256Spki(pub: usize, der: usize, derLen: u32): i32 {
  bytesWipe(pub, POINT_LEN);
  derOpen(der, derLen);
  derExpect(SPKI, SPKI_LEN);
  const point = derTake(POINT_LEN);
  const status = derClose();
  if (status !== Status.Done) return status;
  if (load<u8>(point) !== 4) return Status.BadDer;
  memory.copy(pub, point, POINT_LEN);
  return Status.Done;
}

/** Writes the 91 bytes of a SubjectPublicKeyInfo; the length or NoRoom. */
export function derWriteP256Spki(out: usize, outCap: u32, pub: usize): i32 {
  if (outCap < SPKI_LEN + POINT_LEN) return Status.NoRoom;
  memory.copy(out, SPKI, SPKI_LEN);
  memory.copy(out + SPKI_LEN, pub, POINT_LEN);
  return (SPKI_LEN + POINT_LEN) as i32;
}

/** Reads a SEC 1 ECPrivateKey (secret) into 32 bytes. BadDer, and then zeros are written. */
export function derReadSec1(priv: usize, der: usize, derLen: u32): i32 {
  derOpen(der, derLen);
  return privateKey(priv);
}

/** Reads a PKCS#8 PrivateKeyInfo (secret, without attributes) into 32 bytes. BadDer, and then zeros are written. */
export function derReadP256Pkcs8(priv: usize, der: usize, derLen: u32): i32 {
  derOpen(der, derLen);
  derEnter(DER_SEQUENCE);
  derExpect(VERSIONS, VERSION_LEN);
  derExpect(ALGORITHM, ALGORITHM_LEN);
  derEnter(DER_OCTET_STRING);
  return privateKey(priv);
}

/** Version 1, the scalar, and if there are such, the curve's name and the public key. */
function privateKey(priv: usize): i32 {
  bytesWipe(priv, SCALAR_LEN);
  derEnter(DER_SEQUENCE);
  derExpect(VERSIONS + VERSION_LEN, VERSION_LEN);
  if (derHeader(DER_OCTET_STRING) !== SCALAR_LEN) derFail(Status.BadDer);
  const scalar = derTake(SCALAR_LEN);
  if (derNextIs(PARAMETERS)) {
    if (derHeader(PARAMETERS) !== CURVE_LEN) derFail(Status.BadDer);
    derExpect(CURVE, CURVE_LEN);
  }
  if (derMore()) {
    derEnter(PUBLIC_KEY);
    derExpect(PUBLIC_BITS, PUBLIC_BITS_LEN);
    derTake(POINT_LEN);
  }
  const status = derClose();
  if (status === Status.Done) memory.copy(priv, scalar, SCALAR_LEN);
  return status;
}
