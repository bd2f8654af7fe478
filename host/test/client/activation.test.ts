// SPDX-License-Identifier: BSD-3-Clause
import { afterEach, describe, expect, it } from "vitest";
import { activate } from "../../client/activation.ts";
import { approveEnrollment, awaitApproval, requestEnrollment } from "../../client/enrollment.ts";
import { openLoggedIn, Session } from "../../client/session.ts";
import { tlsTransport } from "../../client/tls.ts";
import { aesDecryptText } from "../../crypto/aesCtr.ts";
import { createAuthority } from "../../crypto/certificates.ts";
import { cramDigest } from "../../crypto/cram.ts";
import type { AtKeys } from "../../crypto/keyFile.ts";
import { rsaDecrypt } from "../../crypto/rsa.ts";
import { findAtServer } from "../../net/findAtServer.ts";
import { readVectors } from "../crypto/vectors.ts";
import { alpha } from "./identities.ts";
import {
  challenge,
  loggedIn,
  type Script,
  ScriptedServer,
  ScriptedWorld,
} from "./scriptedServer.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(script: Script): Promise<ScriptedWorld> {
  const world = await ScriptedWorld.start(script);
  opened.push(world);
  return world;
}

/** The command's name of each line. */
function verbs(lines: readonly string[]): string[] {
  return lines.map((line) => line.split(/[:{]/).slice(0, 2).join(":"));
}

describe("activation", () => {
  const script = loggedIn((line) =>
    line.startsWith("enroll:request:")
      ? 'data:{"enrollmentId":"first","status":"approved"}\n@alpha@'
      : "data:1\n@alpha@",
  );

  it("saves the keys before the secret is deleted", async () => {
    const world = await start(script);
    let saved: AtKeys | undefined;
    let linesBefore: string[] = [];
    const keys = await activate(
      {
        atSign: "@alpha",
        cramSecret: "secret",
        save: async (made) => {
          saved = made;
          linesBefore = [...world.server.lines];
        },
      },
      world.network,
    );
    expect(saved).toEqual(keys);
    expect(verbs(linesBefore)).toEqual([
      "from:@alpha",
      "cram:".concat(cramDigest("secret", challenge("@alpha"))),
      "enroll:request",
      "from:@alpha",
      "pkam:signingAlgo",
    ]);
    expect(world.server.lines.slice(5)).toEqual([
      `update:isEncrypted:false:public:publickey@alpha ${keys.encryptPublicKey}`,
      "delete:privatekey:at_secret",
    ]);
    const request = JSON.parse(world.server.lines[2]?.slice("enroll:request:".length) ?? "");
    const { apkamSymmetricKey = "" } = keys;
    const iv = "AAAAAAAAAAAAAAAAAAAAAA==";
    const { encryptedDefaultEncryptionPrivateKey: privateKey } = request;
    const { encryptedDefaultSelfEncryptionKey: selfKey } = request;
    expect(aesDecryptText(privateKey, apkamSymmetricKey, iv)).toBe(keys.encryptPrivateKey);
    expect(aesDecryptText(selfKey, apkamSymmetricKey, iv)).toBe(keys.selfEncryptionKey);
    expect(request.apkamPublicKey).toBe(keys.pkamPublicKey);
    expect(keys.enrollmentId).toBe("first");
  });

  it("leaves the secret alone when the keys can't be saved", async () => {
    const world = await start(script);
    const save = (): Promise<void> => Promise.reject(new Error("the disk is full"));
    const options = { atSign: "@alpha", cramSecret: "secret", save };
    await expect(activate(options, world.network)).rejects.toThrow("the disk is full");
    expect(world.server.lines.filter((line) => /^(?:update|delete)/.test(line))).toEqual([]);
  });

  it("rejects a wrong secret before any key is made", async () => {
    const world = await start((line) =>
      line.startsWith("from:")
        ? `data:${challenge("@alpha")}\n@`
        : "error:AT0401-Client authentication failed : Authentication Failed\n@",
    );
    const save = (): Promise<void> => Promise.reject(new Error("not reached"));
    const options = { atSign: "@alpha", cramSecret: "wrong", save };
    await expect(activate(options, world.network)).rejects.toMatchObject({ code: "AT0401" });
    expect(verbs(world.server.lines)[0]).toBe("from:@alpha");
    expect(world.server.lines).toHaveLength(2);
  });
});

describe("enrolment", () => {
  type Vector = {
    newDevice: { apkamPrivateKeyPkcs8Base64: string; apkamPublicKeySpkiBase64: string } & {
      apkamSymmetricKeyBase64: string;
    };
    encryptedAPKAMSymmetricKey: { ciphertextBase64: string };
    fetchKeys: { send: string; recvLegacy: string; recvWithIv: string }[];
    expected: { encryptionPrivateKeyPkcs8Base64: string; selfEncryptionKeyBase64: string };
  };
  const vector = readVectors<Vector>("11-apkam-enrollment");
  const enrollmentId = "37feb67e-fb9b-483e-8591-67ff7b207cff";
  const pending = {
    atSign: "@alpha",
    enrollmentId,
    pkamPublicKey: vector.newDevice.apkamPublicKeySpkiBase64,
    pkamPrivateKey: vector.newDevice.apkamPrivateKeyPkcs8Base64,
    apkamSymmetricKey: vector.newDevice.apkamSymmetricKeyBase64,
    encryptPublicKey: alpha.encryptPublicKey,
  };

  it.each(["recvLegacy", "recvWithIv"] as const)(
    "ends with the vector's keys (%s)",
    async (form) => {
      let logins = 0;
      const answers = new Map(vector.fetchKeys.map((step) => [step.send.trimEnd(), step[form]]));
      const world = await start((line) => {
        if (line.startsWith("from:")) return `data:${challenge("@alpha")}\n@`;
        if (!line.startsWith("pkam:")) return answers.get(line) ?? "hang up";
        logins += 1;
        return logins < 3
          ? `error:AT0026:enrollment_id: ${enrollmentId} is pending\n@`
          : "data:success\n@alpha@";
      });
      const onLegacyAnswer = (): void => undefined;
      const keys = await awaitApproval(pending, world.network, { pollMillis: 1, onLegacyAnswer });
      expect(keys.encryptPrivateKey).toBe(vector.expected.encryptionPrivateKeyPkcs8Base64);
      expect(keys.selfEncryptionKey).toBe(vector.expected.selfEncryptionKeyBase64);
      expect(keys).toMatchObject(pending);
      expect(world.server.connections).toHaveLength(3);
    },
  );

  it("ends when it is denied, and when the user has enough", async () => {
    const world = await start((line) =>
      line.startsWith("from:")
        ? `data:${challenge("@alpha")}\n@`
        : `error:AT0025:enrollment_id: ${enrollmentId} is denied\n@`,
    );
    await expect(awaitApproval(pending, world.network)).rejects.toMatchObject({ code: "AT0025" });
    const stop = new AbortController();
    world.server.script = (line) => {
      if (line.startsWith("from:")) return `data:${challenge("@alpha")}\n@`;
      stop.abort();
      return `error:AT0026:enrollment_id: ${enrollmentId} is pending\n@`;
    };
    await expect(
      awaitApproval(pending, world.network, { signal: stop.signal }),
    ).rejects.toMatchObject({ name: "AbortError" });
  });

  it("asks with keys of its own, the symmetric one for the atSign only", async () => {
    const world = await start((line) =>
      line.startsWith("lookup:")
        ? `data:${alpha.encryptPublicKey}\n@`
        : 'data:{"enrollmentId":"new","status":"pending"}\n@',
    );
    const asked = await requestEnrollment(
      {
        atSign: "@alpha",
        appName: "sensor",
        deviceName: "esp32-01",
        namespaces: { demo: "rw" },
        otp: "AB12CD",
      },
      world.network,
    );
    expect(world.server.lines[0]).toBe("lookup:publickey@alpha");
    const { encryptedAPKAMSymmetricKey, ...rest } = JSON.parse(
      world.server.lines[1]?.slice("enroll:request:".length) ?? "",
    );
    expect(rest).toEqual({
      appName: "sensor",
      deviceName: "esp32-01",
      namespaces: { demo: "rw" },
      otp: "AB12CD",
      apkamPublicKey: asked.pkamPublicKey,
    });
    expect(asked.pkamPublicKey).toMatch(/^04[0-9a-f]{128}$/);
    expect(rsaDecrypt(encryptedAPKAMSymmetricKey, alpha.encryptPrivateKey)).toBe(
      asked.apkamSymmetricKey,
    );
  });

  it("is approved with the atSign's keys, encrypted to the request's", async () => {
    const wrapped = vector.encryptedAPKAMSymmetricKey.ciphertextBase64;
    const fetched = { status: "pending", encryptedAPKAMSymmetricKey: wrapped };
    const world = await start(
      loggedIn((line) =>
        line.startsWith("enroll:fetch")
          ? `data:${JSON.stringify(fetched)}\n@alpha@`
          : `data:${JSON.stringify({ status: "approved", enrollmentId })}\n@alpha@`,
      ),
    );
    const session = new Session(() => openLoggedIn("@alpha", alpha, world.network));
    opened.push(session);
    await approveEnrollment(session, alpha, enrollmentId);
    const [fetch, approve = ""] = world.server.lines.slice(2);
    expect(fetch).toBe(`enroll:fetch:${JSON.stringify({ enrollmentId })}`);
    const sent = JSON.parse(approve.slice("enroll:approve:".length));
    const key = pending.apkamSymmetricKey;
    const open = (text: string, iv: string): string => aesDecryptText(text, key, iv);
    expect(sent.enrollmentId).toBe(enrollmentId);
    expect(open(sent.encryptedDefaultEncryptionPrivateKey, sent.encPrivateKeyIV)).toBe(
      alpha.encryptPrivateKey,
    );
    expect(open(sent.encryptedDefaultSelfEncryptionKey, sent.selfEncKeyIV)).toBe(
      alpha.selfEncryptionKey,
    );
    expect(sent.encPrivateKeyIV).not.toBe(sent.selfEncKeyIV);
  });
});

describe("the directory", () => {
  async function directory(script: Script): Promise<ScriptedServer> {
    const server = await ScriptedServer.start(script);
    opened.push(server);
    return server;
  }

  it("is asked for the name without its @, and tried again when it hangs up", async () => {
    const { network } = await start(() => "hang up");
    const server = await directory((_, connection) =>
      connection.number < 3 ? "hang up" : "host.example:6464\r\n@",
    );
    const transport = tlsTransport({ authority: network.authority });
    const options = { directory: server.address, transport, timeoutMillis: 5_000 };
    expect(await findAtServer("@alice", options)).toEqual({ host: "host.example", port: 6464 });
    expect(server.lines).toEqual(["alice", "alice", "alice"]);
  });

  it("is believed when it doesn't know an atSign", async () => {
    const { network } = await start(() => "hang up");
    const server = await directory(() => "null\r\n@");
    const transport = tlsTransport({ authority: network.authority });
    const options = { directory: server.address, transport, timeoutMillis: 5_000 };
    await expect(findAtServer("@nobody", options)).rejects.toMatchObject({ code: "AT0007" });
    expect(server.lines).toEqual(["nobody"]);
  });

  it("is refused when its certificate is of another authority, or for another name", async () => {
    const server = await directory(() => "host.example:6464\r\n@");
    const other = await createAuthority({ name: "other" });
    const transport = tlsTransport({ authority: other.certificate });
    await expect(transport(server.address, 5_000)).rejects.toMatchObject({
      code: "AT0021",
      message: expect.stringContaining("its certificate is of an unknown authority"),
    });
    const { network } = await start(() => "hang up");
    const trusting = tlsTransport({ authority: network.authority });
    const byAddress = { host: "127.0.0.1", port: server.address.port };
    await expect(trusting(byAddress, 5_000)).rejects.toMatchObject({
      code: "AT0021",
      message: expect.stringContaining("another host name"),
    });
  });
});
