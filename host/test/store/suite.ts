// SPDX-License-Identifier: BSD-3-Clause
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store, StoredRecord } from "../../store/store.ts";
import type { Notification } from "../../wire/notification.ts";

const NOW = 1_700_000_000_000;

function record(value: string, expiresAt?: number): StoredRecord {
  return { value, metadata: expiresAt === undefined ? {} : { expiresAt } };
}

function notification(id: string, createdAt: number): Notification {
  return {
    id,
    from: "@alice",
    to: "@bob",
    key: "@bob:temp.demo@alice",
    type: "sent",
    operation: "update",
    messageType: "key",
    priority: "low",
    status: "queued",
    retryCount: 1,
    strategy: "all",
    notifier: "SYSTEM",
    depth: 1,
    createdAt,
    isEncrypted: true,
  };
}

/** What every store has to do. */
export function storeSuite(name: string, open: (now: () => number) => Promise<Store>): void {
  describe(`store: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open(() => NOW);
    });
    afterEach(() => store.close());

    it("gives back what was put, byte for byte, and undefined for what wasn't", async () => {
      const full: StoredRecord = {
        value: "🦄 ü\u0000 x",
        metadata: { version: 3, ttl: 60_000, isEncrypted: true, createdAt: NOW, ccd: false },
      };
      await store.write((tx) => tx.put("public:a@alice", full, "*"));
      expect(store.record("public:a@alice")).toEqual(full);
      expect(store.record("public:b@alice")).toBeUndefined();
      await store.write((tx) => tx.put("b@alice", { value: null, metadata: {} }));
      expect(store.record("b@alice")?.value).toBeNull();
    });

    it("counts commits from 0 and leaves uncommitted writes at -1", async () => {
      expect(store.lastCommitId()).toBe(-1);
      expect(await store.write((tx) => tx.put("a@x", record("1"), "*"))).toBe(0);
      expect(await store.write((tx) => tx.put("private:a@x", record("1")))).toBe(-1);
      expect(await store.write((tx) => tx.put("b@x", record("1"), "*"))).toBe(1);
      expect(await store.write((tx) => tx.remove("nothing@x", true))).toBe(2);
      expect(await store.write((tx) => tx.remove("private:a@x", false))).toBe(-1);
      expect(store.lastCommitId()).toBe(2);
    });

    it("keeps one commit entry a key, its latest", async () => {
      await store.write((tx) => {
        tx.put("a@x", record("1"), "*");
        tx.put("b@x", record("1"), "*");
        tx.put("a@x", record("2"), "#");
        tx.remove("b@x", true);
      });
      expect([...store.commitsAfter(-1)]).toEqual([
        { commitId: 2, key: "a@x", operation: "#", time: NOW },
        { commitId: 3, key: "b@x", operation: "-", time: NOW },
      ]);
      expect([...store.commitsAfter(2)].map((entry) => entry.commitId)).toEqual([3]);
      expect(store.commitOf("a@x")?.commitId).toBe(2);
      expect(store.commitOf("c@x")).toBeUndefined();
    });

    it("gives the commit log backwards, and without the key that was taken out", async () => {
      await store.write((tx) => {
        for (const key of ["a@x", "b@x", "c@x"]) tx.put(key, record("1"), "*");
        tx.forgetCommit("b@x");
        tx.forgetCommit("nothing@x");
      });
      expect([...store.commitsBefore(Number.MAX_SAFE_INTEGER)].map(({ key }) => key)).toEqual([
        "c@x",
        "a@x",
      ]);
      expect([...store.commitsBefore(2)].map(({ key }) => key)).toEqual(["a@x"]);
      expect([...store.commitsBefore(0)]).toEqual([]);
      expect(store.commitOf("b@x")).toBeUndefined();
      expect(store.lastCommitId()).toBe(2);
      expect(await store.write((tx) => tx.put("b@x", record("2"), "*"))).toBe(3);
    });

    it("counts its entries and measures itself", async () => {
      expect(store.counts()).toEqual({ commits: 0, accesses: 0, notifications: 0 });
      const before = store.bytes();
      await store.write((tx) => {
        tx.put("a@x", record("v".repeat(100_000)), "*");
        tx.put("a@x", record("v".repeat(100_000)), "*");
        tx.putNotification(notification("1", NOW));
        tx.logAccess({ atSign: "@bob", verb: "from", time: NOW });
        tx.logAccess({ atSign: "@bob", verb: "pol", time: NOW });
      });
      expect(store.counts()).toEqual({ commits: 1, accesses: 2, notifications: 1 });
      expect(store.bytes() - before).toBeGreaterThanOrEqual(100_000);
    });

    it("runs actions one after the other, each seeing the one before", async () => {
      const increment = () =>
        store.write((tx) => {
          const version = (tx.record("n@x")?.metadata.version ?? 0) + 1;
          tx.put("n@x", { value: "", metadata: { version } });
          return version;
        });
      expect(await Promise.all(Array.from({ length: 50 }, increment))).toEqual(
        Array.from({ length: 50 }, (_, i) => i + 1),
      );
    });

    it("passes on what an action throws and stays usable", async () => {
      await expect(
        store.write(() => {
          throw new RangeError("refused");
        }),
      ).rejects.toThrow("refused");
      expect(await store.write((tx) => tx.put("a@x", record("1"), "*"))).toBe(0);
    });

    it("lists records in key order", async () => {
      await store.write((tx) => {
        for (const key of ["b@x", "a@x", "@bob:a@x", "public:a@x"]) tx.put(key, record(key));
      });
      expect([...store.records()].map(([key, { value }]) => [key, value])).toEqual([
        ["@bob:a@x", "@bob:a@x"],
        ["a@x", "a@x"],
        ["b@x", "b@x"],
        ["public:a@x", "public:a@x"],
      ]);
      const keysOf = (prefix: string, after?: string): string[] =>
        [...store.records(prefix, after)].map(([key]) => key);
      expect(keysOf("public:")).toEqual(["public:a@x"]);
      expect(keysOf("a@x")).toEqual(["a@x"]);
      expect(keysOf("c")).toEqual([]);
      expect(keysOf("", "@bob:a@x")).toEqual(["a@x", "b@x", "public:a@x"]);
      expect(keysOf("", "az")).toEqual(["b@x", "public:a@x"]);
      expect(keysOf("", "public:a@x")).toEqual([]);
      expect(keysOf("public:", "public:a")).toEqual(["public:a@x"]);
      expect(keysOf("public:", "public:a@x")).toEqual([]);
    });

    it("finds what expired before an instant, and forgets an expiry that was replaced", async () => {
      await store.write((tx) => {
        tx.put("late@x", record("", NOW + 2));
        tx.put("early@x", record("", NOW - 2));
        tx.put("now@x", record("", NOW));
        tx.put("changed@x", record("", NOW - 5));
        tx.put("changed@x", record(""));
        tx.put("gone@x", record("", NOW - 5));
        tx.remove("gone@x", false);
      });
      expect(store.expired(NOW)).toEqual(["early@x"]);
      expect(store.expired(NOW + 1)).toEqual(["early@x", "now@x"]);
      expect(store.expired(NOW + 3)).toEqual(["early@x", "now@x", "late@x"]);
    });

    const kept = (after?: number): Notification[] =>
      [...store.notifications(after)].map(([, found]) => found);

    it("keeps notifications by id, in the order they were put", async () => {
      await store.write((tx) => {
        tx.putNotification(notification("2", NOW + 2));
        tx.putNotification(notification("1", NOW + 1));
        tx.putNotification(notification("3", NOW + 3));
        tx.putNotification({ ...notification("1", NOW + 1), status: "delivered" });
        tx.removeNotification("3");
      });
      expect(kept().map(({ id, status }) => [id, status])).toEqual([
        ["2", "queued"],
        ["1", "delivered"],
      ]);
      const [[place] = [0]] = [...store.notifications()];
      expect(place).toBeGreaterThan(0);
      expect(kept(place).map(({ id }) => id)).toEqual(["1"]);
      await store.write((tx) => tx.removeNotification("2"));
      await store.write((tx) => tx.putNotification(notification("4", NOW)));
      expect(kept(place).map(({ id }) => id)).toEqual(["1", "4"]);
      await store.write((tx) => tx.putNotification(notification("2", NOW + 2)));
      expect(store.notification("2")).toEqual(notification("2", NOW + 2));
      expect(store.notification("3")).toBeUndefined();
    });

    it("tells which notifications are expired", async () => {
      const ending = (id: string, expiresAt: number): Notification => ({
        ...notification(id, NOW + Number(id)),
        expiresAt,
      });
      await store.write((tx) => {
        tx.putNotification(ending("1", NOW + 10));
        tx.putNotification(notification("2", NOW));
        tx.putNotification(ending("3", NOW - 1));
        tx.putNotification(ending("4", NOW + 5));
      });
      expect(store.expiredNotifications(NOW - 1)).toEqual([]);
      expect(store.expiredNotifications(NOW)).toEqual(["3"]);
      expect(store.expiredNotifications(NOW + 6)).toEqual(["3", "4"]);
      expect(store.expiredNotifications(NOW + 11)).toEqual(["1", "3", "4"]);
    });

    it("keeps how a delivery goes beside the notification, and not beyond it", async () => {
      const delivery = { status: "errored", retryCount: 7, priority: "low" } as const;
      const there = await store.write((tx) => {
        tx.putNotification(notification("1", NOW));
        return [tx.putDelivery("1", delivery), tx.putDelivery("2", delivery)];
      });
      expect(there).toEqual([true, false]);
      expect(store.notification("1")).toEqual({ ...notification("1", NOW), ...delivery });
      expect([store.hasNotification("1"), store.hasNotification("2")]).toEqual([true, false]);
      await store.write((tx) => tx.putNotification(notification("1", NOW + 1)));
      expect(kept()).toEqual([notification("1", NOW + 1)]);
      await store.write((tx) => tx.removeNotification("1"));
      expect(await store.write((tx) => tx.putDelivery("1", delivery))).toBe(false);
      expect(kept()).toEqual([]);
    });

    it("has another version after an enrollment changed, and the same after anything else", async () => {
      const key = "id.new.enrollments.__manage@x";
      const versions = [store.managedVersion()];
      await store.write((tx) => tx.put(key, record("1")));
      versions.push(store.managedVersion());
      await store.write((tx) => tx.remove(key, false));
      versions.push(store.managedVersion());
      expect(new Set(versions).size).toBe(3);
      await store.write((tx) => tx.put("a@x", record("1")));
      await store.write((tx) => tx.remove("a@x", false));
      await store.write((tx) => tx.putNotification(notification("1", NOW)));
      await store.write((tx) => tx.logAccess({ atSign: "@bob", verb: "from", time: NOW }));
      expect(store.managedVersion()).toBe(versions[2]);
    });

    it("has nothing under a name of any length", async () => {
      for (const length of [1_000, 1_978, 1_979, 100_000]) {
        expect(store.record("k".repeat(length))).toBeUndefined();
        expect(store.notification("n".repeat(length))).toBeUndefined();
        expect(store.commitOf("é".repeat(length))).toBeUndefined();
      }
    });

    it("logs accesses in order and trims the oldest", async () => {
      const entry = (verb: string) => ({ atSign: "@bob", verb, time: NOW });
      await store.write((tx) => {
        for (const verb of ["from", "pol", "lookup"]) tx.logAccess(entry(verb));
      });
      await store.write((tx) => tx.trimAccesses(2));
      expect([...store.accesses()]).toEqual([entry("pol"), entry("lookup")]);
    });
  });
}
