// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../cli/atmicro.ts";
import { AtClient } from "../../client/atClient.ts";
import { writeKeyFile } from "../../crypto/keyFile.ts";
import { formatAddress } from "../../net/address.ts";
import { keyType } from "../../wire/atkey.ts";
import { alpha, bravo } from "../client/identities.ts";
import { HostileWorld } from "./hostileWorld.ts";

let world: HostileWorld;
let client: AtClient;
beforeEach(async () => {
  world = await HostileWorld.start();
  world.server.onCommand(/^(?:update|notify):/, () => "data:1");
  world.server.onCommand(/^plookup:publickey@bravo$/, () => `data:${bravo.encryptPublicKey}`);
  client = await AtClient.connect({ ...world.network, keys: alpha });
});
afterEach(async () => {
  await client.close();
  await world.close();
});

const reserved: readonly string[] = [
  "public:publickey@alpha",
  "publickey@alpha",
  "PUBLIC:PublicKey@Alpha",
  " public: publickey @alpha ",
  "@bravo:publickey@alpha",
  "public:signing_publickey@alpha",
  "signing_publickey@alpha",
  "@alpha:signing_privatekey@alpha",
  "signing_privatekey@alpha",
  "@bravo:shared_key@alpha",
  "shared_key@alpha",
  "shared_key.bravo@alpha",
  "Shared_Key.bravo@alpha",
  "public:shared_key.bravo@alpha",
  "at_pkam_publickey@alpha",
  "at_secret@alpha",
  "blocklist@alpha",
  "public:configkey@alpha",
  "cached:@alpha:note.demo@alpha",
  "cached:public:note.demo@alpha",
  "cached:public:publickey@alpha",
];
/** Not even the names of records, for a client. */
const unnamed: readonly string[] = [
  "privatekey:at_pkam_publickey",
  "privatekey:at_secret",
  "privatekey:self_encryption_key",
  "private:blocklist@alpha",
  "configkey",
  "_latestnotificationid",
];
const free: readonly string[] = [
  "public:publickey.demo@alpha",
  "publickey2.demo@alpha",
  "mypublickey@alpha",
  "public:_hidden.demo@alpha",
  "public:__hidden.demo@alpha",
  "@bravo:shared_keys.demo@alpha",
  "a.shared_key@alpha",
  "signing.demo@alpha",
];

describe("put", () => {
  it.each(reserved)("refuses %j, and sends nothing", async (key) => {
    await expect(client.put(key, "x")).rejects.toMatchObject({
      code: "AT0016",
      message: expect.stringMatching(/is reserved for the protocol: .*; choose another name$/),
    });
    await expect(client.notify(key, "x")).rejects.toMatchObject({ code: "AT0016" });
    expect(world.server.count(/^(?:update|notify)/)).toBe(0);
  });

  it.each(unnamed)("refuses %j, which is no name of a client's record", async (key) => {
    await expect(client.put(key, "x")).rejects.toMatchObject({ code: "AT0016" });
    expect(world.server.count(/^update/)).toBe(0);
  });

  it.each(free)("takes %j", async (key) => {
    expect(await client.put(key, "x")).toBe(1);
  });

  it("refuses every key of its own that the grammar calls reserved", async () => {
    const names = [
      "publickey",
      "signing_publickey",
      "signing_privatekey",
      "shared_key",
      "blocklist",
    ];
    const scopes = ["", "public:", "private:", "privatekey:", "@bravo:", "@alpha:"];
    const keys = scopes.flatMap((scope) => names.map((name) => `${scope}${name}@alpha`));
    const asked = keys.filter((key) => keyType(key) === "reservedKey");
    expect(asked.length).toBeGreaterThan(4);
    for (const key of asked) {
      await expect(client.put(key, "x")).rejects.toMatchObject({ code: "AT0016" });
    }
  });
});

describe("atmicro put", () => {
  it("says what is wrong, with the exit code of a wrong use", async () => {
    const folder = mkdtempSync(join(tmpdir(), "atmicro-reserved-"));
    const ca = join(folder, "ca.pem");
    const keys = join(folder, "alpha.atKeys");
    const { directory, authority } = world.network;
    writeFileSync(ca, authority ?? "");
    await writeKeyFile(keys, alpha);
    const err: string[] = [];
    const io = {
      stdout: () => undefined,
      stderr: (line: string) => err.push(line),
      stdin: async () => "x",
      env: {},
      signal: new AbortController().signal,
    };
    const place = ["-a", "@alpha", "-k", keys, "--ca", ca, "--directory", formatAddress(directory)];
    expect(await run(["put", "public:publickey@alpha", "x", ...place], io)).toBe(2);
    expect(err).toHaveLength(1);
    expect(err[0]).toContain("public:publickey@alpha is reserved for the protocol");
    expect(world.server.count(/^update/)).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
