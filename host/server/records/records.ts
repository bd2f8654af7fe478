// SPDX-License-Identifier: BSD-3-Clause
import type {
  AccessEntry,
  CommitOperation,
  Store,
  StoredRecord,
  StoreWriter,
} from "../../store/store.ts";
import {
  demandKeyLength,
  isCommittedKey,
  keyType,
  MAX_CACHED_KEY_LENGTH,
  parseAtKey,
} from "../../wire/atkey.ts";
import { AtError, quoted } from "../../wire/errors.ts";
import { type Metadata, type MetadataOptions, textOptions } from "../../wire/metadata.ts";

export interface WriteOptions {
  /** Only metadata changes; the stored value stays. */
  metadataOnly?: boolean;
  /** Keep the write out of the commit log although the key's kind is committed. */
  uncommitted?: boolean;
  /** Keep the write out of the commit log and take the key's earlier entry out of it (the `nc` option). */
  forgotten?: boolean;
  /** When a removal is said to have happened, ms since the epoch; now when absent. */
  removedAt?: number;
  /** atSign that made the record; the own one when absent. */
  createdBy?: string;
}

/** Born and not expired (atProtocol, time semantics). */
export function isActive(metadata: Metadata, now: number): boolean {
  const born = metadata.availableAt === undefined || metadata.availableAt <= now;
  return born && (metadata.expiresAt === undefined || metadata.expiresAt >= now);
}

export function keyNotFound(key: string): AtError {
  return new AtError("AT0015", `${quoted(key)} does not exist in keystore`);
}

function mergeCaching(metadata: Metadata, options: MetadataOptions): void {
  if (options.ttr === 0 || options.ttr === null) {
    delete metadata.ttr;
    delete metadata.ccd;
    return;
  }
  if (options.ttr !== undefined) metadata.ttr = options.ttr;
  if (metadata.ttr === undefined) delete metadata.ccd;
  else metadata.ccd = options.ccd ?? metadata.ccd ?? false;
}

function mergeTimes(metadata: Metadata, options: MetadataOptions, now: number): void {
  for (const name of ["ttl", "ttb"] as const) {
    const value = options[name];
    if (value === null) delete metadata[name];
    else if (value !== undefined) metadata[name] = value;
  }
  const { ttl, ttb, ttr } = metadata;
  // Without ttl and ttb a stored instant is one that was stated; it stays until it is cleared.
  if (ttb !== undefined || options.ttb !== undefined) delete metadata.availableAt;
  if (ttl !== undefined || options.ttl !== undefined) delete metadata.expiresAt;
  delete metadata.refreshAt;
  if (ttb !== undefined) metadata.availableAt = now + ttb;
  if (ttl !== undefined && ttl > 0) metadata.expiresAt = now + (ttb ?? 0) + ttl;
  if (ttr !== undefined && ttr > 0) metadata.refreshAt = now + ttr * 1000;
}

/** The metadata after a write: absent options keep, null clears, the two booleans are always replaced. */
export function mergeMetadata(
  existing: Metadata | undefined,
  options: MetadataOptions,
  atSign: string,
  now: number,
  createdBy: string = atSign,
): Metadata {
  const metadata: Metadata = {
    ...existing,
    createdBy: existing?.createdBy ?? createdBy,
    updatedBy: atSign,
    createdAt: existing?.createdAt ?? now,
    updatedAt: now,
    status: "active",
    version: existing?.version === undefined ? 0 : existing.version + 1,
    isBinary: options.isBinary ?? false,
    isEncrypted: options.isEncrypted ?? false,
  };
  for (const name of textOptions) {
    const value = options[name];
    if (value === null) delete metadata[name];
    else if (value !== undefined) metadata[name] = value;
  }
  if (options.pubKeyHash === null) delete metadata.pubKeyHash;
  else if (options.pubKeyHash !== undefined) metadata.pubKeyHash = options.pubKeyHash;
  if (options.appMetadata === null) delete metadata.appMetadata;
  else if (options.appMetadata !== undefined) metadata.appMetadata = options.appMetadata;
  if (typeof options.immutable === "boolean") metadata.immutable = options.immutable;
  mergeCaching(metadata, options);
  mergeTimes(metadata, options, now);
  for (const name of ["createdAt", "updatedAt", "expiresAt", "availableAt"] as const) {
    const stated = options[name];
    if (stated !== undefined) metadata[name] = stated;
  }
  return metadata;
}

