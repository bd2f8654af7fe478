// SPDX-License-Identifier: BSD-3-Clause
import type { StoredRecord } from "../../store/store.ts";
import { parseAtKey } from "../../wire/atkey.ts";
import { AtError, quoted } from "../../wire/errors.ts";
import type { Metadata, MetadataOptions } from "../../wire/metadata.ts";
import { PUBLIC_CACHE_TTL_MILLIS, type Tuning } from "../config/config.ts";
import { isActive, type Records } from "../records/records.ts";
import { cacheOptions, parseLookupAnswer } from "./lookupAnswer.ts";
import type { Peers } from "./peers.ts";
import type { PeerUsage } from "./peerUsage.ts";
import type { OnCommit, PublicKeys } from "./publicKeys.ts";

export interface RemoteRecord {
  key: string;
  record: StoredRecord;
}

interface RemoteLookupOptions {
  records: Records;
  publicKeys: PublicKeys;
  peers: Peers;
  usage: PeerUsage;
  onCommit: OnCommit;
  atSign: string;
  now: () => number;
  tuning: Tuning;
}

/** Records of other atSigns: their cached copies, and asking for them (atProtocol, caching). */
export class RemoteLookup {
  private readonly records: Records;
  private readonly publicKeys: PublicKeys;
  private readonly peers: Peers;
  private readonly usage: PeerUsage;
  private readonly onCommit: OnCommit;
  private readonly atSign: string;
  private readonly now: () => number;
  private readonly tuning: Tuning;

  constructor(options: RemoteLookupOptions) {
    this.records = options.records;
    this.publicKeys = options.publicKeys;
    this.peers = options.peers;
    this.usage = options.usage;
    this.onCommit = options.onCommit;
    this.atSign = options.atSign;
    this.now = options.now;
    this.tuning = options.tuning;
  }

  /** `entity@owner` shared with the own atSign, from the cache or from its owner. Throws AT0015 when there is none. */
  shared(name: string, owner: string, bypassCache: boolean): Promise<RemoteRecord> {
    return this.read(`${this.atSign}:${name}${owner}`, name, owner, bypassCache);
  }

  /** `public:entity@owner`, likewise. */
  public(name: string, owner: string, bypassCache: boolean): Promise<RemoteRecord> {
    return this.read(`public:${name}${owner}`, name, owner, bypassCache);
  }

  /**
   * Asks for the original of a cached record: one that changed is written over the copy, one that is gone takes the copy
   * along. Throws what kept it from asking; the copy then stays.
   */
  async refresh(cachedKey: string): Promise<void> {
    const key = cachedKey.slice("cached:".length);
    const { visibility, entity, namespace, owner } = parseAtKey(key);
    if (owner === undefined || owner === this.atSign) return;
    const name = namespace === undefined ? entity : `${entity}.${namespace}`;
    const isPublic = visibility === "public";
    try {
      const found = await this.ask(name, owner, isPublic, cachedKey, key);
      if (found.value === this.records.get(cachedKey)?.value) return;
      await this.cache(cachedKey, found, isPublic, owner);
    } catch (error) {
      if (!(error instanceof AtError) || error.code !== "AT0015") throw error;
    }
  }

  private async read(
    key: string,
    name: string,
    owner: string,
    bypassCache: boolean,
  ): Promise<RemoteRecord> {
    const cachedKey = `cached:${key}`;
    const isPublic = key.startsWith("public:");
    if (!bypassCache) {
      const cached = this.records.get(cachedKey);
      if (cached !== undefined && this.isFresh(cached.metadata)) {
        return { key: cachedKey, record: cached };
      }
    }
    const found = await this.ask(name, owner, isPublic, cachedKey, key);
    if (owner !== this.atSign) await this.cache(cachedKey, found, isPublic, owner);
    return { key, record: found };
  }

  private isFresh(metadata: Metadata): boolean {
    const now = this.now();
    if (!isActive(metadata, now)) return false;
    return metadata.ttr === -1 || (metadata.refreshAt !== undefined && now <= metadata.refreshAt);
  }

  private async ask(
    name: string,
    owner: string,
    isPublic: boolean,
    cachedKey: string,
    key: string,
  ): Promise<StoredRecord> {
    const purpose = isPublic ? "anonymous" : "lookup";
    const timeout = this.tuning.peerLookupTimeoutMillis;
    try {
      const answer = await this.peers.request(
        owner,
        purpose,
        `lookup:all:${name}${owner}`,
        timeout,
      );
      const found = parseLookupAnswer(answer);
      if (found !== undefined) return found;
    } catch (error) {
      if (error instanceof AtError && error.code === "AT0015") await this.dropCached(cachedKey);
      throw error;
    }
    await this.dropCached(cachedKey);
    throw new AtError("AT0015", `${quoted(key)} does not exist in keystore`);
  }

  private async dropCached(key: string): Promise<void> {
    if (key.startsWith("cached:public:publickey@") || this.records.get(key) === undefined) return;
    this.onCommit(await this.records.remove(key), "delete");
  }

  private async cache(
    key: string,
    found: StoredRecord,
    isPublic: boolean,
    owner: string,
  ): Promise<void> {
    if (key.startsWith("cached:public:publickey@")) {
      if (found.value !== null) await this.publicKeys.keep(owner, found.value, found.metadata);
      return;
    }
    const options = cacheOptions(found.metadata);
    const cacheable = typeof options.ttr === "number" && options.ttr !== 0;
    if (!cacheable && !isPublic) return;
    if (!cacheable) options.ttl = PUBLIC_CACHE_TTL_MILLIS;
    const createdBy = found.metadata.createdBy ?? owner;
    const release = this.roomFor(key, owner, found.value, options);
    if (release === undefined) return;
    try {
      const commitId = await this.records.put(key, found.value, options, { createdBy });
      this.onCommit(commitId, "update");
    } finally {
      release();
    }
  }

  /** Reserves room for a copy; returns what releases it, undefined when too much of the owner is kept already. */
  private roomFor(
    key: string,
    owner: string,
    value: string | null,
    options: MetadataOptions,
  ): (() => void) | undefined {
    try {
      return this.usage.reserveCopy(key, owner, value, options);
    } catch (error) {
      if (error instanceof AtError && error.code === "AT0028") return undefined;
      throw error;
    }
  }
}
