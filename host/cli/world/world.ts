// SPDX-License-Identifier: BSD-3-Clause
// A complete local world in one folder: a private authority, an atDirectory, and an atServer process per atSign.
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { activate } from "../../client/activation.ts";
import { AtClient } from "../../client/atClient.ts";
import type { NetworkOptions } from "../../client/session.ts";
import type { Authority } from "../../crypto/certificates.ts";
import { type AtKeys, writeKeyFile } from "../../crypto/keyFile.ts";
import { createSecretFile } from "../../crypto/secretFile.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { type Address, formatAddress } from "../../net/address.ts";
import { LOOPBACK } from "../../net/listen.ts";
import { atSignName } from "../../wire/atsign.ts";
import { ChildProgram } from "../process/childProgram.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { nodeFlags, optimizeLate } from "../process/nodeFlags.ts";
import { atmicroProgram } from "../process/program.ts";

/** Certificates carry this name, and the directory hands it out; the servers listen on both addresses it stands for. */
export const WORLD_HOST = "localhost";
const CERTIFIED = [WORLD_HOST, "127.0.0.1", "::1"] as const;
const READY_MILLIS = 20_000;
/** Loaded when a world is made: the servers, which are the same program, do without its megabytes. */
const certificates = (): Promise<typeof import("../../crypto/certificates.ts")> =>
  import("../../crypto/certificates.ts");

export type WorldOptions = {
  /** Where everything is put; has to be new or empty. */
  readonly folder: string;
  readonly atSigns: readonly string[];
  /** Log level of the servers (pino); what they log is kept for the message when one dies. */
  readonly logLevel?: string;
  /** Time the servers give a TLS handshake, ms; theirs by default. */
  readonly handshakeMillis?: number;
};

export type WorldServer = {
  readonly atSign: string;
  readonly port: number;
  /** Its process. */
  readonly pid: number;
  /** The secret of the first activation. */
  readonly cramSecret: string;
};

/** What runs, and how to reach it. `close` ends every process; the folder stays. */
export class World {
  readonly folder: string;
  readonly authorityFile: string;
  readonly authority: string;
  private readonly issuer: Authority;
  private readonly logLevel: string;
  private readonly limits: readonly string[];
  private readonly programs: ChildProgram[] = [];
  private readonly running: WorldServer[] = [];
  private reportDeath: (reason: CliError) => void = () => undefined;
  /** Rejects when a server ends that nobody stopped. */
  readonly failed: Promise<never>;
  private listening = 0;
  private directoryProcess = 0;

  private constructor(options: WorldOptions, issuer: Authority) {
    this.folder = options.folder;
    this.logLevel = options.logLevel ?? "warn";
    const { handshakeMillis } = options;
    this.limits = handshakeMillis ? ["--handshake-time-millis", String(handshakeMillis)] : [];
    this.issuer = issuer;
    this.authority = issuer.certificate;
    this.authorityFile = join(options.folder, "authority.pem");
    this.failed = new Promise<never>((_, reject) => {
      this.reportDeath = reject;
    });
    // Without somebody waiting on it yet, a rejection would end the program without its message.
    this.failed.catch(() => undefined);
  }

