// SPDX-License-Identifier: BSD-3-Clause
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../cli/atmicro.ts";
import { awaitApproval } from "../../client/enrollment.ts";
import { aesEncryptText, generateAesKey, generateIv, ZERO_IV } from "../../crypto/aesCtr.ts";
import { readKeyFile } from "../../crypto/keyFile.ts";
import { generateRsaKeyPair, rsaUnwrapKey } from "../../crypto/rsa.ts";
import { formatAddress } from "../../net/address.ts";
import { alpha } from "../client/identities.ts";
import { HostileWorld } from "./hostileWorld.ts";

const apkamSymmetricKey = generateAesKey();
const pending = { ...alpha, enrollmentId: "1", apkamSymmetricKey };

type Answer = { readonly text: string; readonly iv: string | undefined };

let world: HostileWorld;
beforeEach(async () => {
  world = await HostileWorld.start();
});
afterEach(() => world.close());

/** What the atServer has of the approver, encrypted with the key that the request brought. */
function answer(privateKey: Answer, selfKey: Answer, key: () => string): void {
  const give = (name: RegExp, { text, iv }: Answer): void =>
    world.server.onCommand(name, () => {
      const value = aesEncryptText(text, key(), iv ?? ZERO_IV);
      return `data:${JSON.stringify({ value, ...(iv !== undefined && { iv }) })}`;
    });
  give(/^keys:.*default_enc_private_key/, privateKey);
  give(/^keys:.*default_self_enc_key/, selfKey);
}

const { encryptPrivateKey: privateKey, selfEncryptionKey: selfKey } = alpha;
const ONE = generateIv();

describe("an approval whose two keys share a keystream", () => {
  const unsafe: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ["no IV", undefined, undefined],
    ["no IV for the private key", undefined, ONE],
    ["no IV for the self key", ONE, undefined],
    ["a zero IV", ZERO_IV, ONE],
    ["one IV for both", ONE, ONE],
    ["one IV for both, written differently", ONE, ONE.replace(/=+$/, "")],
  ];

  it("really gives the self key away: the private key's text is known enough", () => {
    const one = Buffer.from(aesEncryptText(privateKey, apkamSymmetricKey, ZERO_IV), "base64");
    const other = Buffer.from(aesEncryptText(selfKey, apkamSymmetricKey, ZERO_IV), "base64");
    const known = Buffer.from(privateKey);
    const found = other.map((byte, i) => byte ^ (one[i] ?? 0) ^ (known[i] ?? 0));
    expect(Buffer.from(found).toString("latin1").slice(0, 44)).toBe(selfKey);
  });

  it.each(unsafe)(
    "%s: is refused, and taken only by who is told what it costs",
    async (_, a, b) => {
      answer({ text: privateKey, iv: a }, { text: selfKey, iv: b }, () => apkamSymmetricKey);
      await expect(awaitApproval(pending, world.network)).rejects.toMatchObject({
        code: "AT0014",
        message: expect.stringMatching(/one keystream.*--accept-legacy-answer/),
      });
      const costs: string[] = [];
      const onLegacyAnswer = (cost: string): void => {
        costs.push(cost);
      };
      const keys = await awaitApproval(pending, world.network, { onLegacyAnswer });
      expect(keys.selfEncryptionKey).toBe(selfKey);
      expect(costs).toEqual([expect.stringContaining("can work out the self key")]);
    },
  );

  it("says nothing where each has its own", async () => {
    answer(
      { text: privateKey, iv: ONE },
      { text: selfKey, iv: generateIv() },
      () => apkamSymmetricKey,
    );
    const onLegacyAnswer = (): never => expect.fail("it is no legacy answer");
    expect(await awaitApproval(pending, world.network, { onLegacyAnswer })).toEqual(pending);
  });
});

describe("keys that are not those of the atSign", () => {
  it.each([
    ["another private key", async () => (await generateRsaKeyPair()).privateKey, selfKey],
    ["no private key", async () => "AAAA", selfKey],
    ["a public key", async () => alpha.encryptPublicKey, selfKey],
    ["no self key", async () => privateKey, "AAAA"],
    ["an empty self key", async () => privateKey, ""],
  ])("are refused: %s", async (_, makePrivate, self) => {
    const text = await makePrivate();
    answer({ text, iv: ONE }, { text: self, iv: generateIv() }, () => apkamSymmetricKey);
    await expect(awaitApproval(pending, world.network)).rejects.toMatchObject({
      code: "AT0014",
      message: expect.stringContaining("not those of the atSign's public key"),
    });
    // Nothing is published or asked after it.
    expect(world.server.lines.map((line) => line.split(":")[0])).toEqual([
      "from",
      "pkam",
      "keys",
      "keys",
    ]);
  });
});

describe("atmicro enroll", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "atmicro-answer-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function enroll(given: { answer: [Answer, Answer]; flags?: string[] }): Promise<{
    code: number;
    err: string;
    file: string;
  }> {
    const { server, network } = world;
    let key = "";
    server.onCommand(/^lookup:publickey@alpha$/, () => `data:${alpha.encryptPublicKey}`);
    server.onCommand(/^enroll:request:/, (line) => {
      const { encryptedAPKAMSymmetricKey } = JSON.parse(line.slice("enroll:request:".length));
      key = rsaUnwrapKey(encryptedAPKAMSymmetricKey, privateKey).key;
      return 'data:{"enrollmentId":"1","status":"pending"}';
    });
    answer(...given.answer, () => key);
    const ca = join(folder, "ca.pem");
    const file = join(folder, "new.atKeys");
    writeFileSync(ca, network.authority ?? "");
    const err: string[] = [];
    const io = {
      stdout: () => undefined,
      stderr: (line: string) => err.push(line),
      stdin: async () => "",
      env: { ATMICRO_OTP: "ABC123" },
      signal: new AbortController().signal,
    };
    const place = ["--ca", ca, "--directory", formatAddress(network.directory)];
    const what = ["--app", "a", "--device", "d", "--namespace", "n:rw", ...(given.flags ?? [])];
    const code = await run(["enroll", "-a", "@alpha", "-k", file, ...what, ...place], io);
    return { code, err: err.join("\n"), file };
  }

  const legacy: [Answer, Answer] = [
    { text: privateKey, iv: undefined },
    { text: selfKey, iv: undefined },
  ];

  it("saves nothing of an answer without IVs, and says how to take it", async () => {
    const { code, err, file } = await enroll({ answer: legacy });
    expect(code).toBe(9);
    expect(err).toContain("--accept-legacy-answer");
    expect(existsSync(file)).toBe(false);
  });

  it("takes it when told to, and prints what it costs", async () => {
    const { code, err, file } = await enroll({ answer: legacy, flags: ["--accept-legacy-answer"] });
    expect(code).toBe(0);
    expect(err).toContain("warning: ");
    expect(err).toContain("can work out the self key");
    expect((await readKeyFile(file, "@alpha")).selfEncryptionKey).toBe(selfKey);
  });

  it("saves nothing when the private key is another's, whatever it is told", async () => {
    const other = await generateRsaKeyPair();
    const { code, file } = await enroll({
      answer: [
        { text: other.privateKey, iv: undefined },
        { text: selfKey, iv: undefined },
      ],
      flags: ["--accept-legacy-answer"],
    });
    expect(code).toBe(9);
    expect(existsSync(file)).toBe(false);
  });
});
