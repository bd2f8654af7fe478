// SPDX-License-Identifier: BSD-3-Clause
// LMDB reads its file as memory: what is damaged at the beginning ended the process without a word.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import { newSeed, Random } from "../random.ts";

const built = (path: string): string =>
  fileURLToPath(new URL(`../../../build/host/${path}`, import.meta.url));
const ATMICRO = built("cli/main.js");
const PAGE = 4_096;
/** Bytes of a header page that LMDB reads. */
const HEADER = 176;
const DAMAGES = 400;
const MAX_RUN = 24;

const root = mkdtempSync(join(tmpdir(), "atmicro-damaged-"));
const [records, names] = [join(root, "records"), join(root, "names")];

beforeAll(async () => {
  const store = await openLmdbStore(records, Date.now, "@alice");
  for (let round = 0; round < 5; round++) {
    await store.write((writer) => {
      for (let i = 0; i < 40; i++) {
        const value = "v".repeat(300);
        writer.put(`k${round}-${i}.demo@alice`, { value, metadata: {} }, "*");
      }
    });
  }
  await store.close();
  const directory = await openDirectoryStore(names);
  await directory.set("@alice", { host: "localhost", port: 1 });
  await directory.close();
  const authority = await createAuthority({ name: "test authority" });
  const tls = await issueCertificate(authority, { hosts: ["localhost"] });
  writeFileSync(join(root, "c.pem"), tls.certificate);
  writeFileSync(join(root, "k.pem"), tls.privateKey);
  writeFileSync(join(root, "secret"), "s");
});
afterAll(() => rmSync(root, { recursive: true }));

/** A copy of a store with bytes of its file replaced. */
function damaged(store: string, name: string, at: number, bytes: Uint8Array): string {
  const folder = join(root, name);
  mkdirSync(folder);
  const data = readFileSync(join(store, "data.mdb"));
  data.set(bytes, at);
  writeFileSync(join(folder, "data.mdb"), data);
  return folder;
}

describe("a store with a zeroed header page", () => {
  const serving = ["--port", "0", "--certificate", "c.pem", "--private-key", "k.pem"];
  const sentence = /^atmicro: \S+data\.mdb has a damaged beginning: .*: restore a backup$/m;

  it.each([
    ["first", 0],
    ["second", PAGE],
  ])("is refused by every program with a sentence: the %s", (which, at) => {
    const ofServer = damaged(records, `records-${which}`, at, new Uint8Array(PAGE));
    const ofDirectory = damaged(names, `names-${which}`, at, new Uint8Array(PAGE));
    const secret = ["--secret-file", "secret", "--directory", "localhost:1"];
    for (const command of [
      ["server", "@alice", "--store", ofServer, ...serving, ...secret],
      ["server", "backup", "--store", ofServer, "--to", join(root, "backup.mdb")],
      ["server", "restore", "--from", join(ofServer, "data.mdb"), "--store", join(root, "new")],
      ["directory", "serve", "--store", ofDirectory, ...serving],
      ["directory", "get", "@alice", "--store", ofDirectory],
    ]) {
      const { status, signal, stderr } = spawnSync(process.execPath, [ATMICRO, ...command], {
        encoding: "utf8",
        cwd: root,
      });
      expect([command[1], status, signal]).toEqual([command[1], 1, null]);
      if (command[1] !== "restore") expect(stderr).toMatch(sentence);
      else
        expect(stderr).toMatch(
          /^atmicro: \S+data\.mdb has a damaged beginning: .*: use another backup$/m,
        );
    }
  });
});

/** Opens and reads the stores in folders, one after the other; says the name of each before. */
const READER = `
const { readdirSync } = await import("node:fs");
const { openLmdbStore } = await import(${JSON.stringify(built("store/lmdb.js"))});
const [root] = process.argv.slice(1);
for (const name of readdirSync(root).sort()) {
  console.log(name);
  try {
    const store = await openLmdbStore(root + "/" + name, Date.now, "@alice");
    const read = [...store.records()].length + [...store.commitsAfter(-1)].length;
    await store.close();
    console.log("read", read);
  } catch (error) {
    if (error.name !== "StoreError") throw error;
    console.log("refused", error.message);
  }
}
console.log("all");
`;

it("whatever bytes its header pages have ends no process: it is read, or refused with a sentence", () => {
  const seed = newSeed();
  const random = new Random(seed);
  const folder = join(root, "many");
  mkdirSync(folder);
  for (let i = 0; i < DAMAGES; i++) {
    const bytes = random.bytes(1 + random.below(random.pick([1, MAX_RUN])));
    const at = random.pick([0, PAGE]) + random.below(HEADER);
    damaged(records, join("many", String(i).padStart(4, "0")), at, bytes);
  }
  const reader = spawnSync(process.execPath, ["--input-type=module", "-e", READER, folder], {
    encoding: "utf8",
  });
  const said = reader.stdout.trim().split("\n");
  expect([said.at(-1), reader.signal], `seed ${seed}, ${reader.stderr}`).toEqual(["all", null]);
  const refused = said.filter((line) => line.startsWith("refused"));
  expect(refused.length).toBeGreaterThan(DAMAGES / 10);
  const read = said.filter((line) => line.startsWith("read "));
  expect(read.length + refused.length).toBe(DAMAGES);
});

it("a sound copy is read by the same program", () => {
  const folder = join(root, "sound");
  mkdirSync(folder);
  cpSync(records, join(folder, "0"), { recursive: true });
  const reader = spawnSync(process.execPath, ["--input-type=module", "-e", READER, folder], {
    encoding: "utf8",
  });
  expect(reader.stdout.trim().split("\n")).toEqual(["0", "read 400", "all"]);
});
