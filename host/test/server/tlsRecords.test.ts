// SPDX-License-Identifier: BSD-3-Clause
// What a client with small buffers gets on the wire, over chains of P-256 and RSA certificates.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Chain } from "./chain.ts";
import { Line } from "./line.ts";
import { RecordProxy } from "./recordProxy.ts";
import { ServerProcess } from "./serverProcess.ts";
import { VERSIONS } from "./tlsSession.ts";
import { challengeOf, identity, type Place, signChallenge, World } from "./world.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
/** Content type of TLS 1.2's handshake and of encrypted data (RFC 8446 §5.1). */
const HANDSHAKE = 22;
const APPLICATION = 23;
/** What AES-GCM adds to a fragment: nonce and tag, or content type and tag. */
const OVERHEAD = { "TLSv1.2": 24, "TLSv1.3": 17 } as const;
const GCM = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
const LONG = "0123456789".repeat(2_000);
const ALGORITHMS = ["p256", "rsa2048"] as const;

/** `openssl s_client`: a client that asks for small fragments (RFC 6066 §4). */
class OpensslClient {
  private readonly child: ChildProcessWithoutNullStreams;
  private text = "";

  constructor(port: number, authority: string, options: readonly string[]) {
    this.child = spawn("openssl", [
      ...["s_client", "-quiet", "-verify_return_error", "-connect", `127.0.0.1:${port}`],
      ...["-servername", "localhost", "-CAfile", authority, ...options],
    ]);
    this.child.stdout.on("data", (chunk) => {
      this.text += chunk;
    });
    this.child.stdin.on("error", () => undefined);
  }

  send(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  /** Waits for a shape of what came, and takes it. */
  async until(shape: RegExp): Promise<string> {
    for (;;) {
      const found = shape.exec(this.text)?.[0];
      if (found !== undefined) {
        this.text = this.text.slice(this.text.indexOf(found) + found.length);
        return found;
      }
      await once(this.child.stdout, "data");
    }
  }

  async ask(line: string): Promise<string> {
    this.send(line);
    return this.until(/^[^\n]*\n(?:@[^@:\n]+)?@/);
  }

  close(): void {
    this.child.kill();
  }
}

let world: World;
let chain: Chain;
let folder: string;
let rootFile: string;
beforeAll(async () => {
  world = await World.create();
  chain = await Chain.create();
  world.trust(chain.root);
  folder = mkdtempSync(join(tmpdir(), "atmicro-records-"));
  rootFile = join(folder, "root.pem");
  writeFileSync(rootFile, chain.root);
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(ALGORITHMS)("an atServer with a chain to a %s certificate", (algorithm) => {
  let place: Place;
  let proxy: RecordProxy;
  beforeAll(async () => {
    const issued = await chain.issue(algorithm);
    const authority = `${chain.root}${world.authority.certificate}`;
    place = await world.start(`@${algorithm}`, { tls: { ...issued, authority } });
    await place.owner();
  });

  async function through(): Promise<RecordProxy> {
    proxy = await RecordProxy.listen(place.server.port);
    return proxy;
  }

  /** Logs in, reads and is told something long; `ask` and `until` are the client's. */
  async function exercise(client: {
    ask(line: string): Promise<string>;
    send(line: string): void;
    until(shape: RegExp): Promise<string>;
  }): Promise<void> {
    const { atSign } = place.server;
    const challenge = challengeOf(await client.ask(`from:${atSign}`));
    const signature = signChallenge(identity("@alpha").privateKey, challenge);
    expect(await client.ask(`pkam:${signature}`)).toBe(`data:success\n${atSign}@`);
    expect(await client.ask(`update:long.x${atSign} ${LONG}`)).toMatch(/^data:\d+\n/);
    expect(await client.ask(`llookup:long.x${atSign}`)).toBe(`data:${LONG}\n${atSign}@`);
    client.send("monitor:selfNotifications pushed");
    client.send(`notify:update:${atSign}:pushed.x${atSign}:${LONG}`);
    expect(await client.until(/notification: \{.*\}\n/)).toContain(LONG);
  }

  describe.each(VERSIONS)("%s", (version) => {
    it.skipIf(!hasOpenssl).each([512, 1_024, 2_048, 4_096])(
      "sends no fragment above the %i bytes a client asked for, from the handshake on",
      async (bytes) => {
        const { port } = await through();
        const client = new OpensslClient(port, rootFile, [
          ...[version === "TLSv1.2" ? "-tls1_2" : "-tls1_3", "-cipher", GCM],
          ...["-maxfraglen", String(bytes)],
        ]);
        await client.until(/^@/);
        await exercise(client);
        client.close();
        proxy.close();
        expect(proxy.longest(APPLICATION)).toBe(bytes + OVERHEAD[version]);
        expect(proxy.longest(HANDSHAKE)).toBeLessThanOrEqual(bytes);
        expect(proxy.longest()).toBe(bytes + OVERHEAD[version]);
      },
    );

    it("sends records of 4 096 bytes to a client that asked for nothing", async () => {
      const { port } = await through();
      const socket = Line.connect(port, chain.root, undefined, version);
      expect(await socket.take(1)).toBe("@");
      await exercise({
        ask: (line) => socket.ask(line),
        send: (line) => socket.send(`${line}\n`),
        until: async () => `${await socket.line()}\n`,
      });
      expect(socket.socket.getProtocol()).toBe(version);
      expect(proxy.longest(APPLICATION)).toBe(4_096 + OVERHEAD[version]);
      expect(proxy.longest()).toBe(4_096 + OVERHEAD[version]);
      socket.close();
      proxy.close();
    });
  });
});

describe.each(VERSIONS)("atServers between themselves, %s", (version) => {
  it.each([
    ["p256", "p256"],
    ["p256", "rsa2048"],
    ["rsa2048", "p256"],
    ["rsa2048", "rsa2048"],
  ] as const)("verify chains: %s asks %s", async (asking, asked) => {
    const authority = `${chain.root}${world.authority.certificate}`;
    const start = async (name: string, algorithm: (typeof ALGORITHMS)[number]) => {
      const place = join(folder, `${name}${version}`);
      mkdirSync(place, { recursive: true });
      const issued = await chain.issue(algorithm);
      writeFileSync(join(place, "chain.pem"), issued.certificate);
      writeFileSync(join(place, "chain.key"), issued.privateKey, { mode: 0o600 });
      writeFileSync(join(place, "roots.pem"), authority);
      const env = { NODE_OPTIONS: version === "TLSv1.2" ? "--tls-max-v1.2" : "--tls-min-v1.3" };
      const server = new ServerProcess(world, name, place, env, [
        ...["--certificate", join(place, "chain.pem"), "--authority", join(place, "roots.pem")],
        ...["--private-key", join(place, "chain.key")],
      ]);
      await server.start();
      await server.activate();
      return { server, owner: await server.owner() };
    };
    const one = await start(`@from${asking}${asked}`, asking);
    const two = await start(`@to${asking}${asked}`, asked);
    const { atSign } = two.server;
    await two.owner.ask(`update:${one.server.atSign}:shared.x${atSign} for you`);
    expect(await one.owner.ask(`lookup:shared.x${atSign}`)).toBe(
      `data:for you\n${one.server.atSign}@`,
    );
    expect(one.owner.socket.getProtocol()).toBe(version);
    for (const { server, owner } of [one, two]) {
      owner.close();
      server.stop();
      expect(await server.exit()).toBe(0);
    }
  });
});