/** The key store of one atSign: the protocol's rules for writing, above a plain store. */
export class Records {
  readonly store: Store;
  private readonly atSign: string;
  private readonly now: () => number;
  private readonly onLogFailure: (error: unknown) => void;

  constructor(
    store: Store,
    atSign: string,
    now: () => number,
    onLogFailure: (error: unknown) => void,
  ) {
    this.store = store;
    this.atSign = atSign;
    this.now = now;
    this.onLogFailure = onLogFailure;
  }

  /** The record as stored, active or not. */
  get(key: string): StoredRecord | undefined {
    return this.store.record(key);
  }

  /** The record when it is active; undefined when missing, unborn or expired. */
  active(key: string): StoredRecord | undefined {
    const record = this.store.record(key);
    return record !== undefined && isActive(record.metadata, this.now()) ? record : undefined;
  }

  /** The record when active, undefined when unborn or expired. Throws AT0015 when there is none. */
  demand(key: string): StoredRecord | undefined {
    const record = this.store.record(key);
    if (record === undefined) throw keyNotFound(key);
    return isActive(record.metadata, this.now()) ? record : undefined;
  }

  /** Writes one record; resolves with its commit id (-1: not committed) when it is on disk. */
  put(
    key: string,
    value: string | null,
    options: MetadataOptions = {},
    how: WriteOptions = {},
  ): Promise<number> {
    return this.store.write((writer) => this.putIn(writer, key, value, options, how));
  }

  /** `put` within a larger write. Throws AT0016 for an invalid key, AT0011 for an immutable record. */
  putIn(
    writer: StoreWriter,
    key: string,
    value: string | null,
    options: MetadataOptions = {},
    how: WriteOptions = {},
  ): number {
    demandKeyLength(key);
    if (keyType(key) === "invalidKey") throw new AtError("AT0016", `Key ${quoted(key)} is invalid`);
    const now = this.now();
    const stored = writer.record(key);
    const expired = stored?.metadata.expiresAt !== undefined && stored.metadata.expiresAt < now;
    const existing = expired ? undefined : stored;
    if (existing?.metadata.immutable && !key.startsWith("cached:")) {
      throw new AtError("AT0011", "Immutable records may not be updated");
    }
    const metadata = mergeMetadata(existing?.metadata, options, this.atSign, now, how.createdBy);
    const record = { value: how.metadataOnly ? (existing?.value ?? null) : value, metadata };
    if (how.forgotten) writer.forgetCommit(key);
    return writer.put(key, record, this.operation(key, how), stored ?? null);
  }

  /** Removes a record, there or not; resolves with the commit id (-1: not committed). Throws AT0016 as `putIn`. */
  async remove(key: string, how: WriteOptions = {}): Promise<number> {
    demandKeyLength(key);
    const commit = this.operation(key, how) !== undefined;
    return await this.store.write((writer) => {
      if (how.forgotten) writer.forgetCommit(key);
      return writer.remove(key, commit, how.removedAt);
    });
  }

  /** Notes a visit, with no more of the key than a key may have; nothing waits for it. */
  logAccess(atSign: string, verb: string, key?: string): void {
    const kept = key?.slice(0, MAX_CACHED_KEY_LENGTH);
    const entry = { atSign, verb, time: this.now(), ...(kept !== undefined && { key: kept }) };
    this.store.write((writer) => writer.logAccess(entry)).catch(this.onLogFailure);
  }

  /** The access log, oldest first, with every visit noted so far. */
  accesses(): Promise<AccessEntry[]> {
    return this.store.write((writer) => [...writer.accesses()]);
  }

  /** Removes what expired; resolves with the number of records removed. */
  async removeExpired(): Promise<number> {
    const now = this.now();
    return await this.store.write((writer) => {
      const keys = writer.expired(now);
      for (const key of keys) writer.remove(key, isCommittedKey(key) && !isServerKey(key));
      return keys.length;
    });
  }

  private operation(key: string, how: WriteOptions): CommitOperation | undefined {
    if (how.uncommitted || how.forgotten || !isCommittedKey(key)) return undefined;
    return how.metadataOnly ? "#" : "*";
  }
}

/** Keys of the enrollment machinery, which never enter the commit log. */
export function isServerKey(key: string): boolean {
  const { entity, namespace } = parseAtKey(key);
  if (namespace === "__public_keys" || namespace === "__manage") return true;
  return /\.__(?:public|private|self)_keys$/.test(entity);
}
