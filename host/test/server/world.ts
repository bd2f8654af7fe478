// SPDX-License-Identifier: BSD-3-Clause
import { createHash, createPrivateKey, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { type Authority, createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { type RunningDirectory, startDirectory } from "../../directory/directory.ts";
import type { DirectoryStore } from "../../directory/directoryStore.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import type { ServerConfig } from "../../server/config/config.ts";
import { type RunningServer, startServer } from "../../server/server.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import type { Store } from "../../store/store.ts";
import { Line } from "./line.ts";

export interface Identity {
  publicKey: string;
  privateKey: string;
}

const identities: Record<
  string,
  { pkam: { publicKeySpkiBase64: string; privateKeyPkcs8Base64: string } }
> = JSON.parse(
  readFileSync(
    new URL("../../../core/test/vectors/interop/00-identities.json", import.meta.url),
    "utf8",
  ),
);

/** The PKAM pair of @alpha or @bravo. */
export function identity(name: "@alpha" | "@bravo"): Identity {
  const found = identities[name]?.pkam;
  if (found === undefined) throw new Error(`no identity ${name}`);
  return { publicKey: found.publicKeySpkiBase64, privateKey: found.privateKeyPkcs8Base64 };
}

export function signChallenge(privateKey: string, challenge: string, hash = "sha256"): string {
  const key = createPrivateKey({
    key: Buffer.from(privateKey, "base64"),
    format: "der",
    type: "pkcs8",
  });
  return sign(hash, Buffer.from(challenge), key).toString("base64");
}

/** The challenge behind `data:` in the reply to from. */
export function challengeOf(reply: string): string {
  const match = /^data:(\S+)\n/.exec(reply);
  if (match?.[1] === undefined) throw new Error(`no challenge in ${reply}`);
  return match[1];
}

export async function pkamLine(line: Line, atSign: string, privateKey: string): Promise<string> {
  const challenge = challengeOf(await line.ask(`from:${atSign}`));
  return `pkam:${signChallenge(privateKey, challenge)}`;
}

export const SECRET = "the shared secret";

/** One atServer of a world, with what it runs on. */
export interface Place {
  server: RunningServer;
  store: Store;
  config: ServerConfig;
  /** A connection nobody is logged in on, from another loopback address if one is named. */
  open(from?: string): Promise<Line>;
  /** Logged in with cram. */
  cram(): Promise<Line>;
  /** Logged in with pkam as the identity of @alpha; `version` asks for JSON errors. */
  owner(version?: string, from?: string): Promise<Line>;
}

/** A directory, a certification authority and atServers on loopback. */
export class World {
  readonly authority: Authority;
  readonly directory: RunningDirectory;
  readonly directoryStore: DirectoryStore;
  private readonly path: string;
  /** What clients trust servers by. */
  private trusted: string;
  private stores = 0;
  private readonly places = new Set<Place>();
  private readonly lines = new Set<Line>();

  private constructor(
    path: string,
    authority: Authority,
    directory: RunningDirectory,
    directoryStore: DirectoryStore,
  ) {
    this.path = path;
    this.authority = authority;
    this.trusted = authority.certificate;
    this.directory = directory;
    this.directoryStore = directoryStore;
  }

  static async create(): Promise<World> {
    const path = mkdtempSync(join(tmpdir(), "atmicro-world-"));
    const authority = await createAuthority({ name: "test authority" });
    const tls = await issueCertificate(authority, { hosts: ["localhost"] });
    const directoryStore = await openDirectoryStore(join(path, "directory"));
    const log = pino({ level: "silent" });
    const config = { port: 0, host: "127.0.0.1", tls, store: directoryStore, log };
    const directory = await startDirectory({ ...config, missDelayMillis: 20 });
    return new World(path, authority, directory, directoryStore);
  }

  /** Starts an atServer and registers it; tests change what they need. */
  async start(atSign: string, changes: Partial<ServerConfig> = {}): Promise<Place> {
    const tls = await issueCertificate(this.authority, { hosts: ["localhost", "127.0.0.1"] });
    const folder = join(this.path, `store-${this.stores++}`);
    const store = changes.store ?? (await openLmdbStore(folder, changes.now));
    const config: ServerConfig = {
      atSign,
      port: 0,
      host: "127.0.0.1",
      tls: { ...tls, authority: this.authority.certificate },
      directory: { host: "localhost", port: this.directory.port },
      sharedSecret: SECRET,
      log: pino({ level: process.env.ATMICRO_TEST_LOG ?? "silent" }),
      statsNotificationMillis: -1,
      notificationJobMillis: 20,
      notificationQuarantineMillis: 20,
      otpDelayBaseMillis: 1,
      proofWithoutCertificate: false,
      toVerbOutboundEnabled: true,
      // Tests look up atSigns before they start them.
      directoryMissMillis: 0,
      ...changes,
      store,
    };
    const server = await startServer(config);
    await this.directoryStore.set(atSign, { host: "localhost", port: server.port });
    const place: Place = {
      server,
      store,
      config,
      open: (from) => this.connect(server.port, undefined, from),
      cram: () => this.cram(server),
      owner: (version, from) => this.owner(server, store, version, from),
    };
    this.places.add(place);
    return place;
  }

  /** Lets clients trust another authority too. */
  trust(certificate: string): void {
    this.trusted += certificate;
  }

  async stop(place: Place): Promise<void> {
    this.places.delete(place);
    await place.server.close();
  }

  async connect(
    port: number,
    identity?: { certificate: string; privateKey: string },
    from?: string,
  ): Promise<Line> {
    const line = await Line.open(port, this.trusted, identity, from);
    this.lines.add(line);
    return line;
  }

  async close(): Promise<void> {
    for (const line of this.lines) line.close();
    for (const { server } of this.places) await server.close();
    for (const { store } of this.places) await store.close();
    await this.directory.close();
    await this.directoryStore.close();
    rmSync(this.path, { recursive: true });
  }

  private async cram(server: RunningServer): Promise<Line> {
    const line = await this.connect(server.port);
    const challenge = challengeOf(await line.ask(`from:${server.atSign}`));
    const digest = createHash("sha512")
      .update(SECRET + challenge)
      .digest("hex");
    const reply = await line.ask(`cram:${digest}`);
    if (reply !== `data:success\n${server.atSign}@`) throw new Error(`cram: ${reply}`);
    return line;
  }

  private async owner(
    server: RunningServer,
    store: Store,
    version?: string,
    from?: string,
  ): Promise<Line> {
    const { publicKey, privateKey } = identity("@alpha");
    await store.write((writer) =>
      writer.put("privatekey:at_pkam_publickey", { value: publicKey, metadata: {} }),
    );
    const line = await this.connect(server.port, undefined, from);
    const config = version === undefined ? "" : `:clientConfig:${JSON.stringify({ version })}`;
    const challenge = challengeOf(await line.ask(`from:${server.atSign}${config}`));
    const reply = await line.ask(`pkam:${signChallenge(privateKey, challenge)}`);
    if (reply !== `data:success\n${server.atSign}@`) throw new Error(`pkam: ${reply}`);
    return line;
  }
}
