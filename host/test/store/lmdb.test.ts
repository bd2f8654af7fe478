// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { afterAll, describe, expect, it } from "vitest";
import { openLmdbStore } from "../../store/lmdb.ts";
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

  it("refuses a store that a newer program wrote", async () => {
    const path = fresh();
    await (await openLmdbStore(path)).close();
    const raw = open({ path, maxDbs: 16 });
    await raw.openDB<number, string>({ name: "meta" }).put("schema", 2);
    await raw.close();
    await expect(openLmdbStore(path)).rejects.toThrow("the store has schema 2");
  });
});
