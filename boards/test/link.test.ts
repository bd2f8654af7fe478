// SPDX-License-Identifier: BSD-3-Clause
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import * as x509 from "@peculiar/x509";
import { afterEach, describe, expect, it } from "vitest";
import { type LinkEvents, openLink } from "../../device/js/link.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

type Pair = { privateKey: webcrypto.CryptoKey; publicKey: webcrypto.CryptoKey };
const makePair = (): Promise<Pair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<Pair>;

interface Authority {
  readonly pem: string;
  readonly keys: Pair;
}

async function makeAuthority(name: string): Promise<Authority> {
  const keys = await makePair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  return { pem: certificate.toString("pem"), keys };
}

interface Leaf {
  readonly host?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A certificate for `host`, and its key, PEM. */
async function makeLeaf(authority: Authority, leaf: Leaf = {}) {
  const keys = await makePair();
  const host = leaf.host ?? "localhost";
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: "02",
    subject: "CN=server",
    issuer: new x509.X509Certificate(authority.pem).subject,
    notBefore: leaf.notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: leaf.notAfter ?? new Date(Date.now() + DAY_MS),
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: host }])],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const base64 = key.toString("base64").replace(/.{64}/g, "$&\n");
  return {
    cert: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`,
  };
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function serve(
  identity: { cert: string; key: string },
  onSocket: (socket: TLSSocket) => void,
): Promise<number> {
  const server = createServer(identity, (socket) => {
    closers.push(() => socket.destroy());
    socket.on("error", () => socket.destroy());
    onSocket(socket);
  });
  return listen(server);
}

type Told = ["opened" | "ready"] | ["failed" | "closed", string];

/** A link whose events can be awaited in order; "ready" is left out unless asked for. */
function track(port: number, ca: string, openTimeoutMs = 15_000) {
  const told: Told[] = [];
  const waiting: (() => void)[] = [];
  const note = (event: Told) => {
    told.push(event);
    for (const wake of waiting.splice(0)) wake();
  };
  const events: LinkEvents = {
    opened: () => note(["opened"]),
    failed: (reason) => note(["failed", reason]),
    closed: (reason) => note(["closed", reason]),
    ready: () => note(["ready"]),
  };
  const link = openLink(`localhost:${port}`, { ca, openTimeoutMs }, events);
  closers.push(() => link.close());
  const change = () => new Promise<void>((resolve) => waiting.push(resolve));
  const until = async (name: Told[0]): Promise<Told> => {
    for (;;) {
      const found = told.find(([told]) => told === name);
      if (found) return found;
      const bad = told.find(([told]) => told === "failed" || told === "closed");
      if (bad) throw new Error(`waiting for ${name}: ${bad.join(" ")}`);
      await change();
    }
  };
  return { link, told, until, change };
}

describe("a link", () => {
  it("sends and receives bytes as they were, any number at a time", async () => {
    const ca = await makeAuthority("Test");
    const port = await serve(await makeLeaf(ca), (socket) => socket.pipe(socket));
    const { link, until, change } = track(port, ca.pem);
    await until("opened");
    const sent = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
    let taken = 0;
    let received = Buffer.alloc(0);
    while (received.length < sent.length) {
      const changed = change();
      if (taken < sent.length) taken += link.write(sent.subarray(taken, taken + 4096));
      const bytes = link.read(1000);
      expect(bytes.length).toBeLessThanOrEqual(1000);
      received = Buffer.concat([received, bytes]);
      if (bytes.length === 0 && taken === sent.length) await changed;
    }
    expect(received.equals(sent)).toBe(true);
  });

  it("takes nothing more while the other side does not read, and goes on when it does", async () => {
    const ca = await makeAuthority("Test");
    let total = 0;
    let accept: (socket: TLSSocket) => void = () => {};
    const accepted = new Promise<TLSSocket>((resolve) => {
      accept = resolve;
    });
    const port = await serve(await makeLeaf(ca), (socket) => accept(socket.pause()));
    const { link, until, change } = track(port, ca.pem);
    await until("opened");
    const server = await accepted;
    const chunk = Buffer.alloc(65_536, 1);
    let taken = 0;
    const fill = () => {
      for (let i = 0; i < 1000; i++) {
        const n = link.write(chunk);
        if (n === 0) return true;
        taken += n;
      }
      return false;
    };
    expect(fill()).toBe(true);
    const changed = change();
    server.on("data", (bytes: Buffer) => {
      total += bytes.length;
    });
    server.resume();
    await changed;
    expect(link.write(Buffer.of(2))).toBe(1);
    const closed = new Promise<void>((resolve) => server.once("end", () => resolve()));
    link.close();
    await closed;
    expect(total).toBe(taken + 1);
  });

  it("refuses a certificate of another authority", async () => {
    const [ca, other] = await Promise.all([makeAuthority("Test"), makeAuthority("Other")]);
    const port = await serve(await makeLeaf(other), () => {});
    expect(await track(port, ca.pem).until("failed")).toEqual([
      "failed",
      "its certificate is signed by no authority in the CA file",
    ]);
  });

  it("refuses a certificate for another host", async () => {
    const ca = await makeAuthority("Test");
    const port = await serve(await makeLeaf(ca, { host: "example.org" }), () => {});
    expect(await track(port, ca.pem).until("failed")).toEqual([
      "failed",
      "its certificate is for another host name",
    ]);
  });

  it("refuses an expired certificate, and one of the future", async () => {
    const ca = await makeAuthority("Test");
    const past = {
      notBefore: new Date(Date.now() - 2 * DAY_MS),
      notAfter: new Date(Date.now() - DAY_MS),
    };
    const future = {
      notBefore: new Date(Date.now() + DAY_MS),
      notAfter: new Date(Date.now() + 2 * DAY_MS),
    };
    const expired = await serve(await makeLeaf(ca, past), () => {});
    expect(await track(expired, ca.pem).until("failed")).toEqual([
      "failed",
      "its certificate has expired",
    ]);
    const early = await serve(await makeLeaf(ca, future), () => {});
    expect(await track(early, ca.pem).until("failed")).toEqual([
      "failed",
      "its certificate is not yet valid",
    ]);
  });

  it("says that nothing listens", async () => {
    const port = await listen(createTcpServer());
    for (const close of closers.splice(0)) close();
    expect(await track(port, "").until("failed")).toEqual(["failed", "nothing listens there"]);
  });

  it("gives up on a host that accepts and stays silent", async () => {
    const port = await listen(createTcpServer((socket) => closers.push(() => socket.destroy())));
    expect(await track(port, "", 20).until("failed")).toEqual([
      "failed",
      "it did not answer in time",
    ]);
  });

  it("tells of the other side's end after its last bytes were read", async () => {
    const ca = await makeAuthority("Test");
    const port = await serve(await makeLeaf(ca), (socket) => socket.end("last words"));
    const { link, until, told } = track(port, ca.pem);
    await until("ready");
    expect(told.some(([name]) => name === "closed")).toBe(false);
    expect(Buffer.from(link.read(100)).toString()).toBe("last words");
    expect(await until("closed")).toEqual(["closed", "the other side closed it"]);
  });

  it("tells nothing after it was closed", async () => {
    const ca = await makeAuthority("Test");
    let ended: Promise<unknown> | undefined;
    const port = await serve(await makeLeaf(ca), (socket) => {
      socket.resume();
      ended = once(socket, "end");
    });
    const { link, until, told } = track(port, ca.pem);
    await until("opened");
    const before = told.length;
    link.close();
    expect(link.write(Buffer.of(1))).toBe(0);
    // A new connection to the same server comes back after the old one's end was seen there.
    const probe = connect(port, "127.0.0.1");
    await once(probe, "connect");
    probe.destroy();
    await ended;
    expect(told).toHaveLength(before);
  });
});
