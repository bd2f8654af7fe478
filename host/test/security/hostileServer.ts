// SPDX-License-Identifier: BSD-3-Clause
// The attacker's atServer: a stand-in that answers as it is told, or a man in the middle before a real atServer that passes
// everything on and lies in chosen places. It keeps every line it was sent.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import type { World } from "../../cli/world/world.ts";

export type Identity = { readonly certificate: string; readonly privateKey: string };

export type HostileOptions = {
  /** PEM of what it shows: to its victims it has to be a certificate for `localhost` of an authority they trust. */
  readonly tls: Identity;
  /** The real atServer behind it; without one it answers as `onCommand` says. */
  readonly target?: {
    readonly port: number;
    /** PEM of the authority of the real atServer's certificate. */
    readonly authority: string;
    /** What it shows to the real atServer, in place of a peer. */
    readonly identity?: Identity;
  };
};

/** Longest TLS record. */
const RECORD_BYTES = 4096;

/** Closes the connection in place of an answer. */
export const HANG_UP = Symbol("hang up");
/** Says nothing in place of an answer; the connection stays. */
export const SILENCE = Symbol("silence");

/**
 * What the victim is told: a line, which gets its line end (and, in a reply, its prompt); several of them; bytes, written
 * as they are; or nothing.
 */
export type Told =
  | string
  | Uint8Array
  | readonly (string | Uint8Array)[]
  | typeof HANG_UP
  | typeof SILENCE;

export type Json = Record<string, unknown>;

type CommandRule = {
  readonly line: RegExp;
  readonly answer: (line: string, connection: HostileConnection) => Told | undefined;
};
type ReplyRule = {
  readonly line: RegExp;
  readonly change: (text: string, line: string, connection: HostileConnection) => Told;
  left: number;
};
type NotificationRule = {
  readonly change: (notification: Json, connection: HostileConnection) => Told | Json;
  left: number;
};

/** Prompts, or what came of one, before what an atServer says. */
const SAID = /^([^:]*?)((?:data|error|notification):.*)$/s;
const PROMPTS = /^(?:@(?:[^@:\s]+@)?)+$/;
/** Commands without a reply of their own; what follows a proof of `pol` is a prompt alone. */
const UNANSWERED = /^(?:monitor\b|pol\b|@exit)/;

/** Takes complete lines from a stream, in latin1 so that no byte is lost. */
class LineCutter {
  rest = "";

  push(chunk: Buffer): string[] {
    const lines = (this.rest + chunk.toString("latin1")).split("\n");
    this.rest = lines.pop() ?? "";
    return lines;
  }
}

const utf8 = (latin1: string): string => Buffer.from(latin1, "latin1").toString("utf8");

/** One connection of a victim. */
export class HostileConnection {
  /** 1 for the first. */
  readonly number: number;
  /** What the victim sent on it, without line ends. */
  readonly lines: string[] = [];
  /** It asked for notifications. */
  isMonitor = false;
  /** Whether the victim or the server closed it. */
  isClosed = false;
  private readonly socket: TLSSocket;
  private readonly server: HostileServer;

  constructor(number: number, socket: TLSSocket, server: HostileServer) {
    // As an atServer does: a device takes no longer records, and a burst of lines is written as one.
    socket.setMaxSendFragment(RECORD_BYTES);
    this.number = number;
    this.socket = socket;
    this.server = server;
    socket.on("close", () => {
      this.isClosed = true;
    });
  }

  /** Bytes written that the victim has not taken. */
  get waitingBytes(): number {
    return this.socket.writableLength;
  }

  /** Writes text or bytes as they are, in pieces when the server is told to. */
  write(text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? Buffer.from(text) : Buffer.from(text);
    const size = this.server.pieceBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      this.socket.write(bytes.subarray(at, at + size));
    }
  }

  /** Closes once what was written has left. */
  end(): void {
    this.socket.end();
  }

  hangUp(): void {
    this.socket.destroy();
  }
}

/**
 * A TLS server on a free port of 127.0.0.1. Its address is put into a directory in place of the real one:
 *
 *     const hostile = await HostileServer.inFrontOf(world, "@alice");
 *     hostile.onNotification((json) => ({ ...json, isEncrypted: false }));
 *     hostile.onReply(/^plookup:publickey@bob/, () => "data:null");
 *     hostile.onCommand(/^from:/, () => "data:public:publickey@bob");
 */
