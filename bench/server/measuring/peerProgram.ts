// SPDX-License-Identifier: BSD-3-Clause
// The programs that are measured beside ours, each in a folder of its own and without a disk.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Authority } from "../../../host/crypto/certificates.ts";
import { issueCertificate } from "../../../host/crypto/certificates.ts";
import type { Endpoint } from "./rawLink.ts";

const CONNECT_ATTEMPTS = 200;
const CONNECT_PAUSE_MILLIS = 25;

/** A program that listens; `pid` is its process. */
export type PeerProgram = Endpoint & { readonly pid: number; close(): Promise<void> };

export type TlsFiles = {
  readonly certificate: string;
  readonly privateKey: string;
  readonly authority: string;
};

/** Writes a certificate for this machine, of the kind our own servers have, into a folder. */
export async function issueInto(folder: string, authority: Authority): Promise<TlsFiles> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const issued = await issueCertificate(authority, { hosts: ["localhost", "127.0.0.1"] });
  const files = {
    certificate: join(folder, "certificate.pem"),
    privateKey: join(folder, "private-key.pem"),
    authority: join(folder, "authority.pem"),
  };
  writeFileSync(files.certificate, issued.certificate);
  writeFileSync(files.privateKey, issued.privateKey, { mode: 0o600 });
  writeFileSync(files.authority, authority.certificate);
  return files;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED") return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

async function run(program: string, args: string[], endpoint: Endpoint): Promise<PeerProgram> {
  const child = spawn(program, args, { stdio: "ignore" });
  await once(child, "spawn");
  const { pid } = child;
  for (let attempt = 0; attempt < CONNECT_ATTEMPTS && child.exitCode === null; attempt++) {
    if (pid !== undefined && (await listens(endpoint.port))) {
      return { ...endpoint, pid, close: () => stop(child) };
    }
    await pause(CONNECT_PAUSE_MILLIS);
  }
  await stop(child);
  throw new Error(`${program} ${args.join(" ")} does not listen`);
}

/** First line of what a program says to `--version` or `-h`; undefined when it is not installed. */
export function versionOf(program: string, argument: string): string | undefined {
  const { stdout, error } = spawnSync(program, [argument], { encoding: "utf8" });
  return error === undefined ? stdout.split("\n")[0]?.trim() : undefined;
}

/** mosquitto: TLS, QoS 1, any number of messages in flight, nothing kept on a disk. */
export async function startMosquitto(folder: string, authority: Authority): Promise<PeerProgram> {
  const tls = await issueInto(folder, authority);
  const port = await freePort();
  const configuration = join(folder, "mosquitto.conf");
  const lines = [
    `listener ${port} 127.0.0.1`,
    `cafile ${tls.authority}`,
    `certfile ${tls.certificate}`,
    `keyfile ${tls.privateKey}`,
    "allow_anonymous true",
    "persistence false",
    "set_tcp_nodelay true",
    "max_inflight_messages 0",
    "max_queued_messages 0",
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ];
  writeFileSync(configuration, `${lines.join("\n")}\n`);
  return await run("mosquitto", ["-c", configuration], { port, authority: authority.certificate });
}

/** redis-server: TLS alone, nothing kept on a disk. */
export async function startRedis(folder: string, authority: Authority): Promise<PeerProgram> {
  const tls = await issueInto(folder, authority);
  const port = await freePort();
  const options = {
    port: "0",
    "tls-port": String(port),
    bind: "127.0.0.1",
    "tls-cert-file": tls.certificate,
    "tls-key-file": tls.privateKey,
    "tls-ca-cert-file": tls.authority,
    "tls-auth-clients": "no",
    save: "",
    appendonly: "no",
    dir: folder,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return await run("redis-server", args, { port, authority: authority.certificate });
}
