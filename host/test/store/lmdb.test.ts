// SPDX-License-Identifier: BSD-3-Clause
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { afterAll, describe, expect, it } from "vitest";
import { openLmdbStore } from "../../store/lmdb.ts";
import { SCHEMA_VERSION, type Store } from "../../store/store.ts";
import type { Notification } from "../../wire/notification.ts";
import { storeSuite } from "./suite.ts";

const root = mkdtempSync(join(tmpdir(), "atmicro-store-"));
let made = 0;
const fresh = (): string => join(root, String(made++));

afterAll(() => rmSync(root, { recursive: true }));

storeSuite("lmdb", (now) => openLmdbStore(fresh(), now));

describe("lmdb on disk", () => {
  it("keeps records and goes on counting commits after it was closed", async () => {
    const path = fresh();
    const first = await openLmdbStore(path);
    await first.write((tx) => tx.put("a@x", { value: "1", metadata: { version: 0 } }, "*"));
    await first.write((tx) => tx.remove("a@x", true));
    await first.close();
    const second = await openLmdbStore(path);
    expect(second.lastCommitId()).toBe(1);
    expect(await second.write((tx) => tx.put("b@x", { value: "2", metadata: {} }, "*"))).toBe(2);
    await second.close();
  });

  it("is kept in a folder whose name has a dot", async () => {
    const path = `${fresh()}.store`;
    const store = await openLmdbStore(path);
    await store.write((tx) => tx.put("a@x", { value: "1", metadata: {} }, "*"));
    await store.close();
    expect(existsSync(join(path, "data.mdb"))).toBe(true);
  });

  /** Writes a schema version, or takes it out, as another program would. */
  async function setSchema(path: string, version: unknown): Promise<void> {
    const raw = open({ path, maxDbs: 16 });
    const meta = raw.openDB<unknown, string>({ name: "meta" });
    await (version === undefined ? meta.remove("schema") : meta.put("schema", version));
    await raw.close();
  }

  it("refuses a store that a newer program wrote, with what to do, and leaves it as it is", async () => {
    const path = fresh();
    const made = await openLmdbStore(path);
    await made.write((tx) => tx.put("a@x", { value: "1", metadata: {} }, "*"));
    await made.close();
    await setSchema(path, SCHEMA_VERSION + 1);
    await expect(openLmdbStore(path)).rejects.toThrow(
      `the store in ${path} has schema ${SCHEMA_VERSION + 1}, and this program understands schemas up to ${SCHEMA_VERSION}: a newer atmicro wrote it; ` +
        "run that version, or restore a backup made before the upgrade",
    );
    await setSchema(path, SCHEMA_VERSION);
    const store = await openLmdbStore(path);
    expect(store.record("a@x")?.value).toBe("1");
    await store.close();
  });

  it("takes up the notifications of a store of schema 1, which lay by their ids", async () => {
    const path = fresh();
    await (await openLmdbStore(path)).close();
    const kept = ["b", "a", "c"].map((id, index) => ({
      ...{ id, from: "@x", to: "@y", key: `@y:${id}.ns@x`, type: "sent", operation: "update" },
      ...{ messageType: "key", priority: "low", status: id === "a" ? "errored" : "queued" },
      ...{ retryCount: index, strategy: "all", notifier: "SYSTEM", depth: 1 },
      ...{ createdAt: 1_000 + index, isEncrypted: true, value: "v", metadata: { ttl: 0 } },
    })) as Notification[];
    const raw = open({ path, maxDbs: 16 });
    const notes = raw.openDB<Notification, string>({ name: "notifications" });
    for (const notification of kept) await notes.put(notification.id, notification);
    await raw.close();
    await setSchema(path, 1);
    for (let round = 0; round < 2; round++) {
      const store = await openLmdbStore(path);
      expect([...store.notifications()].map(([, found]) => found)).toEqual(kept);
      expect(store.notification("a")).toEqual(kept[1]);
      expect(store.counts().notifications).toBe(3);
      await store.close();
    }
  });

  it("finds each of many notifications by its id, also after it was opened again", async () => {
    const path = fresh();
    const many = Array.from({ length: 2_600 }, (_, index) => ({
      ...{ id: `${(index * 7_919) % 2_600}-id`, from: "@x", to: "@y", key: `@y:k${index}.ns@x` },
      ...{ type: "sent", operation: "update", messageType: "key", priority: "low" },
      ...{ status: "queued", retryCount: 1, strategy: "all", notifier: "SYSTEM", depth: 1 },
      ...{ createdAt: 1_000 + index, isEncrypted: true },
    })) as Notification[];
    const gone = new Set(many.filter((_, index) => index % 100 === 7).map(({ id }) => id));
    const judge = (store: Store): void => {
      for (const notification of many) {
        const kept = gone.has(notification.id) ? undefined : notification;
        expect(store.notification(notification.id)).toEqual(kept);
        expect(store.hasNotification(notification.id)).toBe(kept !== undefined);
      }
      expect(store.counts().notifications).toBe(many.length - gone.size);
    };
    const made = await openLmdbStore(path);
    for (let from = 0; from < many.length; from += 100) {
      const some = many.slice(from, from + 100);
      await made.write((tx) => {
        for (const notification of some) tx.putNotification(notification);
      });
    }
    await made.write((tx) => {
      for (const id of gone) tx.removeNotification(id);
    });
    judge(made);
    await made.close();
    const again = await openLmdbStore(path);
    judge(again);
    await again.write((tx) => tx.putNotification(many[2_599] as Notification));
    expect(again.counts().notifications).toBe(many.length - gone.size);
    await again.close();
  });

  it("takes up a store of before versions were written, and gives it one", async () => {
    const path = fresh();
    const made = await openLmdbStore(path);
    await made.write((tx) => tx.put("a@x", { value: "1", metadata: {} }, "*"));
    await made.close();
    await setSchema(path, undefined);
    const store = await openLmdbStore(path);
    expect(store.record("a@x")?.value).toBe("1");
    await store.close();
    const raw = open({ path, maxDbs: 16, readOnly: true });
    expect(raw.openDB({ name: "meta" }).get("schema")).toBe(SCHEMA_VERSION);
    await raw.close();
  });

  it.each([0, 1.5, "2", null])("refuses the schema version %j", async (version) => {
    const path = fresh();
    await (await openLmdbStore(path)).close();
    await setSchema(path, version);
    await expect(openLmdbStore(path)).rejects.toThrow("has no valid schema version");
  });
});