export class HostileServer {
  readonly address: { readonly host: string; readonly port: number };
  readonly connections: HostileConnection[] = [];
  /** Every line of every connection, in the order of arrival, without line ends. */
  readonly lines: string[] = [];
  /** Everything is written in pieces of so many bytes, a TLS record each; as it comes when undefined. */
  pieceBytes: number | undefined;
  private readonly server: Server;
  private readonly options: HostileOptions;
  private readonly sockets = new Set<TLSSocket>();
  private readonly commands: CommandRule[] = [];
  private readonly replies: ReplyRule[] = [];
  private readonly notifications: NotificationRule[] = [];
  private waiting: { line: RegExp; count: number; resolve: () => void }[] = [];
  private closing = false;

  private constructor(server: Server, options: HostileOptions) {
    this.server = server;
    this.options = options;
    this.address = { host: "localhost", port: (server.address() as AddressInfo).port };
    server.on("secureConnection", (socket) => this.accept(socket));
  }

  static async start(options: HostileOptions): Promise<HostileServer> {
    const { certificate, privateKey } = options.tls;
    const server = createServer({ cert: certificate, key: privateKey });
    // A victim that refuses the certificate is no failure of the attacker.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new HostileServer(server, options);
  }

  /** Stands before an atServer of a local world, with its certificate, and takes its place in the directory. */
  static async inFrontOf(world: World, atSign: string): Promise<HostileServer> {
    const folder = join(world.folder, atSign);
    const tls = {
      certificate: readFileSync(join(folder, "certificate.pem"), "utf8"),
      privateKey: readFileSync(join(folder, "private-key.pem"), "utf8"),
    };
    const target = { port: world.server(atSign).port, authority: world.authority };
    const hostile = await HostileServer.start({ tls, target });
    await world.register(atSign, hostile.address.port);
    return hostile;
  }

  /** An atDirectory that answers for the names (without `@`) it is told; for others that it doesn't know them. */
  static async directory(
    tls: Identity,
    entries: ReadonlyMap<string, string>,
  ): Promise<HostileServer> {
    const directory = await HostileServer.start({ tls });
    directory.onCommand(/^[^@]/, (name) => Buffer.from(`${entries.get(name) ?? "null"}\r\n@`));
    return directory;
  }

  /** Answers commands that fit itself; the latest rule that fits decides. `undefined` passes the command on. */
  onCommand(line: RegExp, answer: CommandRule["answer"]): void {
    this.commands.unshift({ line, answer });
  }

  /**
   * Replaces the real atServer's replies to commands that fit. `text` begins with `data:` or `error:`. The first `times`
   * of them, all when absent; the latest rule decides.
   */
  onReply(line: RegExp, change: ReplyRule["change"], times = Number.POSITIVE_INFINITY): void {
    this.replies.unshift({ line, change, left: times });
  }

  /** Replaces notifications on their way, statistics among them. The first `times`, all when absent. */
  onNotification(change: NotificationRule["change"], times = Number.POSITIVE_INFINITY): void {
    this.notifications.unshift({ change, left: times });
  }

  /** Goes back to telling the truth. */
  beHonest(): void {
    this.commands.length = 0;
    this.replies.length = 0;
    this.notifications.length = 0;
    this.pieceBytes = undefined;
  }

  /** Open connections that monitor. */
  get monitors(): HostileConnection[] {
    return this.connections.filter(({ isMonitor, isClosed }) => isMonitor && !isClosed);
  }

  /** Pushes notifications of its own making to all who monitor. */
  notify(...notifications: readonly Json[]): void {
    for (const notification of notifications) this.push(formatNotification(notification));
  }

  /** Writes to all who monitor: a text with its line end, bytes as they are. */
  push(text: string | Uint8Array): void {
    for (const monitor of this.monitors) {
      monitor.write(typeof text === "string" ? `${text}\n` : text);
    }
  }

  /** How many lines that fit have come. */
  count(line: RegExp): number {
    return this.lines.filter((sent) => line.test(sent)).length;
  }