  /** Makes the folder's contents and starts everything; when something fails, what was started is stopped. */
  static async start(options: WorldOptions): Promise<World> {
    const { createAuthority } = await certificates();
    const issuer = await createAuthority({ name: "atmicro local world" });
    const world = new World(options, issuer);
    try {
      await mkdir(options.folder, { recursive: true, mode: 0o700 });
      await writeFile(world.authorityFile, issuer.certificate);
      await world.startDirectory();
      for (const atSign of options.atSigns) await world.startServer(atSign);
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  get directory(): Address {
    return { host: WORLD_HOST, port: this.listening };
  }

  /** The atDirectory's process. */
  get directoryPid(): number {
    return this.directoryProcess;
  }

  /** How a client reaches this world. */
  get network(): NetworkOptions {
    return { directory: this.directory, authority: this.authority };
  }

  get servers(): readonly WorldServer[] {
    return this.running;
  }

  server(atSign: string): WorldServer {
    const found = this.running.find((server) => server.atSign === atSign);
    if (found === undefined) {
      throw new CliError(`${atSign} has no atServer in this world`, EXIT.notFound);
    }
    return found;
  }

  /** Where the keys of an atSign of this world are kept. */
  keyFile(atSign: string): string {
    return join(this.folder, "keys", `@${atSignName(atSign)}_key.atKeys`);
  }

  /** Activates an atSign: its keys are made here and kept in `keyFile`. Gives its owner's client. */
  async activate(atSign: string): Promise<AtClient> {
    const { cramSecret } = this.server(atSign);
    const save = (keys: AtKeys): Promise<void> => writeKeyFile(this.keyFile(atSign), keys);
    const keys = await activate({ atSign, cramSecret, save }, this.network);
    return await AtClient.connect({ ...this.network, keys });
  }

  /** Makes the directory answer `port` for an atSign. */
  async register(atSign: string, port: number): Promise<void> {
    const store = await openDirectoryStore(this.directoryStore());
    try {
      await store.set(atSign, { host: WORLD_HOST, port });
    } finally {
      await store.close();
    }
  }

  /** Ends every process, newest first, and waits for it. */
  async close(): Promise<void> {
    for (const program of this.programs.splice(0).reverse()) await program.stop();
  }

  private directoryStore(): string {
    return join(this.folder, "directory", "store");
  }

  private async startDirectory(): Promise<void> {
    const folder = join(this.folder, "directory");
    const tls = await this.issue(folder);
    const { port, pid } = await this.run("the atDirectory", [
      "directory",
      "serve",
      ...tls,
      ...["--store", this.directoryStore()],
    ]);
    this.listening = port;
    this.directoryProcess = pid;
  }

  private async startServer(atSign: string): Promise<void> {
    const folder = join(this.folder, `@${atSignName(atSign)}`);
    const cramSecret = randomBytes(64).toString("hex");
    const secretFile = join(folder, "cram-secret");
    const tls = await this.issue(folder);
    await createSecretFile(secretFile, cramSecret);
    const { port, pid } = await this.run(`the atServer of ${atSign}`, [
      ...["server", atSign],
      ...tls,
      ...["--authority", this.authorityFile],
      ...["--directory", formatAddress(this.directory)],
      ...["--store", join(folder, "store")],
      ...["--secret-file", secretFile],
      // All of them are on one host, whose certificate each of them has.
      ...["--proof-without-certificate", "false"],
      ...["--to-verb-outbound-enabled", "true"],
    ]);
    await this.register(atSign, port);
    this.running.push({ atSign, port, pid, cramSecret });
  }

  /** Issues a certificate into a folder and gives the options that name it. */
  private async issue(folder: string): Promise<string[]> {
    const { issueCertificate } = await certificates();
    const issued = await issueCertificate(this.issuer, { hosts: CERTIFIED });
    const certificate = join(folder, "certificate.pem");
    const privateKey = join(folder, "private-key.pem");
    await createSecretFile(privateKey, issued.privateKey);
    await createSecretFile(certificate, issued.certificate);
    return ["--certificate", certificate, "--private-key", privateKey];
  }

  /** Starts a server program; gives its process and the port it listens on. */
  private async run(
    name: string,
    args: readonly string[],
  ): Promise<{ readonly port: number; readonly pid: number }> {
    const program = new ChildProgram({
      name,
      args: [
        ...nodeFlags,
        optimizeLate,
        atmicroProgram(),
        ...args,
        ...this.limits,
        ...["--host", LOOPBACK, "--port", "0", "--log-level", this.logLevel],
        "--exit-with-parent",
      ],
    });
    this.programs.push(program);
    const ready = await program.event("listening", READY_MILLIS);
    program.ended.then((reason) => {
      if (reason !== undefined) this.reportDeath(reason);
    }, this.reportDeath);
    const { pid } = program;
    if (typeof ready.port !== "number" || pid === undefined) {
      throw new CliError(`${name} did not say where it listens`, EXIT.internal);
    }
    return { port: ready.port, pid };
  }
}
