// SPDX-License-Identifier: BSD-3-Clause
// An atServer that nobody can ever log in to waits for the first who finds another way in.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { hasLogin } from "../../server/access/firstLogin.ts";
import { openMemoryStore } from "../../store/memory.ts";
import { ServerProcess } from "../server/serverProcess.ts";
import { World } from "../server/world.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));

describe("an atServer without a secret", () => {
  let world: World;
  let folder: string;
  beforeAll(async () => {
    world = await World.create();
    folder = mkdtempSync(join(tmpdir(), "atmicro-secret-"));
    const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
    writeFileSync(join(folder, "c.pem"), tls.certificate);
    writeFileSync(join(folder, "k.pem"), tls.privateKey);
    writeFileSync(join(folder, "empty"), "\n");
  });
  afterAll(async () => {
    await world.close();
    rmSync(folder, { recursive: true });
  });

  const args = (...more: string[]): string[] => [
    ...["--port", "0", "--certificate", join(folder, "c.pem")],
    ...["--private-key", join(folder, "k.pem"), "--directory", "localhost:1", ...more],
  ];

  it.each([
    ["none", []],
    ["an empty file", ["--secret-file", "empty"]],
  ])("is not begun with %s: it says what is missing, and ends with 9", (_, more) => {
    const store = join(folder, "new");
    const command = [ATMICRO, "server", "@alice", "--store", store, ...args(...more)];
    const { status, stderr } = spawnSync(process.execPath, command, {
      encoding: "utf8",
      cwd: folder,
    });
    expect([status, stderr]).toEqual([
      9,
      expect.stringMatching(
        /^atmicro: nobody could log in as @alice: its store has no secret and no key yet; name --secret-file <file> /m,
      ),
    ]);
  });

  it("goes on where its owner has logged in: the file may be emptied", async () => {
    const server = new ServerProcess(world, "@bob", join(folder, "bob"));
    await server.start();
    await server.activate();
    server.stop();
    await server.exit();
    const emptied = new ServerProcess(world, "@bob", join(folder, "bob"), {}, [
      "--secret-file",
      join(folder, "empty"),
    ]);
    await emptied.start();
    (await emptied.owner()).close();
    emptied.stop();
    expect(await emptied.exit()).toBe(0);
  });
});

describe("a store", () => {
  const enrollment = (state: string): string =>
    JSON.stringify({ appName: "a", deviceName: "d", namespaces: {}, approval: { state } });

  it.each([
    ["nothing", "x.demo@alice", "1", false],
    ["a PKAM key", "privatekey:at_pkam_publickey", "K", true],
    ["a shared secret", "privatekey:at_secret", "S", true],
    ["the mark of a shared secret that is void", "privatekey:at_secret_deleted", "true", true],
    ["an approved enrollment", "e.new.enrollments.__manage@alice", enrollment("approved"), true],
    ["a pending enrollment", "e.new.enrollments.__manage@alice", enrollment("pending"), false],
    ["a revoked enrollment", "e.new.enrollments.__manage@alice", enrollment("revoked"), false],
    ["an enrollment of another", "e.new.enrollments.__manage@bob", enrollment("approved"), false],
  ])("with %s: %s", async (_, key, value, expected) => {
    const store = openMemoryStore();
    await store.write((writer) => writer.put(key, { value, metadata: {} }));
    expect(hasLogin(store, "@alice")).toBe(expected);
  });
});
