// SPDX-License-Identifier: BSD-3-Clause
import type { StoredRecord, StoreWriter } from "../store/store.ts";
import { canonicalKey } from "../wire/atkey.ts";
import { AtError } from "../wire/errors.ts";
import { isNestedDeeper, MAX_JSON_DEPTH, parseOwnJson } from "../wire/json.ts";
import type { Metadata } from "../wire/metadata.ts";
import { isActive, type Records } from "./records.ts";
import type { SigningAlgorithm } from "./signatures.ts";

/** Namespace to `r` or `rw`. */
export type Namespaces = Record<string, string>;

export type EnrollmentState = "pending" | "approved" | "denied" | "revoked" | "expired";

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
}

/** The default keys wrapped for an enrollment, with the IVs of newer clients. */
export interface WrappedKeys {
  encryptedDefaultEncryptionPrivateKey: string;
  encPrivateKeyIV?: string;
  encryptedDefaultSelfEncryptionKey: string;
  selfEncKeyIV?: string;
}

const SUFFIX = ".new.enrollments.__manage";

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
    const found: FoundEnrollment[] = [];
    for (const [key, record] of this.records.store.records()) {
      if (!key.endsWith(`${SUFFIX}${this.atSign}`)) continue;
      const stored = parse(record);
      if (stored !== undefined) found.push(this.found(key, stored));
    }
    return found;
  }

  /** Public record that shows an approved enrollment's PKAM key. */
  publicKeyName(enrollment: Enrollment): string {
    const { appName, deviceName } = enrollment;
    return canonicalKey(`public:${appName}.${deviceName}.pkam.__pkams.__public_keys${this.atSign}`);
  }

  privateKeyName(id: string): string {
    return canonicalKey(`${id}.default_enc_private_key.__manage${this.atSign}`);
  }

  selfKeyName(id: string): string {
    return canonicalKey(`${id}.default_self_enc_key.__manage${this.atSign}`);
  }

  /** Writes a record; `ttl` in ms, 0 for ever. */
  putIn(writer: StoreWriter, id: string, enrollment: Enrollment, ttl: number): void {
    const how = { uncommitted: true };
    this.records.putIn(writer, this.key(id), JSON.stringify(enrollment), { ttl }, how);
  }

  /** Stores what an approved client comes to fetch. */
  putKeysIn(writer: StoreWriter, id: string, enrollment: Enrollment, keys: WrappedKeys): void {
    const put = (key: string, value: string): void => {
      this.records.putIn(writer, key, value, {}, { uncommitted: true });
    };
    const { apkamPublicKey } = enrollment;
    put(this.publicKeyName(enrollment), JSON.stringify({ apkamPublicKey }));
    const { encryptedDefaultEncryptionPrivateKey, encPrivateKeyIV } = keys;
    put(this.privateKeyName(id), wrapped(encryptedDefaultEncryptionPrivateKey, encPrivateKeyIV));
    const { encryptedDefaultSelfEncryptionKey, selfEncKeyIV } = keys;
    put(this.selfKeyName(id), wrapped(encryptedDefaultSelfEncryptionKey, selfEncKeyIV));
  }

  /** Removes an enrollment with its keys; the public one stays when another of the same app and device shows it. */
  remove(found: FoundEnrollment): Promise<void> {
    return this.records.store.write((writer) => {
      writer.remove(found.key, false);
      writer.remove(this.privateKeyName(found.id), false);
      writer.remove(this.selfKeyName(found.id), false);
      if (!this.hasTwin(found)) writer.remove(this.publicKeyName(found.enrollment), false);
    });
  }

  private hasTwin({ id, enrollment }: FoundEnrollment): boolean {
    const name = this.publicKeyName(enrollment);
    return this.list().some(
      (other) =>
        other.id !== id &&
        (other.state === "approved" || other.state === "revoked") &&
        this.publicKeyName(other.enrollment) === name,
    );
  }

  private stored(key: string): StoredEnrollment | undefined {
    const version = this.records.store.managedVersion();
    if (version !== this.version) this.known.clear();
    this.version = version;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const stored = parse(this.records.get(key));
    if (stored !== undefined) this.known.set(key, stored);
    return stored;
  }

  private found(key: string, { enrollment, metadata }: StoredEnrollment): FoundEnrollment {
    const id = key.slice(0, key.length - SUFFIX.length - this.atSign.length);
    const live = isActive(metadata, this.now());
    return { id, key, enrollment, state: live ? enrollment.approval.state : "expired" };
  }
}

function parse(record: StoredRecord | undefined): StoredEnrollment | undefined {
  if (record === undefined || record.value === null) return undefined;
  const enrollment = parseOwnJson(record.value) as Enrollment;
  // Kept before the depth of what a client tells of itself had a limit.
  if (isNestedDeeper(enrollment.metadata, MAX_JSON_DEPTH)) delete enrollment.metadata;
  return { enrollment, metadata: record.metadata };
}

export function invalidEnrollment(id: string): AtError {
  return new AtError("AT0028", `enrollment_id: ${id} is expired or invalid`, { byValue: true });
}
