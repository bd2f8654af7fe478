// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { Directory } from "../../server/peers/findPeer.ts";

/** What the directory of the tests does with one connection. */
type Behaviour = (socket: TLSSocket) => void;

const ATTEMPTS = 5;

const answers =
  (text: string): Behaviour =>
  (socket) => {
    socket.write("@");
    socket.on("data", (chunk) => {
      if (!String(chunk).startsWith("@exit")) socket.write(text);
    });
  };
const hangsUp: Behaviour = (socket) => socket.destroy();
const found = answers("host.example:6464\r\n@");

describe("looking an atSign up in the directory", () => {
  let authority: Authority;
  let server: Server;
  let port: number;
  let asked: string[] = [];
  let behaviours: Behaviour[] = [];
  let connections = 0;
  let now = 0;
  const opened: Directory[] = [];
  beforeAll(async () => {
    authority = await createAuthority({ name: "test" });
    const tls = await issueCertificate(authority, { hosts: ["localhost"] });
    server = createServer({ cert: tls.certificate, key: tls.privateKey }, (socket) => {
      connections += 1;
      socket.on("error", () => socket.destroy());
      socket.on("data", (chunk) => asked.push(chunk.toString()));
      (behaviours.shift() ?? found)(socket);
    });
    server.on("tlsClientError", () => {
      connections += 1;
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    server.close();
    await once(server, "close");
  });
  afterEach(() => {
    for (const one of opened.splice(0)) one.close();
  });
  beforeEach(() => {
    asked = [];
    behaviours = [];
    connections = 0;
    now = 0;
  });

  const directory = (host = "localhost", trusted = authority.certificate): Directory => {
    const made = new Directory(
      { host, port },
      {
        tls: { certificate: "", privateKey: "", authority: trusted },
        cacheMillis: 3_600_000,
        missMillis: 10_000,
        timeoutMillis: 5_000,
        idleMillis: 60_000,
        now: () => now,
      },
    );
    opened.push(made);
    return made;
  };
  const address = { host: "host.example", port: 6464 };

  it("asks without the @, and says goodbye", async () => {
    const one = directory();
    expect(await one.find("@alice")).toEqual(address);
    expect(asked.join("")).toBe("alice\n");
    one.close();
    await expect.poll(() => asked.join("")).toBe("alice\n@exit\n");
  });

  it("remembers an address for an hour, and forgets it when told", async () => {
    const one = directory();
    await one.find("@alice");
    now = 3_599_999;
    await one.find("@alice");
    expect(asked).toHaveLength(1);
    now = 3_600_000;
    await one.find("@alice");
    expect(asked).toHaveLength(2);
    one.forget("@alice");
    await one.find("@alice");
    expect(asked).toHaveLength(3);
    expect(connections).toBe(1);
  });

  it("asks again after a failure, five times in all", async () => {
    behaviours = Array.from({ length: ATTEMPTS - 1 }, () => hangsUp);
    expect(await directory().find("@alice")).toEqual(address);
    expect(connections).toBe(ATTEMPTS);
    connections = 0;
    behaviours = Array.from({ length: ATTEMPTS }, () => hangsUp);
    await expect(directory().find("@alice")).rejects.toMatchObject({
      code: "AT0004",
      message: `Unable to establish connection with root server localhost:${port}`,
    });
    expect(connections).toBe(ATTEMPTS);
  });

  it("takes null for an answer, and remembers it for a little", async () => {
    behaviours = [answers("null\r\n@")];
    const one = directory();
    const unknown = {
      code: "AT0007",
      message: "Unable to find secondary address for atSign:bob",
    };
    await expect(one.find("@bob")).rejects.toMatchObject(unknown);
    now = 9_999;
    await expect(one.find("@bob")).rejects.toMatchObject(unknown);
    expect(connections).toBe(1);
    now = 10_000;
    expect(await one.find("@bob")).toEqual(address);
  });

  it("takes an IPv6 address in brackets", async () => {
    behaviours = [answers("[2001:db8::1]:6464\r\n@")];
    expect(await directory().find("@alice")).toEqual({ host: "2001:db8::1", port: 6464 });
  });

  it.each(["nonsense", "host:", "host:0", "host:65536", "host:6464x", ":6464", "::1:6464"])(
    "refuses the answer %s",
    async (answer) => {
      behaviours = [answers(`${answer}\r\n@`)];
      await expect(directory().find("@alice")).rejects.toMatchObject({
        code: "AT0007",
        message: "The directory's address of @alice is not host:port",
      });
    },
  );

  it("gives up an answer without an end", async () => {
    behaviours = Array.from({ length: ATTEMPTS }, () => answers("a".repeat(2_000)));
    await expect(directory().find("@alice")).rejects.toMatchObject({ code: "AT0004" });
  });

  it("asks no directory it can't trust", async () => {
    const other = await createAuthority({ name: "other" });
    await expect(directory("localhost", other.certificate).find("@alice")).rejects.toMatchObject({
      code: "AT0004",
    });
    expect(asked).toEqual([]);
  });

  it("goes to a proxy without asking", async () => {
    expect(await directory("proxy:gateway.example").find("@alice")).toEqual({
      host: "gateway.example",
      port,
    });
    expect(connections).toBe(0);
  });
});
