// SPDX-License-Identifier: BSD-3-Clause
import { aesDecryptText, aesEncryptText, generateIv, ZERO_IV } from "../crypto/aesCtr.ts";
import { base2e15Decode, base2e15Encode } from "../crypto/base2e15.ts";
import type { AtKeys } from "../crypto/keyFile.ts";
import { rsaSign } from "../crypto/rsa.ts";
import { atSignName } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import type { Metadata, MetadataOptions } from "../wire/metadata.ts";
import type { SharedKeys } from "./sharedKeys.ts";

/** A value before encryption: text, or bytes, which travel as Base2e15 text. */
export type PlainValue = string | Uint8Array;

/** A value as the wire carries it, with the metadata a reader needs to decode it. */
export type Encoded = {
  readonly text: string;
  readonly metadata: MetadataOptions;
  /** To be thrown once the value was sent: its recipient may be unable to read it. */
  readonly complaint?: AtError | undefined;
};

/** What a record or notification held; whether it came encrypted: otherwise anyone on its way could have written it. */
export type Decoded = { readonly value: PlainValue; readonly encrypted: boolean };

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

  /** Signed with the encryption key, in clear; base64 where the wire doesn't keep a text as it is. Throws AT0022. */
  encodePublic(value: PlainValue): Encoded {
    const { text, isBinary } = asText(value);
    if (text === "") {
      const remedy = "delete the record, or put a text that says that there is nothing";
      throw new AtError("AT0022", `a public record can't be empty: ${remedy}`);
    }
    const dataSignature = rsaSign(text, this.keys.encryptPrivateKey);
    const metadata = { dataSignature, ...isBinary, isEncrypted: false };
    if (isKeptAsItIs(text)) return { text, metadata };
    return {
      text: Buffer.from(text).toString("base64"),
      metadata: { ...metadata, encoding: "base64" },
    };
  }

  /** Encrypted with the self key, for this atSign alone. Throws AT0022 for a text that UTF-8 can't carry. */
  encodeSelf(value: PlainValue): Encoded {
    const { text, isBinary } = asText(value);
    const { iv, ivNonce } = this.nonce();
    return {
      text: aesEncryptText(text, this.keys.selfEncryptionKey, iv),
      metadata: { ...isBinary, isEncrypted: true, ...ivNonce },
    };
  }

  /**
   * Encrypted for `sharedWith`, with the key between the two. Rejects with AT0022 as encodeSelf throws, and as
   * SharedKeys.keyFor.
   */
  async encodeShared(value: PlainValue, sharedWith: string): Promise<Encoded> {
    const { text, isBinary } = asText(value);
    const { key, sharedKeyEnc, pubKeyCS, isMine } = await this.sharedKeys.keyFor(sharedWith);
    const { iv, ivNonce } = this.nonce();
    return {
      text: aesEncryptText(text, key, iv),
      metadata: { ...isBinary, isEncrypted: true, sharedKeyEnc, pubKeyCS, ...ivNonce },
      complaint: isMine ? undefined : lostKey(this.keys.atSign, sharedWith),
    };
  }

  /** A public value; and the text that its owner signed. */
  decodePublic(text: string, metadata: Metadata): { value: PlainValue; signed: string } {
    const signed =
      metadata.encoding === "base64" ? Buffer.from(text, "base64").toString("utf8") : text;
    return { value: fromText(signed, metadata), signed };
  }

  /** What came without encryption although it is not public, for a caller who accepts that. Throws AT0014 for others. */
  decodeUnprotected(text: string, metadata: Metadata, what: string, accepted: boolean): Decoded {
    if (accepted) return { value: this.decodePublic(text, metadata).value, encrypted: false };
    const message = `${what} came as plaintext, which anyone on its way could have written`;
    throw new AtError(
      "AT0014",
      `${message}: it is read only by who accepts that (--accept-plaintext)`,
    );
  }

  /** What encodeSelf encrypted. Throws AT0014 when it can't be decrypted. */
  decodeSelf(text: string, metadata: Metadata): PlainValue {
    return this.decrypt(text, this.keys.selfEncryptionKey, metadata);
  }

  /**
   * What I shared with an atSign, read back. Rejects with AT0015 when I never shared anything, AT0014 when it can't be
   * decrypted.
   */
  async decodeSharedByMe(
    text: string,
    metadata: Metadata,
    sharedWith: string,
  ): Promise<PlainValue> {
    return this.decrypt(text, await this.sharedKeys.ownKeyFor(sharedWith), metadata);
  }

  /**
   * What an atSign shared with me. Rejects with AT0014 when no key of the sender decrypts it, else as
   * SharedKeys.keysFrom.
   */
  async decodeSharedWithMe(
    text: string,
    metadata: Metadata,
    sharedBy: string,
  ): Promise<PlainValue> {
    let cause: unknown;
    for (const key of await this.sharedKeys.keysFrom(sharedBy, metadata)) {
      try {
        return this.decrypt(text, key, metadata);
      } catch (error) {
        cause ??= error;
      }
    }
    const message = `the value can't be decrypted: ${sharedBy} or ${this.keys.atSign} may have been reset since it was shared`;
    throw new AtError("AT0014", message, { cause });
  }

  private decrypt(text: string, key: string, metadata: Metadata): PlainValue {
    const { encAlgo, encKeyName } = metadata;
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
    return fromText(aesDecryptText(text, key, metadata.ivNonce ?? ZERO_IV), metadata);
  }

  private nonce(): { iv: string; ivNonce: MetadataOptions } {
    if (this.legacyIv) return { iv: ZERO_IV, ivNonce: {} };
    const iv = generateIv();
    return { iv, ivNonce: { ivNonce: iv } };
  }
}

/** Bytes travel as Base2e15 text. Throws AT0022 for a text that UTF-8 can't carry. */
function asText(value: PlainValue): { text: string; isBinary: MetadataOptions } {
  if (typeof value !== "string")
    return { text: base2e15Encode(value), isBinary: { isBinary: true } };
  if (/\p{Surrogate}/u.test(value)) {
    const remedy = "it is no text that can be sent; give the bytes";
    throw new AtError("AT0022", `the value has half of a surrogate pair: ${remedy}`);
  }
  return { text: value, isBinary: {} };
}

/** Throws AT0014 when the metadata says Base2e15 and the text is not. */
function fromText(text: string, { isBinary }: Metadata): PlainValue {
  if (isBinary !== true) return text;
  try {
    return base2e15Decode(text);
  } catch (cause) {
    throw new AtError("AT0014", "the value is said to be binary, and is not", { cause });
  }
}

/** Not: line ends and other control characters, white space around it, what stands for "no value". */
function isKeptAsItIs(text: string): boolean {
  return !/\p{Cc}/u.test(text) && text.trim() === text && text !== "null";
}

function lostKey(me: string, sharedWith: string): AtError {
  const record = `shared_key.${atSignName(sharedWith)}${me}`;
  const message = `it was sent, but ${sharedWith} may be unable to read it: my copy of the key, ${record}, can't be opened`;
  return new AtError("AT0014", `${message}; delete that record, and a new key is made`);
}
