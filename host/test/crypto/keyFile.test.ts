// SPDX-License-Identifier: BSD-3-Clause
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  defaultKeyFile,
  formatKeyFile,
  parseKeyFile,
  readKeyFile,
  writeKeyFile,
} from "../../crypto/keyFile.ts";
import { readVectors } from "./vectors.ts";

type Fields = Record<string, string>;
type Vectors = {
  fullApkamFile: Fields;
  minimalLegacyFile: { content: Fields };
  decrypted: Record<"@alpha" | "@bravo", Fields>;
};
const vectors = readVectors<Vectors>("07-atkeys-file");
const full = JSON.stringify(vectors.fullApkamFile);
const alpha = parseKeyFile(full, "@alpha", "the vector");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "atkeys-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("the text of a key file", () => {
  it("is the vector's, field by field", () => {
    expect(JSON.parse(formatKeyFile(alpha))).toEqual(vectors.fullApkamFile);
    expect(alpha).toEqual({
      atSign: "@alpha",
      ...vectors.decrypted["@alpha"],
      selfEncryptionKey: vectors.fullApkamFile.selfEncryptionKey,
      apkamSymmetricKey: vectors.fullApkamFile.apkamSymmetricKey,
      enrollmentId: vectors.fullApkamFile.enrollmentId,
    });
  });

  it("is read from the minimal file of older tools", () => {
    const { content } = vectors.minimalLegacyFile;
    expect(parseKeyFile(JSON.stringify(content), "bravo", "the vector")).toEqual({
      atSign: "@bravo",
      ...vectors.decrypted["@bravo"],
      selfEncryptionKey: content.selfEncryptionKey,
      apkamSymmetricKey: undefined,
      enrollmentId: undefined,
    });
  });

  it("is read as at_python wrote it at an onboarding", () => {
    const { atKeysFile } = readVectors<{ atKeysFile: Fields }>("15-at_python-onboarding");
    const keys = parseKeyFile(JSON.stringify(atKeysFile), "@charlie", "the vector");
    expect(keys.pkamPublicKey).toMatch(/^MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A/);
    expect(keys.encryptPrivateKey).toMatch(/^MIIE/);
  });

  const { selfEncryptionKey: _, ...withoutSelf } = vectors.fullApkamFile;
  it.each([
    ["no JSON", "{", "bad.atKeys is not JSON"],
    ["an array", "[]", "bad.atKeys is not a JSON object"],
    ["a missing field", JSON.stringify(withoutSelf), "bad.atKeys has no selfEncryptionKey"],
    ["an envelope", '{"iv":"x","content":"y"}', "protected by a passphrase"],
    [
      "a wrong self key",
      JSON.stringify({ ...vectors.fullApkamFile, selfEncryptionKey: "A".repeat(43).concat("=") }),
      "bad.atKeys is damaged: aesPkamPublicKey",
    ],
  ])("with %s is refused in words", (_name, text, message) => {
    expect(() => parseKeyFile(text, "@alpha", "bad.atKeys")).toThrow(message);
  });

  it("is never quoted in an error", () => {
    const secret = '{"selfEncryptionKey":"c2VjcmV0", oops';
    let message = "";
    try {
      parseKeyFile(secret, "@alpha", "bad.atKeys");
    } catch (error) {
      message = error instanceof Error ? `${error.message}${error.stack}${error.cause}` : "";
    }
    expect(message).toContain("bad.atKeys");
    expect(message).not.toContain("c2VjcmV0");
  });
});

describe("the file", () => {
  it("is written 0600 in a folder 0700, whole, with nothing beside it", async () => {
    const path = join(folder, "keys", "@alpha_key.atKeys");
    await writeKeyFile(path, alpha);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "keys"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, "keys"))).toEqual(["@alpha_key.atKeys"]);
    expect(await readKeyFile(path, "@alpha")).toEqual(alpha);
  });

  it("is never overwritten", async () => {
    const path = join(folder, "keys.atKeys");
    await writeFile(path, "precious");
    await expect(writeKeyFile(path, alpha)).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readdir(folder)).toEqual(["keys.atKeys"]);
    await expect(readKeyFile(path, "@alpha")).rejects.toThrow("is not JSON");
  });

  it("has its customary place", () => {
    expect(defaultKeyFile("@alice", "/home/a")).toBe("/home/a/.atsign/keys/@alice_key.atKeys");
  });
});
