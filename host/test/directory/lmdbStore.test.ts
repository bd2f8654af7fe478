// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { afterAll, describe, expect, it } from "vitest";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { directoryStoreSuite } from "./suite.ts";

const path = mkdtempSync(join(tmpdir(), "atmicro-directory-"));

directoryStoreSuite("LMDB", () => openDirectoryStore(path));

afterAll(() => rmSync(path, { recursive: true }));

describe("the schema version of a directory's store", () => {
  it("is written, and a newer one is refused with what to do", async () => {
    const folder = mkdtempSync(join(tmpdir(), "atmicro-directory-"));
    const first = await openDirectoryStore(folder);
    await first.set("@alice", { host: "host.example", port: 1 });
    await first.close();
    const raw = open({ path: folder, maxDbs: 16 });
    const meta = raw.openDB<number, string>({ name: "meta" });
    expect(meta.get("schema")).toBe(1);
    await meta.put("schema", 2);
    await raw.close();
    await expect(openDirectoryStore(folder)).rejects.toThrow(
      `the store in ${folder} has schema 2, and this program understands schemas up to 1: a newer atmicro wrote it; ` +
        "run that version, or restore a backup made before the upgrade",
    );
    const again = open({ path: folder, maxDbs: 16 });
    expect(again.openDB({ name: "addresses" }).get("alice")).toBe("host.example:1");
    await again.close();
    rmSync(folder, { recursive: true });
  });

  it("is added to a store that has none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "atmicro-directory-"));
    const raw = open({ path: folder, maxDbs: 16 });
    await raw.openDB<string, string>({ name: "addresses" }).put("alice", "host.example:1");
    await raw.close();
    const store = await openDirectoryStore(folder);
    expect(store.get("@alice")).toEqual({ host: "host.example", port: 1 });
    await store.close();
    const marked = open({ path: folder, maxDbs: 16 });
    expect(marked.openDB({ name: "meta" }).get("schema")).toBe(1);
    await marked.close();
    rmSync(folder, { recursive: true });
  });
});
