// SPDX-License-Identifier: BSD-3-Clause
// The protocol's words: no string objects, one byte a character, all in one data segment. Each
// constant points at a length byte and the ASCII characters its comment shows between the quotes;
// core/test/words.test.ts compares them.

const WORDS: usize = memory.data<u8>([
  5, 102, 114, 111, 109, 58, 50, 112, 107, 97, 109, 58, 115, 105, 103, 110, 105, 110, 103, 65, 108,
  103, 111, 58, 101, 99, 99, 95, 115, 101, 99, 112, 50, 53, 54, 114, 49, 58, 104, 97, 115, 104, 105,
  110, 103, 65, 108, 103, 111, 58, 115, 104, 97, 50, 53, 54, 58, 44, 112, 107, 97, 109, 58, 115,
  105, 103, 110, 105, 110, 103, 65, 108, 103, 111, 58, 114, 115, 97, 50, 48, 52, 56, 58, 104, 97,
  115, 104, 105, 110, 103, 65, 108, 103, 111, 58, 115, 104, 97, 50, 53, 54, 58, 13, 101, 110, 114,
  111, 108, 108, 109, 101, 110, 116, 73, 100, 58, 7, 108, 111, 111, 107, 117, 112, 58, 11, 108, 111,
  111, 107, 117, 112, 58, 97, 108, 108, 58, 8, 108, 108, 111, 111, 107, 117, 112, 58, 12, 108, 108,
  111, 111, 107, 117, 112, 58, 97, 108, 108, 58, 15, 108, 108, 111, 111, 107, 117, 112, 58, 99, 97,
  99, 104, 101, 100, 58, 8, 112, 108, 111, 111, 107, 117, 112, 58, 12, 112, 108, 111, 111, 107, 117,
  112, 58, 97, 108, 108, 58, 9, 112, 117, 98, 108, 105, 99, 107, 101, 121, 10, 115, 104, 97, 114,
  101, 100, 95, 107, 101, 121, 6, 117, 112, 100, 97, 116, 101, 7, 100, 101, 108, 101, 116, 101, 58,
  4, 115, 99, 97, 110, 6, 110, 111, 111, 112, 58, 48, 19, 109, 111, 110, 105, 116, 111, 114, 58,
  109, 117, 108, 116, 105, 112, 108, 101, 120, 101, 100, 10, 110, 111, 116, 105, 102, 121, 58, 105,
  100, 58, 75, 58, 117, 112, 100, 97, 116, 101, 58, 109, 101, 115, 115, 97, 103, 101, 84, 121, 112,
  101, 58, 107, 101, 121, 58, 112, 114, 105, 111, 114, 105, 116, 121, 58, 108, 111, 119, 58, 115,
  116, 114, 97, 116, 101, 103, 121, 58, 97, 108, 108, 58, 108, 97, 116, 101, 115, 116, 78, 58, 49,
  58, 110, 111, 116, 105, 102, 105, 101, 114, 58, 83, 89, 83, 84, 69, 77, 6, 58, 116, 116, 108, 110,
  58, 5, 58, 116, 116, 108, 58, 15, 58, 100, 97, 116, 97, 83, 105, 103, 110, 97, 116, 117, 114, 101,
  58, 13, 58, 105, 115, 69, 110, 99, 114, 121, 112, 116, 101, 100, 58, 14, 58, 115, 104, 97, 114,
  101, 100, 75, 101, 121, 69, 110, 99, 58, 10, 58, 112, 117, 98, 75, 101, 121, 67, 83, 58, 16, 58,
  101, 110, 99, 111, 100, 105, 110, 103, 58, 98, 97, 115, 101, 54, 52, 9, 58, 105, 118, 78, 111,
  110, 99, 101, 58, 4, 116, 114, 117, 101, 5, 102, 97, 108, 115, 101, 26, 101, 110, 114, 111, 108,
  108, 58, 114, 101, 113, 117, 101, 115, 116, 58, 123, 34, 97, 112, 112, 78, 97, 109, 101, 34, 58,
  14, 44, 34, 100, 101, 118, 105, 99, 101, 78, 97, 109, 101, 34, 58, 14, 44, 34, 110, 97, 109, 101,
  115, 112, 97, 99, 101, 115, 34, 58, 7, 44, 34, 111, 116, 112, 34, 58, 31, 44, 34, 101, 110, 99,
  114, 121, 112, 116, 101, 100, 65, 80, 75, 65, 77, 83, 121, 109, 109, 101, 116, 114, 105, 99, 75,
  101, 121, 34, 58, 34, 20, 34, 44, 34, 97, 112, 107, 97, 109, 80, 117, 98, 108, 105, 99, 75, 101,
  121, 34, 58, 34, 2, 34, 125, 17, 107, 101, 121, 115, 58, 103, 101, 116, 58, 107, 101, 121, 78, 97,
  109, 101, 58, 33, 46, 100, 101, 102, 97, 117, 108, 116, 95, 101, 110, 99, 95, 112, 114, 105, 118,
  97, 116, 101, 95, 107, 101, 121, 46, 95, 95, 109, 97, 110, 97, 103, 101, 30, 46, 100, 101, 102,
  97, 117, 108, 116, 95, 115, 101, 108, 102, 95, 101, 110, 99, 95, 107, 101, 121, 46, 95, 95, 109,
  97, 110, 97, 103, 101, 7, 112, 117, 98, 108, 105, 99, 58, 7, 99, 97, 99, 104, 101, 100, 58, 5,
  100, 97, 116, 97, 58, 6, 101, 114, 114, 111, 114, 58, 13, 110, 111, 116, 105, 102, 105, 99, 97,
  116, 105, 111, 110, 58, 4, 110, 117, 108, 108, 6, 98, 97, 115, 101, 54, 52, 20, 65, 69, 83, 47,
  67, 84, 82, 47, 80, 75, 67, 83, 55, 80, 97, 100, 100, 105, 110, 103, 3, 82, 83, 65, 4, 100, 97,
  116, 97, 8, 109, 101, 116, 97, 68, 97, 116, 97, 8, 109, 101, 116, 97, 100, 97, 116, 97, 5, 118,
  97, 108, 117, 101, 2, 105, 118, 2, 105, 100, 4, 102, 114, 111, 109, 3, 107, 101, 121, 9, 111, 112,
  101, 114, 97, 116, 105, 111, 110, 11, 101, 112, 111, 99, 104, 77, 105, 108, 108, 105, 115, 6, 115,
  116, 97, 116, 117, 115, 12, 101, 110, 114, 111, 108, 108, 109, 101, 110, 116, 73, 100, 9, 101,
  114, 114, 111, 114, 67, 111, 100, 101, 16, 101, 114, 114, 111, 114, 68, 101, 115, 99, 114, 105,
  112, 116, 105, 111, 110, 11, 105, 115, 69, 110, 99, 114, 121, 112, 116, 101, 100, 7, 105, 118, 78,
  111, 110, 99, 101, 12, 115, 104, 97, 114, 101, 100, 75, 101, 121, 69, 110, 99, 8, 112, 117, 98,
  75, 101, 121, 67, 83, 10, 112, 117, 98, 75, 101, 121, 72, 97, 115, 104, 4, 104, 97, 115, 104, 8,
  101, 110, 99, 111, 100, 105, 110, 103, 7, 101, 110, 99, 65, 108, 103, 111, 10, 101, 110, 99, 75,
  101, 121, 78, 97, 109, 101, 10, 115, 107, 101, 69, 110, 99, 65, 108, 103, 111, 13, 115, 107, 101,
  69, 110, 99, 75, 101, 121, 78, 97, 109, 101, 8, 97, 112, 112, 114, 111, 118, 101, 100, 7, 112,
  101, 110, 100, 105, 110, 103, 11, 105, 110, 118, 97, 108, 105, 100, 32, 111, 116, 112, 27, 65,
  110, 111, 116, 104, 101, 114, 32, 101, 110, 114, 111, 108, 108, 109, 101, 110, 116, 32, 119, 105,
  116, 104, 32, 105, 100, 32, 2, 45, 49, 27, 108, 105, 110, 107, 32, 103, 105, 118, 101, 110, 32,
  117, 112, 44, 32, 116, 114, 121, 105, 110, 103, 32, 97, 103, 97, 105, 110, 13, 115, 101, 115, 115,
  105, 111, 110, 32, 101, 110, 100, 101, 100, 21, 65, 84, 45, 65, 85, 84, 72, 45, 49, 32, 102, 105,
  110, 103, 101, 114, 112, 114, 105, 110, 116, 6, 110, 111, 116, 105, 102, 121, 6, 114, 101, 99,
  111, 114, 100, 4, 115, 101, 108, 102, 4, 115, 101, 97, 108, 7, 112, 114, 105, 118, 97, 116, 101,
  10, 101, 110, 114, 111, 108, 108, 45, 107, 101, 121, 12, 101, 110, 114, 111, 108, 108, 45, 112,
  114, 111, 111, 102, 10, 101, 110, 114, 111, 108, 108, 45, 109, 97, 99, 8, 97, 116, 97, 117, 116,
  104, 49, 58, 7, 95, 95, 97, 117, 116, 104, 49, 8, 105, 115, 66, 105, 110, 97, 114, 121, 28, 108,
  111, 111, 107, 117, 112, 58, 98, 121, 112, 97, 115, 115, 67, 97, 99, 104, 101, 58, 116, 114, 117,
  101, 58, 97, 108, 108, 58, 29, 97, 110, 111, 116, 104, 101, 114, 32, 112, 117, 98, 108, 105, 99,
  32, 107, 101, 121, 32, 119, 97, 115, 32, 115, 101, 114, 118, 101, 100,
]);

