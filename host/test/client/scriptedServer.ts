// SPDX-License-Identifier: BSD-3-Clause
// An atDirectory and an atServer that answer from a script, over real TLS.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { NetworkOptions } from "../../client/session.ts";
import { createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { type Address, formatAddress } from "../../net/address.ts";

/** What the server does with a line: a reply with its prompt, silence, or hanging up. */
export type Answer = string | "silence" | "hang up";
export type Script = (line: string, connection: Connection) => Answer;

/** One connection as the server sees it. */
export class Connection {
  readonly number: number;
  readonly lines: string[] = [];
  private readonly socket: TLSSocket;

  constructor(number: number, socket: TLSSocket) {
    this.number = number;
    this.socket = socket;
  }

  write(text: string): void {
    this.socket.write(text);
  }

  hangUp(): void {
    this.socket.destroy();
  }
}

const identity = createAuthority({ name: "scripted" }).then(async (authority) => ({
  authority: authority.certificate,
  issued: await issueCertificate(authority, { hosts: ["localhost"] }),
}));

/** A TLS server on a free port of 127.0.0.1 that greets with `@` and reads lines. */
export class ScriptedServer {
  readonly connections: Connection[] = [];
  readonly address: Address;
  script: Script;
  private readonly server: Server;
  private readonly sockets = new Set<TLSSocket>();
  private waiting: { line: RegExp; resolve: (line: string) => void }[] = [];

  private constructor(server: Server, script: Script) {
    this.server = server;
    this.script = script;
    this.address = { host: "localhost", port: (server.address() as AddressInfo).port };
    server.on("secureConnection", (socket) => this.accept(socket));
  }

  static async start(script: Script): Promise<ScriptedServer> {
    const { issued } = await identity;
    const server = createServer({ cert: issued.certificate, key: issued.privateKey });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ScriptedServer(server, script);
  }

  /** Every line of every connection, in the order of arrival. */
  readonly lines: string[] = [];

  /** Connections that are open now. */
  get open(): number {
    return this.sockets.size;
  }

  /** Resolves when a line that fits arrives from now on. */
  next(line: RegExp): Promise<string> {
    return new Promise((resolve) => this.waiting.push({ line, resolve }));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    const closed = once(this.server, "close");
    this.server.close();
    await closed;
  }

  private accept(socket: TLSSocket): void {
    const connection = new Connection(this.connections.length + 1, socket);
    this.connections.push(connection);
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.write("@");
    let rest = "";
    socket.on("data", (chunk: Buffer) => {
      rest += chunk.toString("utf8");
      for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 1);
        this.take(connection, socket, line);
      }
    });
  }

  private take(connection: Connection, socket: TLSSocket, line: string): void {
    if (line === "@exit") return;
    connection.lines.push(line);
    this.lines.push(line);
    const answer = this.script(line, connection);
    if (answer === "hang up") socket.destroy();
    else if (answer !== "silence") socket.write(answer);
    const due = this.waiting.filter((waiting) => waiting.line.test(line));
    this.waiting = this.waiting.filter((waiting) => !due.includes(waiting));
    for (const { resolve } of due) resolve(line);
  }
}

/** The world of one test: a directory that knows one atServer. */
export class ScriptedWorld {
  readonly directory: ScriptedServer;
  readonly server: ScriptedServer;
  readonly network: NetworkOptions;

  private constructor(directory: ScriptedServer, server: ScriptedServer, authority: string) {
    this.directory = directory;
    this.server = server;
    this.network = { directory: directory.address, authority, timeoutMillis: 5_000 };
  }

  static async start(script: Script): Promise<ScriptedWorld> {
    const { authority } = await identity;
    const server = await ScriptedServer.start(script);
    const found = `${formatAddress(server.address)}\r\n@`;
    const directory = await ScriptedServer.start(() => found);
    return new ScriptedWorld(directory, server, authority);
  }

  async close(): Promise<void> {
    await this.directory.close();
    await this.server.close();
  }
}

/** The challenge that these servers give: the same each time. */
export function challenge(atSign: string): string {
  return `_0c2f4a7e-52d7-4b1f-9a3c-6f1f0e3b7c11${atSign}:3d9a6f52-8f0e-4c57-b1d2-90a4c5e7f6a8`;
}

/** Answers logins with success and heartbeats with ok; everything else as `records` says. */
export function loggedIn(
  records: Readonly<Record<string, string>> | Script,
  atSign = "@alpha",
): Script {
  return (line, connection) => {
    if (line.startsWith("from:")) return `data:${challenge(atSign)}\n@`;
    if (/^(?:pkam|cram):/.test(line)) return `data:success\n${atSign}@`;
    if (line === "noop:0") return `data:ok\n${atSign}@`;
    if (typeof records === "function") return records(line, connection);
    const answer = records[line];
    return answer === undefined
      ? `error:AT0015-key not found : ${line} does not exist in keystore\n${atSign}@`
      : `${answer}\n${atSign}@`;
  };
}
