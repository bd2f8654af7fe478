// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DirectoryStore } from "../../directory/directoryStore.ts";

const NAMES = 500;

/** What every store of a directory has to do; `open` opens the same one each time. */
export function directoryStoreSuite(name: string, open: () => Promise<DirectoryStore>): void {
  describe(`directory store: ${name}`, () => {
    let store: DirectoryStore;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    it("gives back what was set, whatever the case and with or without @", async () => {
      await store.set("@alice", { host: "vip.ve.example.zone", port: 25_000 });
      for (const text of ["@alice", "alice", "ALICE", "Al.Ice"]) {
        expect(await store.get(text)).toEqual({ host: "vip.ve.example.zone", port: 25_000 });
      }
      expect(await store.get("@nobody")).toBeUndefined();
    });

    it("moves an atSign", async () => {
      await store.set("@mover", { host: "localhost", port: 1 });
      await store.set("@mover", { host: "::1", port: 65_535 });
      expect(await store.get("@mover")).toEqual({ host: "::1", port: 65_535 });
    });

    it("keeps names of any script", async () => {
      await store.set("@🦄", { host: "localhost", port: 1 });
      await store.set("@größe", { host: "localhost", port: 2 });
      expect(await store.get("🦄")).toEqual({ host: "localhost", port: 1 });
      expect(await store.get("GRÖSSE")).toBeUndefined();
      expect(await store.get("größe")).toEqual({ host: "localhost", port: 2 });
    });

    it("forgets, and tells whether it knew", async () => {
      await store.set("@dave", { host: "localhost", port: 9 });
      expect(await store.remove("@Dave")).toBe(true);
      expect(await store.remove("@dave")).toBe(false);
      expect(await store.get("@dave")).toBeUndefined();
    });

    it.each([
      { host: "", port: 1 },
      { host: "a b", port: 1 },
      { host: "a\r\nb", port: 1 },
      { host: "localhost", port: 0 },
      { host: "localhost", port: 65_536 },
      { host: "localhost", port: 1.5 },
    ])("refuses the address %j", async (entry) => {
      await expect(store.set("@refused", entry)).rejects.toThrow(RangeError);
      expect(await store.get("@refused")).toBeUndefined();
    });

    it.each(["", "@", "a b", "a:b", `@${"a".repeat(56)}`])("refuses the name %j", async (text) => {
      await expect((async () => store.get(text))()).rejects.toThrow("invalid @sign");
      await expect(store.set(text, { host: "localhost", port: 1 })).rejects.toThrow(
        "invalid @sign",
      );
      await expect(store.remove(text)).rejects.toThrow("invalid @sign");
    });

    it("takes many writes at once, and shows them to others who have it open", async () => {
      const other = await open();
      const names = Array.from({ length: NAMES }, (_, i) => `@many${i}`);
      await Promise.all(
        names.map((atSign, i) => store.set(atSign, { host: `h${i}`, port: i + 1 })),
      );
      for (const [i, atSign] of names.entries()) {
        expect(await other.get(atSign)).toEqual({ host: `h${i}`, port: i + 1 });
      }
      const removed = await Promise.all([store.remove("@many0"), other.remove("@many0")]);
      expect(removed.sort()).toEqual([false, true]);
      expect(await store.get("@many0")).toBeUndefined();
      await other.close();
    });

    it("has kept everything after it was closed", async () => {
      const other = await open();
      await other.set("@kept", { host: "localhost", port: 4 });
      await other.close();
      const again = await open();
      expect(await again.get("@kept")).toEqual({ host: "localhost", port: 4 });
      await again.close();
    });
  });
}
