// SPDX-License-Identifier: BSD-3-Clause
import { generateAesKey } from "../crypto/aesCtr.ts";
import { publicKeyChecksum, publicKeyHash } from "../crypto/checksum.ts";
import type { AtKeys } from "../crypto/keyFile.ts";
import { rsaDecrypt, rsaEncrypt } from "../crypto/rsa.ts";
import { atSignName } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import type { Metadata } from "../wire/metadata.ts";
import type { Session } from "./session.ts";

/** How long a recipient's public key is taken as unchanged: an atSign may be reset. */
const PUBLIC_KEY_MILLIS = 3_600_000;

/** What goes with data encrypted for another atSign. */
export type OutgoingKey = {
  /** AES-256 key, base64. */
  readonly key: string;
  /** The same, encrypted to the recipient. */
  readonly sharedKeyEnc: string;
  readonly pubKeyCS: string;
};

/**
 * The AES keys between this atSign and others, one for each direction (atProtocol, sharing). A key
 * is made only when the atServer says that there is none: after any other error the old one may
 * still be there, and a new one would make what it encrypted unreadable.
 */
export class SharedKeys {
  private readonly session: Session;
  private readonly keys: AtKeys;
  private readonly outgoing = new Map<string, { key: Promise<OutgoingKey>; foundAt: number }>();
  private readonly incoming = new Map<string, string>();
  /** The last wrapped key of each sender and what it held: senders repeat it with every value. */
  private readonly unwrapped = new Map<string, { wrapped: string; key: string }>();

  constructor(session: Session, keys: AtKeys) {
    this.session = session;
    this.keys = keys;
  }

  /** The key for what I share with an atSign, made when there is none. */
  async keyFor(atSign: string): Promise<OutgoingKey> {
    const known = this.outgoing.get(atSign);
    const now = performance.now();
    if (known !== undefined && now - known.foundAt < PUBLIC_KEY_MILLIS) return await known.key;
    const finding = { key: this.findOrCreate(atSign), foundAt: now };
    this.outgoing.set(atSign, finding);
    try {
      return await finding.key;
    } catch (error) {
      if (this.outgoing.get(atSign) === finding) this.outgoing.delete(atSign);
      throw error;
    }
  }

  /** The key of what I shared before. Rejects with AT0015 when I never did. */
  async ownKeyFor(atSign: string): Promise<string> {
    const known = this.outgoing.get(atSign);
    if (known !== undefined) return (await known.key).key;
    return this.unwrap(await this.session.request(`llookup:${this.ownRecord(atSign)}`));
  }

  /** The key of what an atSign shared with me; `fresh` asks its atServer whatever is known here. */
  async keyFrom(atSign: string, metadata: Metadata, fresh = false): Promise<string> {
    this.checkPublicKey(atSign, metadata);
    if (metadata.sharedKeyEnc !== undefined) return this.unwrapFrom(atSign, metadata.sharedKeyEnc);
    const known = this.incoming.get(atSign);
    if (known !== undefined && !fresh) return known;
    const { atSign: me } = this.keys;
    const cached = fresh
      ? undefined
      : await this.session.requestIfThere(`llookup:cached:${me}:shared_key${atSign}`);
    const bypass = fresh ? "bypassCache:true:" : "";
    const wrapped =
      cached === undefined || cached === "null"
        ? await this.session.request(`lookup:${bypass}shared_key${atSign}`)
        : cached;
    const key = this.unwrap(wrapped);
    this.incoming.set(atSign, key);
    return key;
  }

  private ownRecord(atSign: string): string {
    return `shared_key.${atSignName(atSign)}${this.keys.atSign}`;
  }

  private async findOrCreate(atSign: string): Promise<OutgoingKey> {
    const mine = this.ownRecord(atSign);
    const theirs = `${atSign}:shared_key${this.keys.atSign}`;
    const wrapped = await this.session.requestIfThere(`llookup:${mine}`);
    const publicKey = await this.session.request(`plookup:publickey${atSign}`);
    const key = wrapped === undefined ? generateAesKey() : this.unwrap(wrapped);
    const sharedKeyEnc = rsaEncrypt(key, publicKey);
    if (wrapped === undefined) {
      // My own copy first: the other atSign must never hold a key that I have lost.
      const forMe = rsaEncrypt(key, this.keys.encryptPublicKey);
      await this.session.request(`update:${mine} ${forMe}`);
      await this.session.request(`update:${theirs} ${sharedKeyEnc}`);
    } else if ((await this.session.requestIfThere(`llookup:${theirs}`)) === undefined) {
      await this.session.request(`update:${theirs} ${sharedKeyEnc}`);
    }
    return { key, sharedKeyEnc, pubKeyCS: publicKeyChecksum(publicKey) };
  }

  private unwrapFrom(atSign: string, wrapped: string): string {
    const known = this.unwrapped.get(atSign);
    if (known?.wrapped === wrapped) return known.key;
    const key = this.unwrap(wrapped);
    this.unwrapped.set(atSign, { wrapped, key });
    return key;
  }

  private unwrap(wrapped: string): string {
    return rsaDecrypt(wrapped, this.keys.encryptPrivateKey);
  }

  /** A sender that encrypted to a public key I no longer have: say so, rather than fail at random. */
  private checkPublicKey(atSign: string, metadata: Metadata): void {
    const { encryptPublicKey } = this.keys;
    const { pubKeyCS, pubKeyHash } = metadata;
    const changed =
      pubKeyHash?.algo === "sha512"
        ? pubKeyHash.hash !== publicKeyHash(encryptPublicKey)
        : pubKeyCS !== undefined && pubKeyCS !== publicKeyChecksum(encryptPublicKey);
    if (!changed) return;
    throw new AtError(
      "AT0014",
      `${atSign} encrypted this for an older public key of ${this.keys.atSign}: ask ${atSign} to share it again`,
    );
  }
}
