// SPDX-License-Identifier: BSD-3-Clause
// A renewed certificate is taken up by a running atServer, and nobody who is connected notices.
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type IssuedCertificate, issueCertificate } from "../../crypto/certificates.ts";
import type { Line } from "./line.ts";
import { ServerProcess } from "./serverProcess.ts";
import { World } from "./world.ts";

let world: World;
let folder: string;

beforeAll(async () => {
  world = await World.create();
  folder = mkdtempSync(join(tmpdir(), "atmicro-certificate-"));
});

afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;

const shown = (line: Line): string => {
  const { raw } = line.socket.getPeerCertificate();
  const digest = createHash("sha256").update(raw).digest("hex").toUpperCase();
  return digest.replace(/..(?!$)/g, "$&:");
};

const issue = (keyAlgorithm: "p256" | "rsa2048"): Promise<IssuedCertificate> =>
  issueCertificate(world.authority, { hosts: ["localhost"], keyAlgorithm });

describe("an atServer in this process", () => {
  it.each(["p256", "rsa2048"] as const)(
    "shows a renewed %s certificate and keeps its connections",
    async (algorithm) => {
      const { server, open } = await world.start(`@renewed${algorithm}`);
      const before = await open();
      const renewed = await issue(algorithm);
      server.useIdentity({ ...renewed, authority: world.authority.certificate });
      const after = await open();
      expect(shown(after)).toBe(fingerprint(renewed.certificate));
      expect(shown(before)).not.toBe(shown(after));
      expect(await before.ask("noop:0")).toBe("data:ok\n@");
      expect(await after.ask("info:mtls")).toContain(
        JSON.stringify(renewed.certificate).slice(1, -1),
      );
    },
  );

  it("refuses a key that is not the certificate's and stays as it was", async () => {
    const { server, open } = await world.start("@mismatched");
    const before = await open();
    const { privateKey } = await issue("p256");
    for (const { certificate } of [await issue("p256"), await issue("rsa2048")]) {
      expect(() => server.useIdentity({ certificate, privateKey })).toThrow(/key values mismatch/);
    }
    expect(shown(await open())).toBe(shown(before));
  });
});

describe("an atServer as a process", () => {
  it("reads its files again on SIGHUP, and says so when they do not fit", async () => {
    const server = new ServerProcess(world, "@hup", join(folder, "hup"));
    await server.start();
    const before = await world.connect(server.port);
    const renewed = await issue("p256");
    writeFileSync(join(folder, "hup", "certificate.pem"), renewed.certificate);
    server.reload();
    await server.logged("the one in use stays");
    expect(shown(await world.connect(server.port))).toBe(shown(before));
    writeFileSync(join(folder, "hup", "private.key"), renewed.privateKey);
    server.reload();
    await expect
      .poll(async () => shown(await world.connect(server.port)))
      .toBe(fingerprint(renewed.certificate));
    expect(await before.ask("noop:0")).toBe("data:ok\n@");
    server.stop();
    expect(await server.exit()).toBe(0);
  });
});