/** `from:` */
export const FROM: usize = WORDS + 0;
/** `pkam:signingAlgo:ecc_secp256r1:hashingAlgo:sha256:` */
export const PKAM_P256: usize = WORDS + 6;
/** `pkam:signingAlgo:rsa2048:hashingAlgo:sha256:` */
export const PKAM_RSA: usize = WORDS + 57;
/** `enrollmentId:` */
export const ENROLLMENT_ID: usize = WORDS + 102;
/** `lookup:` */
export const LOOKUP: usize = WORDS + 116;
/** `lookup:all:` */
export const LOOKUP_ALL: usize = WORDS + 124;
/** `llookup:` */
export const LLOOKUP: usize = WORDS + 136;
/** `llookup:all:` */
export const LLOOKUP_ALL: usize = WORDS + 145;
/** `llookup:cached:` */
export const LLOOKUP_CACHED: usize = WORDS + 158;
/** `plookup:` */
export const PLOOKUP: usize = WORDS + 174;
/** `plookup:all:` */
export const PLOOKUP_ALL: usize = WORDS + 183;
/** `publickey` */
export const PUBLICKEY: usize = WORDS + 196;
/** `shared_key` */
export const SHARED_KEY: usize = WORDS + 206;
/** `update` */
export const UPDATE: usize = WORDS + 217;
/** `delete:` */
export const DELETE: usize = WORDS + 224;
/** `scan` */
export const SCAN: usize = WORDS + 232;
/** `noop:0` */
export const NOOP: usize = WORDS + 237;
/** `monitor:multiplexed` */
export const MONITOR: usize = WORDS + 244;
/** `notify:id:` */
export const NOTIFY_ID: usize = WORDS + 264;
/** `:update:messageType:key:priority:low:strategy:all:latestN:1:notifier:SYSTEM` */
export const NOTIFY_UPDATE: usize = WORDS + 275;
/** `:ttln:` */
export const TTLN: usize = WORDS + 351;
/** `:ttl:` */
export const TTL: usize = WORDS + 358;
/** `:dataSignature:` */
export const DATA_SIGNATURE: usize = WORDS + 364;
/** `:isEncrypted:` */
export const IS_ENCRYPTED: usize = WORDS + 380;
/** `:sharedKeyEnc:` */
export const SHARED_KEY_ENC: usize = WORDS + 394;
/** `:pubKeyCS:` */
export const PUB_KEY_CS: usize = WORDS + 409;
/** `:encoding:base64` */
export const ENCODING_BASE64: usize = WORDS + 420;
/** `:ivNonce:` */
export const IV_NONCE: usize = WORDS + 437;
/** `true` */
export const TRUE: usize = WORDS + 447;
/** `false` */
export const FALSE: usize = WORDS + 452;
/** `enroll:request:{"appName":` */
export const ENROLL_REQUEST: usize = WORDS + 458;
/** `,"deviceName":` */
export const ENROLL_DEVICE: usize = WORDS + 485;
/** `,"namespaces":` */
export const ENROLL_NAMESPACES: usize = WORDS + 500;
/** `,"otp":` */
export const ENROLL_OTP: usize = WORDS + 515;
/** `,"encryptedAPKAMSymmetricKey":"` */
export const ENROLL_SYMMETRIC: usize = WORDS + 523;
/** `","apkamPublicKey":"` */
export const ENROLL_PUBLIC: usize = WORDS + 555;
/** `"}` */
export const ENROLL_END: usize = WORDS + 576;
/** `keys:get:keyName:` */
export const KEYS_GET: usize = WORDS + 579;
/** `.default_enc_private_key.__manage` */
export const KEYS_ENC: usize = WORDS + 597;
/** `.default_self_enc_key.__manage` */
export const KEYS_SELF: usize = WORDS + 631;
/** `public:` */
export const PUBLIC: usize = WORDS + 662;
/** `cached:` */
export const CACHED: usize = WORDS + 670;
/** `data:` */
export const DATA: usize = WORDS + 678;
/** `error:` */
export const ERROR: usize = WORDS + 684;
/** `notification:` */
export const NOTIFICATION: usize = WORDS + 691;
/** `null` */
export const NULL: usize = WORDS + 705;
/** `base64` */
export const BASE64: usize = WORDS + 710;
/** `AES/CTR/PKCS7Padding` */
export const AES_CTR: usize = WORDS + 717;
/** `RSA` */
export const RSA_WRAP: usize = WORDS + 738;
/** `data` */
export const NAME_DATA: usize = WORDS + 742;
/** `metaData` */
export const NAME_META: usize = WORDS + 747;
/** `metadata` */
export const NAME_METADATA: usize = WORDS + 756;
/** `value` */
export const NAME_VALUE: usize = WORDS + 765;
/** `iv` */
export const NAME_IV: usize = WORDS + 771;
/** `id` */
export const NAME_ID: usize = WORDS + 774;
/** `from` */
export const NAME_FROM: usize = WORDS + 777;
/** `key` */
export const NAME_KEY: usize = WORDS + 782;
/** `operation` */
export const NAME_OPERATION: usize = WORDS + 786;
/** `epochMillis` */
export const NAME_EPOCH: usize = WORDS + 796;
/** `status` */
export const NAME_STATUS: usize = WORDS + 808;
/** `enrollmentId` */
export const NAME_ENROLLMENT_ID: usize = WORDS + 815;
/** `errorCode` */
export const NAME_ERROR_CODE: usize = WORDS + 828;
/** `errorDescription` */
export const NAME_ERROR_TEXT: usize = WORDS + 838;
/** `isEncrypted` */
export const NAME_IS_ENCRYPTED: usize = WORDS + 855;
/** `ivNonce` */
export const NAME_IV_NONCE: usize = WORDS + 867;
/** `sharedKeyEnc` */
export const NAME_SHARED_KEY_ENC: usize = WORDS + 875;
/** `pubKeyCS` */
export const NAME_PUB_KEY_CS: usize = WORDS + 888;
/** `pubKeyHash` */
export const NAME_PUB_KEY_HASH: usize = WORDS + 897;
/** `hash` */
export const NAME_HASH: usize = WORDS + 908;
/** `encoding` */
export const NAME_ENCODING: usize = WORDS + 913;
/** `encAlgo` */
export const NAME_ENC_ALGO: usize = WORDS + 922;
/** `encKeyName` */
export const NAME_ENC_KEY_NAME: usize = WORDS + 930;
/** `skeEncAlgo` */
export const NAME_SKE_ENC_ALGO: usize = WORDS + 941;
/** `skeEncKeyName` */
export const NAME_SKE_ENC_KEY_NAME: usize = WORDS + 952;
/** `approved` */
export const APPROVED: usize = WORDS + 966;
/** `pending` */
export const PENDING: usize = WORDS + 975;
/** `invalid otp` */
export const OTP_INVALID: usize = WORDS + 983;
/** `Another enrollment with id ` */
export const ENROLLMENT_EXISTS: usize = WORDS + 995;
/** `-1` */
export const STATS_ID: usize = WORDS + 1023;
/** `link given up, trying again` */
export const LOG_BROKEN: usize = WORDS + 1026;
/** `session ended` */
export const LOG_ENDED: usize = WORDS + 1054;
/** `AT-AUTH-1 fingerprint` */
export const AUTH_LABEL: usize = WORDS + 1068;
/** `notify` */
export const NOTIFY: usize = WORDS + 1090;
/** `record` */
export const RECORD: usize = WORDS + 1097;
/** `self` */
export const SELF: usize = WORDS + 1104;
/** `seal` */
export const SEAL: usize = WORDS + 1109;
/** `private` */
export const PRIVATE: usize = WORDS + 1114;
/** `enroll-key` */
export const ENROLL_KEY: usize = WORDS + 1122;
/** `enroll-proof` */
export const ENROLL_PROOF: usize = WORDS + 1133;
/** `enroll-mac` */
export const ENROLL_MAC: usize = WORDS + 1146;
/** `atauth1:` */
export const PROOF: usize = WORDS + 1157;
/** `__auth1` */
export const AUTH_RECORD: usize = WORDS + 1166;
/** `isBinary` */
export const NAME_IS_BINARY: usize = WORDS + 1174;
/** `lookup:bypassCache:true:all:` */
export const LOOKUP_NOW: usize = WORDS + 1183;
/** `another public key was served` */
export const LOG_OTHER_KEY: usize = WORDS + 1212;
