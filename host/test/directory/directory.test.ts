// SPDX-License-Identifier: BSD-3-Clause
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Authority, createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { type RunningDirectory, startDirectory } from "../../directory/directory.ts";
import type { DirectoryStore } from "../../directory/directoryStore.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { MISS_DELAY_MILLIS } from "../../directory/lookups.ts";
import { Line } from "../server/line.ts";

describe("atDirectory", () => {
  const path = mkdtempSync(join(tmpdir(), "atmicro-directory-"));
  let authority: Authority;
  let store: DirectoryStore;
  let directory: RunningDirectory;
  const lines: Line[] = [];

  beforeAll(async () => {
    authority = await createAuthority({ name: "test" });
    const tls = await issueCertificate(authority, { hosts: ["localhost"] });
    store = await openDirectoryStore(path);
    await store.set("@alice", { host: "bob.example.org", port: 6464 });
    await store.set("@🦄", { host: "localhost", port: 1 });
    await store.set("@six", { host: "2001:db8::1", port: 6464 });
    const log = pino({ level: "silent" });
    directory = await startDirectory({
      port: 0,
      host: "127.0.0.1",
      tls,
      store,
      log,
      missDelayMillis: 5,
    });
  });
  afterAll(async () => {
    for (const line of lines) line.close();
    await directory.close();
    await store.close();
    rmSync(path, { recursive: true });
  });

  async function open(): Promise<Line> {
    const line = await Line.open(directory.port, authority.certificate);
    lines.push(line);
    return line;
  }

  it.each([
    ["alice", "bob.example.org:6464\r\n@"],
    ["ALICE", "bob.example.org:6464\r\n@"],
    ["@alice", "bob.example.org:6464\r\n@"],
    ["Ali.Ce\r", "bob.example.org:6464\r\n@"],
    ["🦄", "localhost:1\r\n@"],
    ["six", "[2001:db8::1]:6464\r\n@"],
    ["nobody", "null\r\n@"],
    ["scan", "null\r\n@"],
    ["a:b c", "null\r\n@"],
    ["", "null\r\n@"],
  ])("answers %j in one write", async (name, answer) => {
    const line = await open();
    expect(await line.ask(name)).toBe(answer);
    expect(line.chunks).toEqual(["@", answer]);
  });

  it("answers lines that come together in order", async () => {
    const line = await open();
    line.send("alice\n🦄\n");
    expect(await line.reply()).toBe("bob.example.org:6464\r\n@");
    expect(await line.reply()).toBe("localhost:1\r\n@");
  });

  it("hangs up at the third miss, whatever was found between", async () => {
    const line = await open();
    expect(await line.ask("nobody")).toBe("null\r\n@");
    expect(await line.ask("alice")).toBe("bob.example.org:6464\r\n@");
    expect(await line.ask("nobody")).toBe("null\r\n@");
    line.send("nobody\n");
    expect(await line.closed()).toBe("");
  });

  it.each(["@exit\n", "@exit"])("hangs up on %j", async (text) => {
    const line = await open();
    line.send(text);
    expect(await line.closed()).toBe("");
  });

  it("takes 255 bytes and hangs up on one more", async () => {
    const line = await open();
    expect(await line.ask("a".repeat(254))).toBe("null\r\n@");
    line.send("a".repeat(256));
    expect(await line.closed()).toBe("");
  });

  it("hangs up on what is not UTF-8", async () => {
    const line = await open();
    line.send(Buffer.from([0xff, 0xfe, 0x0a]));
    expect(await line.closed()).toBe("");
  });

  it("answers what another process wrote, at once", async () => {
    const program = `
      const { open } = require("lmdb");
      const root = open({ path: ${JSON.stringify(path)}, maxDbs: 4 });
      root.openDB({ name: "addresses" }).put("carol", "localhost:7").then(() => root.close());
    `;
    const line = await open();
    expect(await line.ask("carol")).toBe("null\r\n@");
    execFileSync(process.execPath, ["-e", program], { cwd: process.cwd() });
    expect(await line.ask("carol")).toBe("localhost:7\r\n@");
  });

  it("answers a thousand lookups on one connection, in order, however they come", async () => {
    const line = await open();
    line.send("alice\n🦄\n".repeat(500));
    for (let i = 0; i < 500; i++) {
      expect(await line.reply()).toBe("bob.example.org:6464\r\n@");
      expect(await line.reply()).toBe("localhost:1\r\n@");
    }
  });

  it("answers while the store is being written", async () => {
    const line = await open();
    const writes = Array.from({ length: 300 }, (_, i) =>
      store.set(`@written${i % 30}`, { host: "localhost", port: i + 1 }),
    );
    for (let i = 0; i < 100; i++) {
      expect(await line.ask("alice")).toBe("bob.example.org:6464\r\n@");
    }
    await Promise.all(writes);
    expect(await line.ask("written29")).toBe("localhost:300\r\n@");
  });

  it("waits with the second miss, and before it hangs up at the third", async () => {
    const waits: number[] = [];
    const slow = await startDirectory({
      port: 0,
      host: "127.0.0.1",
      tls: await issueCertificate(authority, { hosts: ["localhost"] }),
      store,
      log: pino({ level: "silent" }),
      pause: async (millis) => {
        waits.push(millis);
      },
    });
    const line = await Line.open(slow.port, authority.certificate);
    expect(await line.ask("nobody")).toBe("null\r\n@");
    expect(waits).toEqual([]);
    expect(await line.ask("nobody")).toBe("null\r\n@");
    expect(waits).toEqual([MISS_DELAY_MILLIS]);
    line.send("nobody\n");
    expect(await line.closed()).toBe("");
    expect(waits).toEqual([3_000, 3_000]);
    await slow.close();
  });
});
