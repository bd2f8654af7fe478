// SPDX-License-Identifier: BSD-3-Clause
import { generateAesKey } from "../crypto/aesCtr.ts";
import { publicKeyChecksum, publicKeyHash } from "../crypto/checksum.ts";
import type { AtKeys } from "../crypto/keyFile.ts";
import { rsaEncrypt, rsaUnwrapKey, type UnwrappedKey } from "../crypto/rsa.ts";
import { atSignName } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import type { Metadata } from "../wire/metadata.ts";
import { type Fetched, KNOWN_KEY_MILLIS, type Schedule, SenderKeys } from "./senderKeys.ts";
import type { Session } from "./session.ts";

/** Senders whose keys are kept; the one longest unused goes first. */
const MAX_SENDERS = 1_000;

/** What goes with data encrypted for another atSign. */
export type OutgoingKey = {
  /** AES-256 key, base64. */
  readonly key: string;
  /** The same, encrypted to the recipient. */
  readonly sharedKeyEnc: string;
  readonly pubKeyCS: string;
  /** My own copy of it could be opened. Otherwise what is sent looks the same, and the user is warned afterwards. */
  readonly isMine: boolean;
};

type Finding = { key: Promise<OutgoingKey>; foundAt: number; login: number };

/**
 * The AES keys between this atSign and others, one for each direction (atProtocol, sharing). A key
 * is made only when the atServer says that there is none: after any other error the old one may
 * still be there, and a new one would make what it encrypted unreadable.
 */
export class SharedKeys {
  private readonly session: Session;
  private readonly keys: AtKeys;
  private readonly schedule: Schedule;
  private readonly outgoing = new Map<string, Finding>();
  private readonly senders = new Map<string, SenderKeys>();

  constructor(session: Session, keys: AtKeys, schedule: Schedule) {
    this.session = session;
    this.keys = keys;
    this.schedule = schedule;
  }

  /**
   * The key for what I share with an atSign, made when there is none. Rejects as Session.request, AT0015 included when
   * the atSign has no public key.
   */
  async keyFor(atSign: string): Promise<OutgoingKey> {
    const known = this.outgoing.get(atSign);
    if (known !== undefined && this.isFresh(known)) return await known.key;
    const finding = {
      key: this.findOrCreate(atSign),
      foundAt: this.schedule.now(),
      login: this.schedule.logins(),
    };
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

  /**
   * The keys that what an atSign shared with me may be encrypted with, the likeliest first: the one that came with it, else
   * that of the record it shares. Rejects when there is none.
   */
  async keysFrom(atSign: string, metadata: Metadata): Promise<string[]> {
    this.checkPublicKey(atSign, metadata);
    const sender = this.sender(atSign);
    if (metadata.sharedKeyEnc === undefined) return [await this.sharedBy(atSign, sender)];
    const key = sender.open(metadata.sharedKeyEnc, (wrapped) => this.unwrap(wrapped));
    if (key !== undefined) return [key];
    return await this.knownKeys(atSign, sender);
  }

  /** Senders wrap a key anew now and then: one that came wrapped too often is likely one that is known. */
  private async knownKeys(atSign: string, sender: SenderKeys): Promise<string[]> {
    const { latest } = sender;
    try {
      const shared = await this.sharedBy(atSign, sender);
      return latest === undefined ? [shared] : [shared, latest];
    } catch (error) {
      if (latest === undefined) throw error;
      return [latest];
    }
  }

  private sharedBy(atSign: string, sender: SenderKeys): Promise<string> {
    return sender.shared(() => this.fetchShared(atSign));
  }

  /** Asks the sender's atServer, and takes a copy that mine keeps, which may be too old, when that can't be asked. */
  private async fetchShared(atSign: string): Promise<Fetched> {
    const fresh = await this.fetch(`lookup:bypassCache:true:shared_key${atSign}`);
    if ("key" in fresh) return fresh;
    const copy = await this.fetch(`llookup:cached:${this.keys.atSign}:shared_key${atSign}`);
    return "key" in copy ? copy : fresh;
  }

  private async fetch(line: string): Promise<Fetched> {
    try {
      const wrapped = await this.session.request(line);
      if (wrapped !== "null") return { key: this.unwrap(wrapped) };
      return { error: new AtError("AT0015", "the sender's shared key has no value now") };
    } catch (error) {
      return { error };
    }
  }

  private sender(atSign: string): SenderKeys {
    const sender = this.senders.get(atSign) ?? new SenderKeys(this.schedule);
    this.senders.delete(atSign);
    this.senders.set(atSign, sender);
    for (const oldest of this.senders.keys()) {
      if (this.senders.size <= MAX_SENDERS) break;
      this.senders.delete(oldest);
    }
    return sender;
  }

  private isFresh({ foundAt, login }: Finding): boolean {
    if (login !== this.schedule.logins()) return false;
    return this.schedule.now() - foundAt < KNOWN_KEY_MILLIS;
  }

  private ownRecord(atSign: string): string {
    return `shared_key.${atSignName(atSign)}${this.keys.atSign}`;
  }

  private async findOrCreate(atSign: string): Promise<OutgoingKey> {
    const mine = this.ownRecord(atSign);
    const theirs = `${atSign}:shared_key${this.keys.atSign}`;
    const wrapped = await this.session.requestIfThere(`llookup:${mine}`);
    const publicKey = await this.session.request(`plookup:publickey${atSign}`);
    const { key, wasHeld: isMine } =
      wrapped === undefined ? { key: generateAesKey(), wasHeld: true } : this.open(wrapped);
    const sharedKeyEnc = rsaEncrypt(key, publicKey);
    if (wrapped === undefined) {
      // My own copy first: the other atSign must never hold a key that I have lost.
      const forMe = rsaEncrypt(key, this.keys.encryptPublicKey);
      await this.session.request(`update:${mine} ${forMe}`);
      await this.session.request(`update:${theirs} ${sharedKeyEnc}`);
    } else if ((await this.session.requestIfThere(`llookup:${theirs}`)) === undefined) {
      await this.session.request(`update:${theirs} ${sharedKeyEnc}`);
    }
    return { key, sharedKeyEnc, pubKeyCS: publicKeyChecksum(publicKey), isMine };
  }

  private open(wrapped: string): UnwrappedKey {
    return rsaUnwrapKey(wrapped, this.keys.encryptPrivateKey);
  }

  private unwrap(wrapped: string): string {
    return this.open(wrapped).key;
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
