// SPDX-License-Identifier: BSD-3-Clause
import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import * as peculiar from "@peculiar/x509";
import { describe, expect, it } from "vitest";
import { TrustedAuthorities } from "../../crypto/certificateChain.ts";
import { X509Extensions } from "../../crypto/x509Extensions.ts";
import { authority, issue, server } from "../security/authorities.ts";

const extensionsOf = (pem: string): X509Extensions =>
  new X509Extensions(new X509Certificate(pem).raw);

describe("the extensions of a certificate", () => {
  it("are read of every public authority as another implementation reads them", () => {
    expect(rootCertificates.length).toBeGreaterThan(100);
    for (const pem of rootCertificates) {
      const extensions = extensionsOf(pem);
      const other = new peculiar.X509Certificate(pem);
      const constraints = other.getExtension(peculiar.BasicConstraintsExtension);
      expect(extensions.pathLength()).toBe(constraints?.ca ? constraints.pathLength : -1);
      const usages = other.getExtension(peculiar.KeyUsagesExtension)?.usages;
      expect(extensions.mayCertify()).toBe(
        usages === undefined || (usages & peculiar.KeyUsageFlags.keyCertSign) !== 0,
      );
      const critical = other.extensions.filter((extension) => extension.critical);
      expect(extensions.onlyCritical(new Set())).toBe(critical.length === 0);
    }
  });

  it("may be none at all", async () => {
    const bare = extensionsOf((await issue({ name: "bare" })).certificate);
    expect(bare.pathLength()).toBe(-1);
    expect([bare.mayCertify(), bare.maySign(), bare.isForServers()]).toEqual([true, true, true]);
  });

  it("are not read of bytes that are no certificate", async () => {
    const raw = new X509Certificate((await server(undefined)).certificate).raw;
    const good = Buffer.from(raw);
    for (const bytes of [Buffer.alloc(0), Buffer.from([0x30]), Buffer.from([0x30, 0x80, 0, 0])]) {
      expect(() => new X509Extensions(bytes)).toThrow(RangeError);
    }
    for (let length = 0; length < good.length; length++) {
      expect(() => new X509Extensions(good.subarray(0, length))).toThrow(RangeError);
    }
    expect(() => new X509Extensions(Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]))).toThrow(
      RangeError,
    );
  });
});

describe("trusted authorities", () => {
  it("are the public ones unless others are named", async () => {
    const leaf = new X509Certificate((await server(await authority({ name: "x" }))).certificate);
    expect(new TrustedAuthorities().pathOf(leaf, [], Date.now())).toBeUndefined();
  });

  it("are found at the end of no more than six others, whatever is sent along", async () => {
    const root = await authority({ name: "0" });
    const trusted = new TrustedAuthorities(root.certificate);
    const links = [root];
    for (let depth = 1; depth <= 7; depth++) {
      links.push(await authority({ name: String(depth), issuer: links[depth - 1] ?? root }));
    }
    const candidates = links.map(({ certificate }) => new X509Certificate(certificate)).reverse();
    for (const [depth, issuer] of links.entries()) {
      const leaf = new X509Certificate((await server(issuer)).certificate);
      const path = trusted.pathOf(leaf, candidates, Date.now());
      if (depth > 6) expect(path).toBeUndefined();
      else
        expect(path?.map(({ subject }) => subject)).toEqual(
          links.slice(1, depth + 1).map((_, i) => `CN=${depth - i}`),
        );
    }
  });

  it("are not searched for through a circle", async () => {
    const one = await authority({ name: "one" });
    const two = await authority({ name: "two", issuer: one });
    const cross = await authority({ name: "one", issuer: two });
    const trusted = new TrustedAuthorities((await authority({ name: "root" })).certificate);
    const leaf = new X509Certificate((await server(two)).certificate);
    const candidates = [one, two, cross].map(({ certificate }) => new X509Certificate(certificate));
    expect(trusted.pathOf(leaf, candidates, Date.now())).toBeUndefined();
  });
});
