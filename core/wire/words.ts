// SPDX-License-Identifier: BSD-3-Clause
// The protocol's words, each one length byte and its ASCII characters in a data segment: no string objects, one
// byte a character. The comment above a word is its text between the quotes; core/test/words.test.ts compares them.

/** `from:` */
export const FROM: usize = memory.data<u8>([5, 102, 114, 111, 109, 58], 1);
/** `pkam:signingAlgo:ecc_secp256r1:hashingAlgo:sha256:` */
export const PKAM_P256: usize = memory.data<u8>(
  [
    50, 112, 107, 97, 109, 58, 115, 105, 103, 110, 105, 110, 103, 65, 108, 103, 111, 58, 101, 99,
    99, 95, 115, 101, 99, 112, 50, 53, 54, 114, 49, 58, 104, 97, 115, 104, 105, 110, 103, 65, 108,
    103, 111, 58, 115, 104, 97, 50, 53, 54, 58,
  ],
  1,
);
/** `pkam:signingAlgo:rsa2048:hashingAlgo:sha256:` */
export const PKAM_RSA: usize = memory.data<u8>(
  [
    44, 112, 107, 97, 109, 58, 115, 105, 103, 110, 105, 110, 103, 65, 108, 103, 111, 58, 114, 115,
    97, 50, 48, 52, 56, 58, 104, 97, 115, 104, 105, 110, 103, 65, 108, 103, 111, 58, 115, 104, 97,
    50, 53, 54, 58,
  ],
  1,
);
/** `enrollmentId:` */
export const ENROLLMENT_ID: usize = memory.data<u8>(
  [13, 101, 110, 114, 111, 108, 108, 109, 101, 110, 116, 73, 100, 58],
  1,
);
/** `lookup:` */
export const LOOKUP: usize = memory.data<u8>([7, 108, 111, 111, 107, 117, 112, 58], 1);
/** `lookup:all:` */
export const LOOKUP_ALL: usize = memory.data<u8>(
  [11, 108, 111, 111, 107, 117, 112, 58, 97, 108, 108, 58],
  1,
);
/** `llookup:` */
export const LLOOKUP: usize = memory.data<u8>([8, 108, 108, 111, 111, 107, 117, 112, 58], 1);
/** `llookup:all:` */
export const LLOOKUP_ALL: usize = memory.data<u8>(
  [12, 108, 108, 111, 111, 107, 117, 112, 58, 97, 108, 108, 58],
  1,
);
/** `llookup:cached:` */
export const LLOOKUP_CACHED: usize = memory.data<u8>(
  [15, 108, 108, 111, 111, 107, 117, 112, 58, 99, 97, 99, 104, 101, 100, 58],
  1,
);
/** `plookup:` */
export const PLOOKUP: usize = memory.data<u8>([8, 112, 108, 111, 111, 107, 117, 112, 58], 1);
/** `plookup:all:` */
export const PLOOKUP_ALL: usize = memory.data<u8>(
  [12, 112, 108, 111, 111, 107, 117, 112, 58, 97, 108, 108, 58],
  1,
);
/** `publickey` */
export const PUBLICKEY: usize = memory.data<u8>([9, 112, 117, 98, 108, 105, 99, 107, 101, 121], 1);
/** `shared_key` */
export const SHARED_KEY: usize = memory.data<u8>(
  [10, 115, 104, 97, 114, 101, 100, 95, 107, 101, 121],
  1,
);
/** `update` */
export const UPDATE: usize = memory.data<u8>([6, 117, 112, 100, 97, 116, 101], 1);
/** `delete:` */
export const DELETE: usize = memory.data<u8>([7, 100, 101, 108, 101, 116, 101, 58], 1);
/** `scan` */
export const SCAN: usize = memory.data<u8>([4, 115, 99, 97, 110], 1);
/** `noop:0` */
export const NOOP: usize = memory.data<u8>([6, 110, 111, 111, 112, 58, 48], 1);
/** `monitor:multiplexed` */
export const MONITOR: usize = memory.data<u8>(
  [
    19, 109, 111, 110, 105, 116, 111, 114, 58, 109, 117, 108, 116, 105, 112, 108, 101, 120, 101,
    100,
  ],
  1,
);
/** `notify:id:` */
export const NOTIFY_ID: usize = memory.data<u8>(
  [10, 110, 111, 116, 105, 102, 121, 58, 105, 100, 58],
  1,
);
/** `:update:messageType:key:priority:low:strategy:all:latestN:1:notifier:SYSTEM` */
export const NOTIFY_UPDATE: usize = memory.data<u8>(
  [
    75, 58, 117, 112, 100, 97, 116, 101, 58, 109, 101, 115, 115, 97, 103, 101, 84, 121, 112, 101,
    58, 107, 101, 121, 58, 112, 114, 105, 111, 114, 105, 116, 121, 58, 108, 111, 119, 58, 115, 116,
    114, 97, 116, 101, 103, 121, 58, 97, 108, 108, 58, 108, 97, 116, 101, 115, 116, 78, 58, 49, 58,
    110, 111, 116, 105, 102, 105, 101, 114, 58, 83, 89, 83, 84, 69, 77,
  ],
  1,
);
/** `:ttln:` */
export const TTLN: usize = memory.data<u8>([6, 58, 116, 116, 108, 110, 58], 1);
/** `:ttl:` */
export const TTL: usize = memory.data<u8>([5, 58, 116, 116, 108, 58], 1);
/** `:dataSignature:` */
export const DATA_SIGNATURE: usize = memory.data<u8>(
  [15, 58, 100, 97, 116, 97, 83, 105, 103, 110, 97, 116, 117, 114, 101, 58],
  1,
);
/** `:isEncrypted:` */
export const IS_ENCRYPTED: usize = memory.data<u8>(
  [13, 58, 105, 115, 69, 110, 99, 114, 121, 112, 116, 101, 100, 58],
  1,
);
/** `:sharedKeyEnc:` */
export const SHARED_KEY_ENC: usize = memory.data<u8>(
  [14, 58, 115, 104, 97, 114, 101, 100, 75, 101, 121, 69, 110, 99, 58],
  1,
);
/** `:pubKeyCS:` */
export const PUB_KEY_CS: usize = memory.data<u8>(
  [10, 58, 112, 117, 98, 75, 101, 121, 67, 83, 58],
  1,
);
/** `:encoding:base64` */
export const ENCODING_BASE64: usize = memory.data<u8>(
  [16, 58, 101, 110, 99, 111, 100, 105, 110, 103, 58, 98, 97, 115, 101, 54, 52],
  1,
);
/** `:ivNonce:` */
export const IV_NONCE: usize = memory.data<u8>([9, 58, 105, 118, 78, 111, 110, 99, 101, 58], 1);
/** `true` */
export const TRUE: usize = memory.data<u8>([4, 116, 114, 117, 101], 1);
/** `false` */
export const FALSE: usize = memory.data<u8>([5, 102, 97, 108, 115, 101], 1);
/** `enroll:request:{"appName":` */
export const ENROLL_REQUEST: usize = memory.data<u8>(
  [
    26, 101, 110, 114, 111, 108, 108, 58, 114, 101, 113, 117, 101, 115, 116, 58, 123, 34, 97, 112,
    112, 78, 97, 109, 101, 34, 58,
  ],
  1,
);
/** `,"deviceName":` */
export const ENROLL_DEVICE: usize = memory.data<u8>(
  [14, 44, 34, 100, 101, 118, 105, 99, 101, 78, 97, 109, 101, 34, 58],
  1,
);
/** `,"namespaces":` */
export const ENROLL_NAMESPACES: usize = memory.data<u8>(
  [14, 44, 34, 110, 97, 109, 101, 115, 112, 97, 99, 101, 115, 34, 58],
  1,
);
/** `,"otp":` */
export const ENROLL_OTP: usize = memory.data<u8>([7, 44, 34, 111, 116, 112, 34, 58], 1);
/** `,"encryptedAPKAMSymmetricKey":"` */
export const ENROLL_SYMMETRIC: usize = memory.data<u8>(
  [
    31, 44, 34, 101, 110, 99, 114, 121, 112, 116, 101, 100, 65, 80, 75, 65, 77, 83, 121, 109, 109,
    101, 116, 114, 105, 99, 75, 101, 121, 34, 58, 34,
  ],
  1,
);
/** `","apkamPublicKey":"` */
export const ENROLL_PUBLIC: usize = memory.data<u8>(
  [20, 34, 44, 34, 97, 112, 107, 97, 109, 80, 117, 98, 108, 105, 99, 75, 101, 121, 34, 58, 34],
  1,
);
/** `"}` */
export const ENROLL_END: usize = memory.data<u8>([2, 34, 125], 1);
/** `keys:get:keyName:` */
export const KEYS_GET: usize = memory.data<u8>(
  [17, 107, 101, 121, 115, 58, 103, 101, 116, 58, 107, 101, 121, 78, 97, 109, 101, 58],
  1,
);
/** `.default_enc_private_key.__manage` */
export const KEYS_ENC: usize = memory.data<u8>(
  [
    33, 46, 100, 101, 102, 97, 117, 108, 116, 95, 101, 110, 99, 95, 112, 114, 105, 118, 97, 116,
    101, 95, 107, 101, 121, 46, 95, 95, 109, 97, 110, 97, 103, 101,
  ],
  1,
);
/** `.default_self_enc_key.__manage` */
export const KEYS_SELF: usize = memory.data<u8>(
  [
    30, 46, 100, 101, 102, 97, 117, 108, 116, 95, 115, 101, 108, 102, 95, 101, 110, 99, 95, 107,
    101, 121, 46, 95, 95, 109, 97, 110, 97, 103, 101,
  ],
  1,
);
/** `public:` */
export const PUBLIC: usize = memory.data<u8>([7, 112, 117, 98, 108, 105, 99, 58], 1);
/** `cached:` */
export const CACHED: usize = memory.data<u8>([7, 99, 97, 99, 104, 101, 100, 58], 1);
/** `data:` */
export const DATA: usize = memory.data<u8>([5, 100, 97, 116, 97, 58], 1);
/** `error:` */
export const ERROR: usize = memory.data<u8>([6, 101, 114, 114, 111, 114, 58], 1);
/** `notification:` */
export const NOTIFICATION: usize = memory.data<u8>(
  [13, 110, 111, 116, 105, 102, 105, 99, 97, 116, 105, 111, 110, 58],
  1,
);
/** `null` */
export const NULL: usize = memory.data<u8>([4, 110, 117, 108, 108], 1);
/** `base64` */
export const BASE64: usize = memory.data<u8>([6, 98, 97, 115, 101, 54, 52], 1);
/** `AES/CTR/PKCS7Padding` */
export const AES_CTR: usize = memory.data<u8>(
  [20, 65, 69, 83, 47, 67, 84, 82, 47, 80, 75, 67, 83, 55, 80, 97, 100, 100, 105, 110, 103],
  1,
);
/** `RSA` */
export const RSA_WRAP: usize = memory.data<u8>([3, 82, 83, 65], 1);
/** `data` */
export const NAME_DATA: usize = memory.data<u8>([4, 100, 97, 116, 97], 1);
/** `metaData` */
export const NAME_META: usize = memory.data<u8>([8, 109, 101, 116, 97, 68, 97, 116, 97], 1);
/** `metadata` */
export const NAME_METADATA: usize = memory.data<u8>([8, 109, 101, 116, 97, 100, 97, 116, 97], 1);
/** `value` */
export const NAME_VALUE: usize = memory.data<u8>([5, 118, 97, 108, 117, 101], 1);
/** `iv` */
export const NAME_IV: usize = memory.data<u8>([2, 105, 118], 1);
/** `id` */
export const NAME_ID: usize = memory.data<u8>([2, 105, 100], 1);
/** `from` */
export const NAME_FROM: usize = memory.data<u8>([4, 102, 114, 111, 109], 1);
/** `key` */
export const NAME_KEY: usize = memory.data<u8>([3, 107, 101, 121], 1);
/** `operation` */
export const NAME_OPERATION: usize = memory.data<u8>(
  [9, 111, 112, 101, 114, 97, 116, 105, 111, 110],
  1,
);
/** `epochMillis` */
export const NAME_EPOCH: usize = memory.data<u8>(
  [11, 101, 112, 111, 99, 104, 77, 105, 108, 108, 105, 115],
  1,
);
/** `status` */
export const NAME_STATUS: usize = memory.data<u8>([6, 115, 116, 97, 116, 117, 115], 1);
/** `enrollmentId` */
export const NAME_ENROLLMENT_ID: usize = memory.data<u8>(
  [12, 101, 110, 114, 111, 108, 108, 109, 101, 110, 116, 73, 100],
  1,
);
/** `errorCode` */
export const NAME_ERROR_CODE: usize = memory.data<u8>(
  [9, 101, 114, 114, 111, 114, 67, 111, 100, 101],
  1,
);
/** `errorDescription` */
export const NAME_ERROR_TEXT: usize = memory.data<u8>(
  [16, 101, 114, 114, 111, 114, 68, 101, 115, 99, 114, 105, 112, 116, 105, 111, 110],
  1,
);
/** `isEncrypted` */
export const NAME_IS_ENCRYPTED: usize = memory.data<u8>(
  [11, 105, 115, 69, 110, 99, 114, 121, 112, 116, 101, 100],
  1,
);
/** `ivNonce` */
export const NAME_IV_NONCE: usize = memory.data<u8>([7, 105, 118, 78, 111, 110, 99, 101], 1);
/** `sharedKeyEnc` */
export const NAME_SHARED_KEY_ENC: usize = memory.data<u8>(
  [12, 115, 104, 97, 114, 101, 100, 75, 101, 121, 69, 110, 99],
  1,
);
/** `pubKeyCS` */
export const NAME_PUB_KEY_CS: usize = memory.data<u8>([8, 112, 117, 98, 75, 101, 121, 67, 83], 1);
/** `pubKeyHash` */
export const NAME_PUB_KEY_HASH: usize = memory.data<u8>(
  [10, 112, 117, 98, 75, 101, 121, 72, 97, 115, 104],
  1,
);
/** `hash` */
export const NAME_HASH: usize = memory.data<u8>([4, 104, 97, 115, 104], 1);
/** `encoding` */
export const NAME_ENCODING: usize = memory.data<u8>([8, 101, 110, 99, 111, 100, 105, 110, 103], 1);
/** `encAlgo` */
export const NAME_ENC_ALGO: usize = memory.data<u8>([7, 101, 110, 99, 65, 108, 103, 111], 1);
/** `encKeyName` */
export const NAME_ENC_KEY_NAME: usize = memory.data<u8>(
  [10, 101, 110, 99, 75, 101, 121, 78, 97, 109, 101],
  1,
);
/** `skeEncAlgo` */
export const NAME_SKE_ENC_ALGO: usize = memory.data<u8>(
  [10, 115, 107, 101, 69, 110, 99, 65, 108, 103, 111],
  1,
);
/** `skeEncKeyName` */
export const NAME_SKE_ENC_KEY_NAME: usize = memory.data<u8>(
  [13, 115, 107, 101, 69, 110, 99, 75, 101, 121, 78, 97, 109, 101],
  1,
);
/** `approved` */
export const APPROVED: usize = memory.data<u8>([8, 97, 112, 112, 114, 111, 118, 101, 100], 1);
/** `pending` */
export const PENDING: usize = memory.data<u8>([7, 112, 101, 110, 100, 105, 110, 103], 1);
/** `invalid otp` */
export const OTP_INVALID: usize = memory.data<u8>(
  [11, 105, 110, 118, 97, 108, 105, 100, 32, 111, 116, 112],
  1,
);
/** `Another enrollment with id ` */
export const ENROLLMENT_EXISTS: usize = memory.data<u8>(
  [
    27, 65, 110, 111, 116, 104, 101, 114, 32, 101, 110, 114, 111, 108, 108, 109, 101, 110, 116, 32,
    119, 105, 116, 104, 32, 105, 100, 32,
  ],
  1,
);
/** `-1` */
export const STATS_ID: usize = memory.data<u8>([2, 45, 49], 1);
/** `link given up, trying again` */
export const LOG_BROKEN: usize = memory.data<u8>(
  [
    27, 108, 105, 110, 107, 32, 103, 105, 118, 101, 110, 32, 117, 112, 44, 32, 116, 114, 121, 105,
    110, 103, 32, 97, 103, 97, 105, 110,
  ],
  1,
);
/** `session ended` */
export const LOG_ENDED: usize = memory.data<u8>(
  [13, 115, 101, 115, 115, 105, 111, 110, 32, 101, 110, 100, 101, 100],
  1,
);
