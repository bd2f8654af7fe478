// SPDX-License-Identifier: BSD-3-Clause
import type { StoredRecord, StoreWriter } from "../../store/store.ts";
import { canonicalKey, keyType, MAX_KEY_LENGTH } from "../../wire/atkey.ts";
import { AtError, quoted } from "../../wire/errors.ts";
import { isNestedDeeper, MAX_JSON_DEPTH, parseOwnJson } from "../../wire/json.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { isActive, type Records } from "../records/records.ts";
import type { SigningAlgorithm } from "./signatures.ts";

/** Namespace to `r` or `rw`. */
export type Namespaces = Record<string, string>;

export type EnrollmentState = "pending" | "approved" | "denied" | "revoked" | "expired";

/** Revocation events that are kept. */
const MAX_EVENTS = 1_000;

/** Value of `<id>.new.enrollments.__manage@me`. */
export interface Enrollment {
  sessionId: string;
  appName: string;
  deviceName: string;
  namespaces: Namespaces;
  apkamPublicKey: string;
  requestType: "newEnrollment" | "changeEnrollment";
  approval: { state: Exclude<EnrollmentState, "expired"> };
  encryptedAPKAMSymmetricKey?: string;
  apkamKeysExpiryInMillis: number;
  signingAlgo?: SigningAlgorithm;
  metadata?: Record<string, unknown>;
  /** The enrollment whose client asked for it; `passcode` when it came with one, absent when the owner asked. */
  requestedBy?: string;
  /** The enrollment that approved it; absent when a login with all rights did. */
  parentEnrollmentId?: string;
  /** That one and those above it, nearest first: it ends with any of them, also when one between is gone. */
  approvedBy?: readonly string[];
}

interface StoredEnrollment {
  readonly enrollment: Readonly<Enrollment>;
  readonly metadata: Metadata;
}

export interface FoundEnrollment {
  id: string;
  key: string;
  enrollment: Readonly<Enrollment>;
  /** What the record says, or expired once its life is over. */
  state: EnrollmentState;
  /** ms since the epoch; absent when it lives for ever. */
  expiresAt?: number;
}

/** The default keys wrapped for an enrollment, with the IVs of newer clients. */
export interface WrappedKeys {
  encryptedDefaultEncryptionPrivateKey: string;
  encPrivateKeyIV?: string;
  encryptedDefaultSelfEncryptionKey: string;
  selfEncKeyIV?: string;
}

const SUFFIX = ".new.enrollments.__manage";
const EVENT_SUFFIX = ".revocation.events.__manage";

/** A revocation or the end of one: value of `<uuid>.revocation.events.__manage@me`. */
export interface RevocationEvent {
  event: "revoked" | "unrevoked";
  enrollmentId: string;
  /** ISO 8601, UTC. */
  at: string;
  namespaces: Namespaces;
  /** The enrollment whose client did it; absent when it was done with all rights. */
  byEnrollmentId?: string;
  /** The enrollment that was to be revoked, when this one fell with it. */
  cascadedFrom?: string;
}

/** What was read of the namespace `__manage`. */
interface Managed {
  readonly enrollments: ReadonlyMap<string, StoredEnrollment>;
  /** Keys of revocation events, the oldest first. */
  readonly events: readonly string[];
}

/** When an enrollment ends: after a new life in ms (0: never), or when it would have anyway. */
export type Life = { readonly ttl: number } | { readonly expiresAt: number | undefined };

function wrapped(value: string, iv: string | undefined): string {
  return JSON.stringify(iv === undefined ? { value } : { value, iv });
}

/** The enrollment records of an atSign and what belongs to them; none of it enters the commit log. */
export class Enrollments {
  private readonly records: Records;
  private readonly atSign: string;
  private readonly now: () => number;
  /** Read since the records of their namespace changed last: every command of an enrolled connection asks for its enrollment. */
  private readonly known = new Map<string, StoredEnrollment>();
  private managed: Managed | undefined;
  private version = -1;

  constructor(records: Records, atSign: string, now: () => number) {
    this.records = records;
    this.atSign = atSign;
    this.now = now;
  }

  key(id: string): string {
    return canonicalKey(`${id}${SUFFIX}${this.atSign}`);
  }

  get(id: string): FoundEnrollment | undefined {
    const key = this.key(id);
    if (key.length > MAX_KEY_LENGTH) return undefined;
    const stored = this.stored(key);
    return stored && this.found(key, stored);
  }

  /** Throws by value AT0028 when unknown or expired. */
  demand(id: string): FoundEnrollment {
    const found = this.get(id);
    if (found === undefined || found.state === "expired") throw invalidEnrollment(id);
    return found;
  }

  list(): FoundEnrollment[] {
    return [...this.readManaged().enrollments].map(([key, stored]) => this.found(key, stored));
  }

  /** Notes what was revoked or is no longer, and forgets the oldest of what was noted above MAX_EVENTS. */
  noteEventsIn(writer: StoreWriter, events: ReadonlyMap<string, RevocationEvent>): void {
    const { events: kept } = this.readManaged();
    const surplus = kept.length + events.size - MAX_EVENTS;
    for (const key of kept.slice(0, Math.max(0, surplus))) writer.remove(key, false);
    for (const [id, event] of events) {
      const key = canonicalKey(`${id}${EVENT_SUFFIX}${this.atSign}`);
      this.records.putIn(writer, key, JSON.stringify(event), {}, { uncommitted: true });
    }
  }

