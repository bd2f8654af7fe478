// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import { cramDigest } from "../../crypto/cram.ts";
import { parseKeyFile } from "../../crypto/keyFile.ts";
import { rsaPrivateKey, rsaPublicKey, rsaSign, rsaVerify } from "../../crypto/rsa.ts";
import { readVectors } from "./vectors.ts";

describe("the identities of the vectors", () => {
  type Key = Record<
    | "publicKeySpkiBase64"
    | "publicKeyPkcs1Base64"
    | "privateKeyPkcs8Base64"
    | "privateKeyPkcs1Base64",
    string
  >;
  type Identity = { readonly pkam: Key; readonly encryption: Key };
  const identities = readVectors<Record<"@alpha" | "@bravo", Identity>>("00-identities");

  describe.each(["@alpha", "@bravo"] as const)("%s", (atSign) => {
    it.each(["pkam", "encryption"] as const)("%s: halves and encodings belong together", (pair) => {
      const key = identities[atSign][pair];
      const privateKey = rsaPrivateKey(key.privateKeyPkcs8Base64);
      const publicKey = rsaPublicKey(key.publicKeySpkiBase64);
      expect(rsaPrivateKey(key.privateKeyPkcs1Base64).equals(privateKey)).toBe(true);
      expect(rsaPublicKey(key.publicKeyPkcs1Base64).equals(publicKey)).toBe(true);
      const spki = publicKey.export({ type: "spki", format: "der" });
      expect(spki.toString("base64")).toBe(key.publicKeySpkiBase64);
      const pkcs8 = privateKey.export({ type: "pkcs8", format: "der" });
      expect(pkcs8.toString("base64")).toBe(key.privateKeyPkcs8Base64);
      const signature = rsaSign("challenge", key.privateKeyPkcs8Base64);
      expect(rsaVerify("challenge", signature, key.publicKeySpkiBase64)).toBe(true);
    });
  });
});

describe("the onboarding recorded of at_python", () => {
  type Step = { serverSends?: string; clientSends?: string };
  type Onboarding = {
    cramSecret: string;
    transcript: Step[];
    atKeysFile: Record<string, string>;
  };
  const { cramSecret, transcript, atKeysFile } = readVectors<Onboarding>("15-at_python-onboarding");
  const keys = parseKeyFile(JSON.stringify(atKeysFile), "@charlie", "the recording");

  /** The client's line that begins so, and the last reply before it. */
  function sent(start: string): { line: string; before: string } {
    const at = transcript.findIndex(({ clientSends }) => clientSends?.startsWith(start));
    const replies = transcript.slice(0, at).flatMap(({ serverSends }) => serverSends ?? []);
    return {
      line: transcript[at]?.clientSends?.trimEnd() ?? "",
      before: replies.at(-1)?.split("\n")[0] ?? "",
    };
  }

  it("has the digest and the signature that the host computes", () => {
    const cram = sent("cram:");
    expect(cram.line).toBe(`cram:${cramDigest(cramSecret, cram.before.slice("data:".length))}`);
    const pkam = sent("pkam:");
    const challenge = pkam.before.slice("data:".length);
    expect(pkam.line).toBe(`pkam:${rsaSign(challenge, keys.pkamPrivateKey)}`);
    expect(rsaVerify(challenge, pkam.line.slice("pkam:".length), keys.pkamPublicKey)).toBe(true);
  });

  it("published the public keys of the file that it wrote", () => {
    expect(sent("update:privatekey:at_pkam_publickey").line.split(" ")[1]).toBe(keys.pkamPublicKey);
    expect(sent("update:public:publickey").line.split(" ")[1]).toBe(keys.encryptPublicKey);
  });
});