  /** Resolves when so many lines that fit have come in all. */
  until(line: RegExp, count = 1): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ line, count, resolve });
      this.wake();
    });
  }

  /** Hangs up on everybody; new connections are taken. */
  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.closing = true;
    const closed = once(this.server, "close");
    this.server.close();
    this.hangUp();
    await closed;
  }

  private accept(socket: TLSSocket): void {
    const connection = new HostileConnection(this.connections.length + 1, socket, this);
    this.connections.push(connection);
    this.watch(socket);
    const asked: string[] = [];
    const behind = this.behind(socket, connection, asked);
    if (behind === undefined) connection.write("@");
    const cutter = new LineCutter();
    socket.on("data", (chunk: Buffer) => {
      for (const line of cutter.push(chunk)) this.take(utf8(line), connection, asked, behind);
    });
  }

  private watch(socket: TLSSocket): void {
    if (this.closing) socket.destroy();
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    // Who is hung up on, or hangs up, closes; there is nothing else to do.
    socket.on("error", () => socket.destroy());
  }

  private behind(
    victim: TLSSocket,
    connection: HostileConnection,
    asked: string[],
  ): TLSSocket | undefined {
    const { target } = this.options;
    if (target === undefined) return undefined;
    const { identity } = target;
    const socket = connect({
      host: "127.0.0.1",
      port: target.port,
      servername: "localhost",
      ca: target.authority,
      ...(identity && { cert: identity.certificate, key: identity.privateKey }),
    });
    this.watch(socket);
    socket.on("close", () => victim.end());
    victim.on("close", () => socket.destroy());
    const cutter = new LineCutter();
    socket.on("data", (chunk: Buffer) => {
      for (const line of cutter.push(chunk)) this.pass(line, connection, asked);
      if (!PROMPTS.test(cutter.rest)) return;
      connection.write(Buffer.from(cutter.rest, "latin1"));
      cutter.rest = "";
    });
    return socket;
  }

  /** One line of the victim. */
  private take(
    line: string,
    connection: HostileConnection,
    asked: string[],
    behind: TLSSocket | undefined,
  ): void {
    connection.lines.push(line);
    this.lines.push(line);
    if (/^monitor\b/.test(line)) connection.isMonitor = true;
    const told = this.answer(line, connection);
    if (told !== undefined) this.tell(told, connection, "@");
    else if (behind !== undefined) {
      if (!UNANSWERED.test(line)) asked.push(line);
      behind.write(`${line}\n`);
    } else if (!UNANSWERED.test(line)) {
      this.tell("error:AT0015-key not found", connection, "@");
    }
    this.wake();
  }

  private answer(line: string, connection: HostileConnection): Told | undefined {
    for (const rule of this.commands) {
      const told = rule.line.test(line) ? rule.answer(line, connection) : undefined;
      if (told !== undefined) return told;
    }
    return undefined;
  }

  /** One line of the real atServer, in latin1. */
  private pass(line: string, connection: HostileConnection, asked: string[]): void {
    const [, prompts = "", said = ""] = SAID.exec(line) ?? [];
    if (said === "") {
      connection.write(Buffer.from(`${line}\n`, "latin1"));
      return;
    }
    const told = said.startsWith("notification:")
      ? this.lieAboutNotification(utf8(said), connection)
      : this.lieAboutReply(utf8(said), asked.shift() ?? "", connection);
    if (prompts !== "") connection.write(Buffer.from(prompts, "latin1"));
    this.tell(told ?? Buffer.from(`${said}\n`, "latin1"), connection, "");
  }

  private lieAboutReply(
    text: string,
    line: string,
    connection: HostileConnection,
  ): Told | undefined {
    const rule = this.replies.find((one) => one.left > 0 && one.line.test(line));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    return rule.change(text, line, connection);
  }

  private lieAboutNotification(text: string, connection: HostileConnection): Told | undefined {
    const rule = this.notifications.find(({ left }) => left > 0);
    if (rule === undefined) return undefined;
    rule.left -= 1;
    const told = rule.change(JSON.parse(text.slice(text.indexOf("{"))), connection);
    return isJson(told) ? formatNotification(told) : told;
  }

  private tell(told: Told, connection: HostileConnection, prompt: string): void {
    if (told === HANG_UP) connection.hangUp();
    else if (told === SILENCE) return;
    else if (typeof told === "string") connection.write(`${told}\n${prompt}`);
    else if (told instanceof Uint8Array) connection.write(told);
    else for (const one of told) this.tell(one, connection, prompt);
  }

  private wake(): void {
    const due = this.waiting.filter(({ line, count }) => this.count(line) >= count);
    this.waiting = this.waiting.filter((one) => !due.includes(one));
    for (const { resolve } of due) resolve();
  }
}

function isJson(told: Told | Json): told is Json {
  const isTold = typeof told !== "object" || told instanceof Uint8Array || Array.isArray(told);
  return !isTold;
}

/** A monitor's line, without its line end. */
export function formatNotification(notification: Json): string {
  return `notification: ${JSON.stringify(notification)}`;
}

/** The same base64 text with one bit of what it holds turned over; bit 0 is the lowest of the first byte. */
export function flipBit(base64: string, bit: number): string {
  const bytes = Buffer.from(base64, "base64");
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return bytes.toString("base64");
}

/** Changes the JSON of a `data:` reply, for `onReply`; an error is passed on. */
export function changeJson(change: (json: Json) => unknown): (text: string) => string {
  return (text) =>
    text.startsWith("data:{")
      ? `data:${JSON.stringify(change(JSON.parse(text.slice("data:".length))))}`
      : text;
}

/** JSON of so many arrays in one another. */
export function deepJson(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}
