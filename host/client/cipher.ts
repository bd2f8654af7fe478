// SPDX-License-Identifier: BSD-3-Clause
import { aesDecryptText, aesEncryptText, generateIv, ZERO_IV } from "../crypto/aesCtr.ts";
import { base2e15Decode, base2e15Encode } from "../crypto/base2e15.ts";
import type { AtKeys } from "../crypto/keyFile.ts";
import { rsaSign } from "../crypto/rsa.ts";
import { AtError } from "../wire/errors.ts";
import type { Metadata, MetadataOptions } from "../wire/metadata.ts";
import type { SharedKeys } from "./sharedKeys.ts";

/** A value before encryption: text, or bytes, which travel as Base2e15 text. */
export type PlainValue = string | Uint8Array;

export type Encoded = { readonly text: string; readonly metadata: MetadataOptions };

/** The algorithms that a record may name; absent means the same. */
const DATA_ALGORITHM = "AES/CTR/PKCS7Padding";
const KEY_RECORD = "shared_key";

/** Turns values into what an atServer stores and back. */
export class ValueCipher {
  private readonly keys: AtKeys;
  private readonly sharedKeys: SharedKeys;
  private readonly legacyIv: boolean;

  constructor(keys: AtKeys, sharedKeys: SharedKeys, legacyIv: boolean) {
    this.keys = keys;
    this.sharedKeys = sharedKeys;
    this.legacyIv = legacyIv;
  }

  /** Signed with the encryption key, in clear; base64 where the text has line ends. */
  encodePublic(value: PlainValue): Encoded {
    const { text, isBinary } = asText(value);
    const dataSignature = rsaSign(text, this.keys.encryptPrivateKey);
    const metadata = { dataSignature, ...isBinary, isEncrypted: false };
    if (!/[\r\n]/.test(text)) return { text, metadata };
    return {
      text: Buffer.from(text).toString("base64"),
      metadata: { ...metadata, encoding: "base64" },
    };
  }

  encodeSelf(value: PlainValue): Encoded {
    const { text, isBinary } = asText(value);
    const { iv, ivNonce } = this.nonce();
    return {
      text: aesEncryptText(text, this.keys.selfEncryptionKey, iv),
      metadata: { ...isBinary, isEncrypted: true, ...ivNonce },
    };
  }

  async encodeShared(value: PlainValue, sharedWith: string): Promise<Encoded> {
    const { key, sharedKeyEnc, pubKeyCS } = await this.sharedKeys.keyFor(sharedWith);
    const { text, isBinary } = asText(value);
    const { iv, ivNonce } = this.nonce();
    return {
      text: aesEncryptText(text, key, iv),
      metadata: { ...isBinary, isEncrypted: true, sharedKeyEnc, pubKeyCS, ...ivNonce },
    };
  }

  decodePublic(text: string, metadata: Metadata): PlainValue {
    const decoded =
      metadata.encoding === "base64" ? Buffer.from(text, "base64").toString("utf8") : text;
    return metadata.isBinary === true ? base2e15Decode(decoded) : decoded;
  }

  decodeSelf(text: string, metadata: Metadata): PlainValue {
    return this.decrypt(text, this.keys.selfEncryptionKey, metadata);
  }

  /** What I shared with an atSign, read back. */
  async decodeSharedByMe(
    text: string,
    metadata: Metadata,
    sharedWith: string,
  ): Promise<PlainValue> {
    return this.decrypt(text, await this.sharedKeys.ownKeyFor(sharedWith), metadata);
  }

  /** What an atSign shared with me. A key that doesn't fit is looked up afresh, once. */
  async decodeSharedWithMe(
    text: string,
    metadata: Metadata,
    sharedBy: string,
  ): Promise<PlainValue> {
    const key = await this.sharedKeys.keyFrom(sharedBy, metadata);
    try {
      return this.decrypt(text, key, metadata);
    } catch (cause) {
      const fresh =
        metadata.sharedKeyEnc === undefined
          ? await this.sharedKeys.keyFrom(sharedBy, metadata, true)
          : key;
      if (fresh !== key) return this.decrypt(text, fresh, metadata);
      const message = `the value can't be decrypted: ${sharedBy} or ${this.keys.atSign} may have been reset since it was shared`;
      throw new AtError("AT0014", message, { cause });
    }
  }

  private decrypt(text: string, key: string, metadata: Metadata): PlainValue {
    const { encAlgo, encKeyName, isBinary } = metadata;
    if ((encAlgo ?? DATA_ALGORITHM) !== DATA_ALGORITHM) {
      throw new AtError(
        "AT0014",
        `the value is encrypted with ${encAlgo}, which is not known here`,
      );
    }
    if ((encKeyName ?? KEY_RECORD) !== KEY_RECORD) {
      throw new AtError(
        "AT0014",
        `the value is encrypted with the key ${encKeyName}, unknown here`,
      );
    }
    const plain = aesDecryptText(text, key, metadata.ivNonce ?? ZERO_IV);
    return isBinary === true ? base2e15Decode(plain) : plain;
  }

  private nonce(): { iv: string; ivNonce: MetadataOptions } {
    if (this.legacyIv) return { iv: ZERO_IV, ivNonce: {} };
    const iv = generateIv();
    return { iv, ivNonce: { ivNonce: iv } };
  }
}

function asText(value: PlainValue): { text: string; isBinary: MetadataOptions } {
  if (typeof value === "string") return { text: value, isBinary: {} };
  return { text: base2e15Encode(value), isBinary: { isBinary: true } };
}
