// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type Authority, createAuthority, issueCertificate } from "../../../crypto/certificates.ts";
import { type RunningDirectory, startDirectory } from "../../../directory/directory.ts";
import type { DirectoryStore } from "../../../directory/directoryStore.ts";
import { openDirectoryStore } from "../../../directory/lmdbDirectoryStore.ts";
import { Line } from "../line.ts";
import { item, items } from "./items.ts";

const ADDRESS = "bob.example.org:6464\r\n@";

describe("atDirectory", () => {
  const path = mkdtempSync(join(tmpdir(), "atmicro-conformance-"));
  let authority: Authority;
  let store: DirectoryStore;
  let directory: RunningDirectory;
  const lines: Line[] = [];
  beforeAll(async () => {
    authority = await createAuthority({ name: "test" });
    const tls = await issueCertificate(authority, { hosts: ["localhost"] });
    store = await openDirectoryStore(path);
    await store.set("@alice", { host: "bob.example.org", port: 6464 });
    const log = pino({ level: "silent" });
    const config = { port: 0, host: "127.0.0.1", tls, store, log };
    directory = await startDirectory({ ...config, missDelayMillis: 1 });
  });
  afterAll(async () => {
    for (const line of lines) line.close();
    await directory.close();
    await store.close();
    rmSync(path, { recursive: true });
  });

  const open = async (): Promise<Line> => {
    const line = await Line.open(directory.port, authority.certificate);
    lines.push(line);
    return line;
  };

  item(230, "greets with @", async () => {
    const line = Line.connect(directory.port, authority.certificate);
    lines.push(line);
    expect(await line.take(1)).toBe("@");
  });

  items(open, { 231: [["alice", ADDRESS]], 232: [["ALICE", ADDRESS]] });

  item(233, "says null to a name it doesn't know, twice; then closes", async () => {
    const line = await open();
    expect(await line.ask("nobody")).toBe("null\r\n@");
    expect(await line.ask("nobody")).toBe("null\r\n@");
    line.send("nobody\n");
    expect(await line.closed()).toBe("");
  });

  item(234, "hangs up on @exit", async () => {
    const line = await open();
    line.send("@exit\n");
    expect(await line.closed()).toBe("");
  });

  item(235, "hangs up on 300 bytes without a line feed", async () => {
    const line = await open();
    line.send("a".repeat(300));
    expect(await line.closed()).toBe("");
  });
});