  /** Public record that shows an approved enrollment's PKAM key; undefined when its names make no key. */
  private publicKeyName({ appName, deviceName }: Enrollment): string | undefined {
    const key = `public:${appName}.${deviceName}.pkam.__pkams.__public_keys${this.atSign}`;
    const name = canonicalKey(key);
    return name.length <= MAX_KEY_LENGTH && keyType(name) === "publicKey" ? name : undefined;
  }

  privateKeyName(id: string): string {
    return canonicalKey(`${id}.default_enc_private_key.__manage${this.atSign}`);
  }

  selfKeyName(id: string): string {
    return canonicalKey(`${id}.default_self_enc_key.__manage${this.atSign}`);
  }

  putIn(writer: StoreWriter, id: string, enrollment: Enrollment, life: Life): void {
    const how = { uncommitted: true };
    const { expiresAt, ...options } = "ttl" in life ? { ...life, expiresAt: undefined } : life;
    const times = expiresAt === undefined ? options : { ...options, expiresAt };
    this.records.putIn(writer, this.key(id), JSON.stringify(enrollment), times, how);
  }

  /** Stores what an approved client comes to fetch, for as long as its enrollment lives. */
  putKeysIn(writer: StoreWriter, id: string, enrollment: Enrollment, keys: WrappedKeys): void {
    const { apkamPublicKey, apkamKeysExpiryInMillis: ttl } = enrollment;
    const put = (key: string, value: string): void => {
      this.records.putIn(writer, key, value, { ttl }, { uncommitted: true });
    };
    const shown = this.publicKeyName(enrollment);
    if (shown !== undefined) put(shown, JSON.stringify({ apkamPublicKey }));
    const { encryptedDefaultEncryptionPrivateKey, encPrivateKeyIV } = keys;
    put(this.privateKeyName(id), wrapped(encryptedDefaultEncryptionPrivateKey, encPrivateKeyIV));
    const { encryptedDefaultSelfEncryptionKey, selfEncKeyIV } = keys;
    put(this.selfKeyName(id), wrapped(encryptedDefaultSelfEncryptionKey, selfEncKeyIV));
  }

  /** Removes an enrollment with its keys; the public one stays when another of the same app and device shows it. */
  removeIn(writer: StoreWriter, found: FoundEnrollment): void {
    writer.remove(found.key, false);
    writer.remove(this.privateKeyName(found.id), false);
    writer.remove(this.selfKeyName(found.id), false);
    const shown = this.publicKeyName(found.enrollment);
    if (shown !== undefined && !this.hasTwin(found, shown)) writer.remove(shown, false);
  }

  private hasTwin({ id }: FoundEnrollment, shown: string): boolean {
    return this.list().some(
      (other) =>
        other.id !== id &&
        (other.state === "approved" || other.state === "revoked") &&
        this.publicKeyName(other.enrollment) === shown,
    );
  }

  private forgetChanged(): void {
    const version = this.records.store.managedVersion();
    if (version === this.version) return;
    this.known.clear();
    this.managed = undefined;
    this.version = version;
  }

  private readManaged(): Managed {
    this.forgetChanged();
    this.managed ??= this.scan();
    return this.managed;
  }

  private scan(): Managed {
    const enrollments = new Map<string, StoredEnrollment>();
    const events: { key: string; at: number }[] = [];
    for (const [key, record] of this.records.store.records()) {
      if (key.endsWith(`${SUFFIX}${this.atSign}`)) {
        const stored = parse(record);
        if (stored !== undefined) enrollments.set(key, stored);
      } else if (key.endsWith(`${EVENT_SUFFIX}${this.atSign}`)) {
        events.push({ key, at: record.metadata.createdAt ?? 0 });
      }
    }
    events.sort((a, b) => a.at - b.at);
    return { enrollments, events: events.map(({ key }) => key) };
  }

  private stored(key: string): StoredEnrollment | undefined {
    this.forgetChanged();
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const stored = parse(this.records.get(key));
    if (stored !== undefined) this.known.set(key, stored);
    return stored;
  }

  private found(key: string, { enrollment, metadata }: StoredEnrollment): FoundEnrollment {
    const id = key.slice(0, key.length - SUFFIX.length - this.atSign.length);
    const state = isActive(metadata, this.now()) ? enrollment.approval.state : "expired";
    const { expiresAt } = metadata;
    return { id, key, enrollment, state, ...(expiresAt !== undefined && { expiresAt }) };
  }
}

function parse(record: StoredRecord | undefined): StoredEnrollment | undefined {
  if (record === undefined || record.value === null) return undefined;
  const enrollment = parseOwnJson(record.value) as Enrollment;
  // Stored before the depth of a client's description of itself had a limit.
  if (isNestedDeeper(enrollment.metadata, MAX_JSON_DEPTH)) delete enrollment.metadata;
  return { enrollment, metadata: record.metadata };
}

export function invalidEnrollment(id: string): AtError {
  return new AtError("AT0028", `enrollment_id: ${quoted(id)} is expired or invalid`, {
    byValue: true,
  });
}
