// SPDX-License-Identifier: BSD-3-Clause
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The bus of a Cluster's node listens this far above its port. */
const BUS_OFFSET = 10_000;
const MAX_PORT = 65_535 - BUS_OFFSET;

/** Whether Debian's redis-server is there; without it the tests that need it are left out. */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

if (!hasRedis) console.log("redis-server is not installed: the tests of Redis are left out");

async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    if (port <= MAX_PORT) return port;
  }
}

/** A redis-server on loopback that keeps nothing on disk unless told to. */
export class RedisServer {
  readonly port: number;
  readonly folder = mkdtempSync(join(tmpdir(), "atmicro-redis-"));
  private readonly options: readonly string[];
  private child: ChildProcess | undefined;
  private output = "";
  private heard: () => void = () => undefined;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.options = options;
  }

  static async start(...options: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const network = ["--port", String(this.port), "--bind", "127.0.0.1"];
    this.output = "";
    this.child = spawn(
      "redis-server",
      [...network, "--save", "", "--dir", this.folder, ...this.options],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.child.stdout?.on("data", (chunk) => {
      this.output += chunk;
      this.heard();
    });
    await this.says("Ready to accept connections");
  }

  /** Resolves once its log has this text; rejects when it ends first. */
  says(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.heard = () => {
        if (this.output.includes(text)) resolve();
      };
      this.child?.once("exit", () => reject(new Error(`redis-server ended: ${this.output}`)));
      this.heard();
    });
  }

  /** Ends the process without warning; `start` starts it on the same port. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }

  /** What redis-cli prints for a command. */
  cli(...command: string[]): string {
    const args = ["-p", String(this.port), ...command];
    return execFileSync("redis-cli", args, { encoding: "utf8" }).trim();
  }
}

/** Three masters that share the keys. */
export async function startCluster(): Promise<RedisServer[]> {
  const options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"];
  const nodes = [
    await RedisServer.start(...options),
    await RedisServer.start(...options),
    await RedisServer.start(...options),
  ];
  const places = nodes.map(({ port }) => `127.0.0.1:${port}`);
  nodes[0]?.cli("--cluster", "create", ...places, "--cluster-yes");
  for (const node of nodes) await node.says("Cluster state changed: ok");
  return nodes;
}
