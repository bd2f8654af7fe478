// SPDX-License-Identifier: BSD-3-Clause
import type { StoredRecord } from "../../store/store.ts";
import { parseAtKey } from "../../wire/atkey.ts";
import { atSignName } from "../../wire/atsign.ts";
import { AtError, quoted } from "../../wire/errors.ts";
import { jsonLimits, parseJson } from "../../wire/json.ts";
import { type Metadata, type MetadataOptions, metadataFromJson } from "../../wire/metadata.ts";
import { PUBLIC_CACHE_TTL_MILLIS, type Tuning } from "../config/config.ts";
import type { Monitors } from "../notifications/monitors.ts";
import { isActive, type Records } from "../records/records.ts";
import type { Peers } from "./peers.ts";
import type { PeerUsage } from "./peerUsage.ts";

export interface RemoteRecord {
  key: string;
  record: StoredRecord;
}

/** Reads what a peer answers to `lookup:all`; undefined for `null`. Throws AT0011 for anything else. */
function parseAll(answer: string): { value: string | null; metadata: Metadata } | undefined {
  if (answer === "null") return undefined;
  try {
    const json = parseJson(answer, jsonLimits.answer);
    if (typeof json === "object" && json !== null) {
      const { data, metaData } = json as Record<string, unknown>;
      const metadata =
        typeof metaData === "object" && metaData !== null
          ? metadataFromJson(metaData as Record<string, unknown>)
          : {};
      if (typeof data === "string" || data === null) return { value: data, metadata };
    }
  } catch (cause) {
    throw new AtError("AT0011", "The peer's answer can't be read", { cause });
  }
  throw new AtError("AT0011", "The peer's answer can't be read");
}

/** What of a peer's metadata a cached copy keeps. */
export function cacheOptions(metadata: Metadata): MetadataOptions {
  const { ttl, ttr, ccd, isBinary, isEncrypted, dataSignature, sharedKeyEnc, pubKeyCS } = metadata;
  const { pubKeyHash, encoding, encKeyName, encAlgo, ivNonce } = metadata;
  const { skeEncKeyName, skeEncAlgo, appMetadata } = metadata;
  return {
    ttl: ttl ?? 0,
    ttr: ttr ?? null,
    ccd: ccd ?? false,
    isBinary: isBinary ?? false,
    isEncrypted: isEncrypted ?? false,
    dataSignature: dataSignature ?? null,
    sharedKeyEnc: sharedKeyEnc ?? null,
    pubKeyCS: pubKeyCS ?? null,
    pubKeyHash: pubKeyHash ?? null,
    encoding: encoding ?? null,
    encKeyName: encKeyName ?? null,
    encAlgo: encAlgo ?? null,
    ivNonce: ivNonce ?? null,
    skeEncKeyName: skeEncKeyName ?? null,
    skeEncAlgo: skeEncAlgo ?? null,
    appMetadata: appMetadata ?? null,
  };
}

/** Records of other atSigns: their cached copies, and asking for them (atProtocol, caching). */
export class RemoteLookup {
  private readonly records: Records;
  private readonly monitors: Monitors;
  private readonly atSign: string;
  private readonly now: () => number;
  private readonly tuning: Tuning;
  private readonly usage: PeerUsage;
  private peers: Peers | undefined;

  constructor(
    records: Records,
    monitors: Monitors,
    atSign: string,
    now: () => number,
    tuning: Tuning,
    usage: PeerUsage,
  ) {
    this.records = records;
    this.monitors = monitors;
    this.atSign = atSign;
    this.now = now;
    this.tuning = tuning;
    this.usage = usage;
  }

  /** The connections to ask through; they in turn report public keys here. */
  attach(peers: Peers): void {
    this.peers = peers;
  }

  /** `entity@owner` shared with the own atSign, from the cache or from its owner. Throws AT0015 when there is none. */
  shared(name: string, owner: string, bypassCache: boolean): Promise<RemoteRecord> {
    return this.read(`${this.atSign}:${name}${owner}`, name, owner, bypassCache);
  }

  /** `public:entity@owner`, likewise. */
  public(name: string, owner: string, bypassCache: boolean): Promise<RemoteRecord> {
    return this.read(`public:${name}${owner}`, name, owner, bypassCache);
  }

  /** Takes a peer's answer to `lookup:all:publickey@peer`. */
  async rememberPublicKey(peer: string, answer: string): Promise<void> {
    const found = parseAll(answer);
    if (found === undefined || found.value === null || peer === this.atSign) return;
    await this.keepPublicKey(peer, found.value, found.metadata);
  }

  /** Keeps a peer's public encryption key for ever, and sets the keys shared under an earlier one aside. */
  async keepPublicKey(peer: string, value: string, metadata: Metadata): Promise<void> {
    const key = `cached:public:publickey${peer}`;
    if (this.records.get(key)?.value === value) return;
    const shared = `shared_key.${atSignName(peer)}${this.atSign}`;
    const aside = `shared_key.${atSignName(peer)}.until.${this.now()}${this.atSign}`;
    const commitId = await this.records.store.write((writer) => {
      const known = writer.record(key)?.value;
      if (known === value) return undefined;
      if (typeof known === "string") {
        const old = writer.record(shared);
        if (old !== undefined) {
          writer.remove(shared, true);
          writer.put(aside, old, "*");
        }
        writer.remove(key, true);
      }
      const options = { ...cacheOptions(metadata), ttl: 0, ttr: -1 };
      return this.records.putIn(writer, key, value, options, { createdBy: peer });
    });
    if (commitId !== undefined) this.monitors.pushStats(commitId, "update");
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
    if (this.peers === undefined) throw new AtError("AT0010", "No connections to peers");
    const purpose = isPublic ? "anonymous" : "lookup";
    const timeout = this.tuning.peerLookupTimeoutMillis;
    try {
      const answer = await this.peers.request(
        owner,
        purpose,
        `lookup:all:${name}${owner}`,
        timeout,
      );
      const found = parseAll(answer);
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
    this.monitors.pushStats(await this.records.remove(key), "delete");
  }

  private async cache(
    key: string,
    found: StoredRecord,
    isPublic: boolean,
    owner: string,
  ): Promise<void> {
    if (key.startsWith("cached:public:publickey@")) {
      if (found.value !== null) await this.keepPublicKey(owner, found.value, found.metadata);
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
      this.monitors.pushStats(commitId, "update");
    } finally {
      release();
    }
  }

  /** What gives the room for a copy back; undefined when too much of the owner is kept already. */
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
