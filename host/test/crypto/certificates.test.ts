// SPDX-License-Identifier: BSD-3-Clause
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import {
  createAuthority,
  type IssuedCertificate,
  issueCertificate,
} from "../../crypto/certificates.ts";
import { PeerCertificates } from "../../server/peers/peerCertificate.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Resolves to "secure" or to the error code of the client's handshake. */
async function handshake(
  served: IssuedCertificate,
  ca: string,
  clientCertificate?: IssuedCertificate,
): Promise<{ outcome: string; peer: string | undefined }> {
  let peer: string | undefined;
  const server = createServer(
    {
      cert: served.certificate,
      key: served.privateKey,
      ca,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket) => {
      const judgement = new PeerCertificates({ ...served, authority: ca }, Date.now).judge(socket);
      peer = "certificate" in judgement ? String(judgement.certificate.subject.CN) : undefined;
      socket.on("error", () => socket.destroy());
      socket.end("@");
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: "localhost",
    ca,
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certificate, key: clientCertificate.privateKey }),
  });
  closing.push(() => socket.destroy());
  const outcome = await new Promise<string>((resolve) => {
    socket.once("data", () => resolve("secure"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  return { outcome, peer };
}

describe("the private certification authority", () => {
  it("issues P-256 and RSA certificates that name their hosts", async () => {
    const authority = await createAuthority({ name: "test authority" });
    const root = new X509Certificate(authority.certificate);
    for (const keyAlgorithm of ["p256", "rsa2048"] as const) {
      const issued = await issueCertificate(authority, {
        hosts: ["localhost", "127.0.0.1", "::1"],
        keyAlgorithm,
      });
      const leaf = new X509Certificate(issued.certificate);
      expect(leaf.verify(root.publicKey)).toBe(true);
      expect(leaf.checkIssued(root)).toBe(true);
      expect(leaf.ca).toBe(false);
      expect(leaf.checkHost("localhost")).toBe("localhost");
      expect(leaf.checkHost("example.org")).toBeUndefined();
      expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
      expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
      expect(leaf.publicKey.asymmetricKeyType).toBe(keyAlgorithm === "p256" ? "ec" : "rsa");
    }
  });

  it("is trusted by TLS, as server and as client", async () => {
    const authority = await createAuthority({ name: "test authority" });
    const served = await issueCertificate(authority, { hosts: ["localhost"] });
    const client = await issueCertificate(authority, { hosts: ["peer.test"] });
    expect(await handshake(served, authority.certificate, client)).toEqual({
      outcome: "secure",
      peer: "peer.test",
    });
  });

  it("makes certificates that TLS refuses when they are of another authority, host or time", async () => {
    const authority = await createAuthority({ name: "test authority" });
    const other = await createAuthority({ name: "test authority" });
    const good = await issueCertificate(authority, { hosts: ["localhost"] });
    const wrongHost = await issueCertificate(authority, { hosts: ["other.test"] });
    const expired = await issueCertificate(authority, {
      hosts: ["localhost"],
      notBefore: new Date(Date.now() - 2_000_000),
      notAfter: new Date(Date.now() - 1_000_000),
    });
    const later = await issueCertificate(authority, {
      hosts: ["localhost"],
      notBefore: new Date(Date.now() + 1_000_000),
    });
    expect((await handshake(good, other.certificate)).outcome).toMatch(
      /CERT_SIGNATURE_FAILURE|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER/,
    );
    expect((await handshake(wrongHost, authority.certificate)).outcome).toBe(
      "ERR_TLS_CERT_ALTNAME_INVALID",
    );
    expect((await handshake(expired, authority.certificate)).outcome).toBe("CERT_HAS_EXPIRED");
    expect((await handshake(later, authority.certificate)).outcome).toBe("CERT_NOT_YET_VALID");
  });
});
