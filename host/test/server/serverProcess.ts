// SPDX-License-Identifier: BSD-3-Clause
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeFlags } from "../../cli/process/nodeFlags.ts";
import { issueCertificate } from "../../crypto/certificates.ts";
import type { Line } from "./line.ts";
import { challengeOf, identity, pkamLine, SECRET, type World } from "./world.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));

/** An atServer as a process of its own: `atmicro server`, started, killed and started again on one store. */
export class ServerProcess {
  readonly atSign: string;
  readonly store: string;
  port = 0;
  /** Where its metrics are, when it was started with `--metrics-port`. */
  metricsPort: number | undefined;
  /** What it logged since its last start. */
  log = "";
  private readonly world: World;
  private readonly folder: string;
  private readonly env: Record<string, string>;
  private readonly more: readonly string[];
  private readonly within: readonly string[];
  private child: ChildProcess | undefined;
  private ended: Promise<number | null> = Promise.resolve(null);

  /**
   * `folder` is made if need be; `env` is added to the process's environment, `more` to its arguments. `within` is a command
   * that runs it.
   */
  constructor(
    world: World,
    atSign: string,
    folder: string,
    env: Record<string, string> = {},
    more: readonly string[] = [],
    within: readonly string[] = [],
  ) {
    this.world = world;
    this.atSign = atSign;
    this.folder = folder;
    this.store = join(folder, "store");
    this.env = env;
    this.more = more;
    this.within = within;
  }

  /** Starts it and registers its port in the directory; rejects with what it said when it ends instead. */
  async start(): Promise<void> {
    await this.prepare();
    const node = [process.execPath, ...nodeFlags, ATMICRO];
    const [program = "", ...args] = [...this.within, ...node, ...this.args()];
    const child = spawn(program, args, {
      env: { ...process.env, ...this.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.child = child;
    this.log = "";
    child.stderr.on("data", (chunk) => {
      this.log += chunk;
    });
    child.stdin.on("error", () => child.stdin.destroy());
    this.ended = once(child, "close").then(([code]) => code);
    const listening = once(child.stdout, "data").then(([text]) => JSON.parse(String(text)));
    const early = this.ended.then((code) => {
      throw new Error(`the server ended with ${code}: ${this.log}`);
    });
    early.catch(() => undefined);
    const { port, metricsPort } = await Promise.race([listening, early]);
    this.port = port;
    this.metricsPort = metricsPort;
    await this.world.directoryStore.set(this.atSign, { host: "localhost", port });
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Gives the owner the PKAM key of @alpha, with which `owner` logs in. */
  async activate(): Promise<void> {
    const line = await this.world.connect(this.port);
    const challenge = challengeOf(await line.ask(`from:${this.atSign}`));
    const digest = createHash("sha512")
      .update(SECRET + challenge)
      .digest("hex");
    const login = await line.ask(`cram:${digest}`);
    if (login !== `data:success\n${this.atSign}@`) throw new Error(`cram: ${login}`);
    const { publicKey } = identity("@alpha");
    await line.ask(`update:privatekey:at_pkam_publickey ${publicKey}`);
    line.close();
  }

  /** A connection logged in as the owner, after `activate`. `onLine` sees it before it is used. */
  async owner(onLine: (line: Line) => void = () => undefined): Promise<Line> {
    const line = await this.world.connect(this.port);
    onLine(line);
    const pkam = await pkamLine(line, this.atSign, identity("@alpha").privateKey);
    const login = await line.ask(pkam);
    if (login !== `data:success\n${this.atSign}@`) throw new Error(`pkam: ${login}`);
    return line;
  }

  /** Ends it as a power cut would, without waiting. */
  kill(): void {
    this.child?.kill("SIGKILL");
  }

  /** Lets it read its certificate files again. */
  reload(): void {
    this.child?.kill("SIGHUP");
  }

  /** Resolves when it has logged this since its last start. */
  async logged(text: string): Promise<void> {
    while (!this.log.includes(text)) {
      if (!this.child?.stderr) throw new Error("the server does not run");
      await once(this.child.stderr, "data");
    }
  }

  /** Ends it in order. */
  stop(): void {
    this.child?.kill("SIGTERM");
  }

  /** Resolves with the exit code, null after a signal, when it is gone. */
  exit(): Promise<number | null> {
    return this.ended;
  }

  private async prepare(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    const tls = await issueCertificate(this.world.authority, { hosts: ["localhost"] });
    writeFileSync(join(this.folder, "certificate.pem"), tls.certificate);
    writeFileSync(join(this.folder, "private.key"), tls.privateKey, { mode: 0o600 });
    writeFileSync(join(this.folder, "authority.pem"), this.world.authority.certificate);
    writeFileSync(join(this.folder, "secret"), SECRET, { mode: 0o600 });
  }

  private args(): string[] {
    return [
      "server",
      this.atSign,
      ...["--host", "127.0.0.1", "--port", "0", "--store", this.store],
      ...["--certificate", join(this.folder, "certificate.pem")],
      ...["--private-key", join(this.folder, "private.key")],
      ...["--authority", join(this.folder, "authority.pem")],
      ...["--directory", `localhost:${this.world.directory.port}`],
      ...["--secret-file", join(this.folder, "secret")],
      ...["--log-level", "warn", "--exit-with-parent"],
      ...this.more,
    ];
  }
}
