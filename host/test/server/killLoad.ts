// SPDX-License-Identifier: BSD-3-Clause
import { expect } from "vitest";
import type { Store } from "../../store/store.ts";
import type { Random } from "../random.ts";
import { newApkamKeys } from "./apkamKeys.ts";
import type { Line } from "./line.ts";

const KEYS = 6;
/** The protocol's limit of enroll:request on one connection. */
const ENROLLMENTS = 5;
const LIFE_MILLIS = 86_400_000;

/** What a write that was sent but not confirmed would leave: a text, or undefined for a removed record. */
type Pending = { readonly value: string | undefined };

interface Held {
  value: string | undefined;
  commitId: number;
  pending?: Pending;
}

/** What an atServer said it has done, to be compared with what its store holds after it was killed. */
export class Confirmed {
  readonly notifications = new Set<string>();
  readonly enrollments = new Map<string, "pending" | "approved">();
  private readonly keys = new Map<string, Held>();
  private readonly commitIds = new Set<number>();

  get commits(): number {
    return this.commitIds.size;
  }

  /** Values by key, once no write is under way. */
  *values(): Iterable<[key: string, value: string | undefined]> {
    for (const [key, { value }] of this.keys) yield [key, value];
  }

  sent(key: string, value: string | undefined): void {
    const held = this.keys.get(key) ?? { value: undefined, commitId: -1 };
    this.keys.set(key, { ...held, pending: { value } });
  }

  /** Takes the reply to a write; a commit id is given once only. */
  confirmed(key: string, value: string | undefined, reply: string): void {
    const commitId = Number(/^data:(\d+)\n@alice@$/.exec(reply)?.[1]);
    expect(Number.isInteger(commitId), reply).toBe(true);
    expect(this.commitIds.has(commitId), `commit id ${commitId} given twice`).toBe(false);
    this.commitIds.add(commitId);
    this.keys.set(key, { value, commitId });
  }

  /** Every confirmed write is in the store, once; one under way is there whole or not at all. */
  check(store: Store): void {
    for (const [key, held] of this.keys) this.checkKey(store, key, held);
    for (const id of this.notifications) expect(store.notification(id)?.id).toBe(id);
    for (const [id, state] of this.enrollments) {
      const record = store.record(`${id}.new.enrollments.__manage@alice`);
      const approval = JSON.parse(record?.value ?? "{}").approval;
      // An approval whose answer was lost may have happened.
      expect(state === "pending" ? ["pending", "approved"] : ["approved"]).toContain(
        approval?.state,
      );
      if (approval?.state === "approved") this.enrollments.set(id, "approved");
    }
    const entries = [...store.commitsAfter(-1)];
    expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length);
    expect(new Set(entries.map(({ commitId }) => commitId)).size).toBe(entries.length);
    expect(store.lastCommitId()).toBeGreaterThanOrEqual(Math.max(-1, ...this.commitIds));
  }

  private checkKey(store: Store, key: string, held: Held): void {
    const stored = store.record(key)?.value ?? undefined;
    const commitId = store.commitOf(key)?.commitId ?? -1;
    if (commitId === held.commitId || held.pending === undefined) {
      expect(stored, key).toBe(held.value);
      expect(commitId, key).toBe(held.commitId);
    } else {
      expect(stored, key).toBe(held.pending.value);
      expect(this.commitIds.has(commitId), `commit id of ${key}`).toBe(false);
      this.commitIds.add(commitId);
    }
    this.keys.set(key, { value: stored, commitId });
  }
}

/** One connection's work, until the server is gone: `ask` rejects then. */
export type Work = (open: () => Promise<Line>) => Promise<never>;

/** Updates and deletes records of its own. */
export function writes(confirmed: Confirmed, writer: string, random: Random): Work {
  return async (open) => {
    const line = await open();
    for (;;) {
      const key = `${writer}n${random.below(KEYS)}.load@alice`;
      const value = random.below(4) === 0 ? undefined : "v".repeat(random.below(3_000) + 1);
      const text = value === undefined ? undefined : `${random.below(1e9)} ${value}`;
      confirmed.sent(key, text);
      const command = text === undefined ? `delete:${key}` : `update:${key} ${text}`;
      confirmed.confirmed(key, text, await line.ask(command));
    }
  };
}

/** Notifications for the owner's clients, and for an atSign that never answers. */
export function notifies(confirmed: Confirmed, name: string): Work {
  return async (open) => {
    const line = await open();
    for (let i = 0; ; i++) {
      const id = `${name}-${i}`;
      const to = i % 2 === 0 ? "@alice" : "@nobody";
      const reply = await line.ask(`notify:id:${id}:ttln:${LIFE_MILLIS}:${to}:x.load@alice:${i}`);
      expect(reply).toBe(`data:${id}\n@alice@`);
      confirmed.notifications.add(id);
    }
  };
}

/** Requests enrollments and approves them. */
export function enrolls(confirmed: Confirmed, name: string): Work {
  return async (open) => {
    for (let connection = 0; ; connection++) {
      const line = await open();
      for (let i = 0; i < ENROLLMENTS; i++) {
        const request = {
          appName: "load",
          deviceName: `${name}-${connection}-${i}`,
          namespaces: { load: "rw" },
          apkamPublicKey: newApkamKeys().publicKey,
          encryptedAPKAMSymmetricKey: "SYM",
        };
        const reply = await line.ask(`enroll:request:${JSON.stringify(request)}`);
        const { enrollmentId, status } = JSON.parse(
          reply.slice("data:".length, -"\n@alice@".length),
        );
        expect(status).toBe("pending");
        confirmed.enrollments.set(enrollmentId, "pending");
        const approval = {
          enrollmentId,
          encryptedDefaultEncryptionPrivateKey: "ENC",
          encryptedDefaultSelfEncryptionKey: "SELF",
        };
        const approved = await line.ask(`enroll:approve:${JSON.stringify(approval)}`);
        expect(approved).toContain('"status":"approved"');
        confirmed.enrollments.set(enrollmentId, "approved");
      }
    }
  };
}
