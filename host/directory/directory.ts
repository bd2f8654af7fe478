// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { requireKeyOf } from "../crypto/certificateKey.ts";
import { traceOf } from "../store/trace.ts";
import { AtError } from "../wire/errors.ts";
import type { Family } from "../wire/exposition.ts";
import { LineReader } from "../wire/line.ts";
import { DirectoryCounters } from "./counters.ts";
import {
  type DirectoryEntry,
  type DirectoryStore,
  DirectoryStoreAway,
  formatEntry,
} from "./directoryStore.ts";

/** Most bytes of one request, LF included. */
export const MAX_REQUEST_BYTES = 255;
/** Pause before the answer to the second miss of a connection, ms; the third is answered by hanging up. */
export const MISS_DELAY_MILLIS = 3_000;
const MAX_MISSES = 3;
/** An atSign that is asked for to see whether the store answers. */
const PROBE = "@readiness";
const KEEP_ALIVE_MILLIS = 60_000;
const TLS_HANDSHAKE_MILLIS = 30_000;
/** How long a TLS session may be resumed, s. */
const SESSION_SECONDS = 86_400;
/** Requests taken from a connection but not answered yet, above which it isn't read from. */
const MAX_WAITING = 64;

/** PEM texts: certificate chain and private key. */
export interface DirectoryIdentity {
  certificate: string;
  privateKey: string;
}

export interface DirectoryConfig {
  /** 0 takes a free port. */
  port: number;
  /** Address to listen on; all of IPv4 when absent. */
  host?: string;
  tls: DirectoryIdentity;
  /** 48 bytes that TLS session tickets are made with; random ones when absent. */
  ticketKeys?: Buffer;
  store: DirectoryStore;
  log: Logger;
  missDelayMillis?: number;
  /** Waits so many ms; rejects with AbortError when the signal comes first. */
  pause?: (millis: number, signal: AbortSignal) => Promise<void>;
}

/** An atDirectory that answers. */
export interface RunningDirectory {
  readonly port: number;
  /**
   * Uses another certificate from now on; connections stay as they are. Throws, and changes nothing, when the key is not the
   * certificate's or a text can't be read.
   */
  useIdentity(identity: DirectoryIdentity): void;
  /** Makes and takes session tickets with other keys (48 bytes) from now on. */
  useTicketKeys(keys: Buffer): void;
  /** Figures for a scraper. */
  metrics(): Promise<readonly Family[]>;
  /** Why it doesn't serve at the moment; undefined when it does and the store answers. */
  notReady(): Promise<string | undefined>;
  /** Ends all connections and stops listening; the store stays open. */
  close(): Promise<void>;
}

const defaultPause = (millis: number, signal: AbortSignal): Promise<void> =>
  delay(millis, undefined, { signal });

function find(
  name: string,
  store: DirectoryStore,
): DirectoryEntry | undefined | Promise<DirectoryEntry | undefined> {
  const ignore = (error: unknown): undefined => {
    // Text that can't be an atSign is in no directory.
    if (!(error instanceof AtError)) throw error;
  };
  try {
    const found = store.get(name);
    return found instanceof Promise ? found.catch(ignore) : found;
  } catch (error) {
    return ignore(error);
  }
}

/** Answers the requests of one connection in order (atProtocol, atDirectory). */
class Lookups {
  private readonly socket: TLSSocket;
  private readonly config: DirectoryConfig;
  private readonly counters: DirectoryCounters;
  private readonly ended = new AbortController();
  private readonly reader = new LineReader(MAX_REQUEST_BYTES);
  private readonly waiting: string[] = [];
  private running = false;
  private misses = 0;
  private tail = "";

  constructor(socket: TLSSocket, config: DirectoryConfig, counters: DirectoryCounters) {
    this.socket = socket;
    this.config = config;
    this.counters = counters;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
    socket.on("data", (chunk) => this.receive(chunk));
    socket.on("error", (error) => config.log.debug({ err: error }, "connection failed"));
    socket.on("close", () => this.ended.abort());
    socket.write("@");
  }

  private receive(chunk: Buffer): void {
    for (const line of this.reader.push(chunk)) {
      if (line === null) this.socket.destroy();
      else this.waiting.push(line.trim());
    }
    if (this.reader.overflowed) this.socket.destroy();
    if (this.waiting.length > MAX_WAITING) this.socket.pause();
    // A client may leave without a line feed.
    this.tail = (this.tail + chunk.toString("latin1")).slice(-"@exit".length);
    if (this.tail === "@exit" && this.reader.pending === this.tail.length) this.socket.end();
    if (this.running) return;
    this.running = true;
    this.work().catch((error: unknown) => {
      this.counters.failed += 1;
      // "null" would say that nobody has this name; hung up on, the client tries again.
      if (error instanceof DirectoryStoreAway) this.config.log.debug(error.message);
      else this.config.log.error({ trace: traceOf(error) }, "lookup failed");
      this.socket.destroy();
    });
  }

  private async work(): Promise<void> {
    for (;;) {
      const name = this.waiting.shift();
      if (name === undefined || this.socket.destroyed) break;
      if (name === "@exit") {
        this.socket.end();
        break;
      }
      await this.answer(name);
      if (this.waiting.length <= MAX_WAITING) this.socket.resume();
      await this.drained();
    }
    this.running = false;
  }

  private async answer(name: string): Promise<void> {
    const found = find(name, this.config.store);
    const entry = found instanceof Promise ? await found : found;
    if (entry !== undefined) this.counters.found += 1;
    if (entry === undefined) {
      this.counters.missing += 1;
      this.misses += 1;
      if (this.misses > 1 && !(await this.pause())) return;
      if (this.misses >= MAX_MISSES) {
        this.socket.destroy();
        return;
      }
    }
    const answer = entry === undefined ? "null" : formatEntry(entry);
    if (this.socket.writable) this.socket.write(`${answer}\r\n@`);
  }

  /** Waits until a client that doesn't read has taken what was written. */
  private async drained(): Promise<void> {
    if (!this.socket.writableNeedDrain || this.socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.socket.off("drain", done);
        this.socket.off("close", done);
        resolve();
      };
      this.socket.on("drain", done);
      this.socket.on("close", done);
    });
  }

  /** False when the connection ended meanwhile. */
  private async pause(): Promise<boolean> {
    const millis = this.config.missDelayMillis ?? MISS_DELAY_MILLIS;
    const wait = this.config.pause ?? defaultPause;
    try {
      await wait(millis, this.ended.signal);
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === "AbortError") return false;
      throw error;
    }
  }
}

/** Why the store can't be asked; undefined when it can. */
async function storeFailure(store: DirectoryStore): Promise<string | undefined> {
  try {
    await store.get(PROBE);
    return undefined;
  } catch (error) {
    return error instanceof DirectoryStoreAway ? error.message : "the store can't be read";
  }
}

/** What node:tls serves with. Throws for a pair that can't be used. */
function secureContext(
  { certificate, privateKey }: DirectoryIdentity,
  ticketKeys: Buffer | undefined,
): SecureContextOptions {
  requireKeyOf(certificate, privateKey);
  return {
    cert: certificate,
    key: privateKey,
    minVersion: "TLSv1.2",
    sessionIdContext: "atDirectory",
    sessionTimeout: SESSION_SECONDS,
    ...(ticketKeys !== undefined && { ticketKeys }),
  };
}

/** Starts an atDirectory. Rejects when the port is taken or the certificate can't be used. */
export async function startDirectory(config: DirectoryConfig): Promise<RunningDirectory> {
  let { tls, ticketKeys } = config;
  const server = createServer({
    ...secureContext(tls, ticketKeys),
    handshakeTimeout: TLS_HANDSHAKE_MILLIS,
    noDelay: true,
  });
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const counters = new DirectoryCounters();
  server.on("secureConnection", (socket) => {
    counters.connections += 1;
    new Lookups(socket, config, counters);
  });
  server.on("tlsClientError", (error) => {
    counters.handshakeFailures += 1;
    config.log.debug({ err: error }, "TLS handshake failed");
  });
  server.listen({ port: config.port, host: config.host ?? "0.0.0.0" });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let closing = false;
  config.log.info({ port }, "atDirectory is listening");
  return {
    port,
    useIdentity(identity) {
      // Without them the keys the server started with would come back.
      server.setSecureContext(secureContext(identity, ticketKeys));
      tls = identity;
    },
    useTicketKeys(keys) {
      server.setTicketKeys(keys);
      ticketKeys = keys;
    },
    async metrics() {
      // Only who is scraped loads this.
      const { directoryMetrics } = await import("./metrics.ts");
      return directoryMetrics(counters, sockets.size, tls.certificate);
    },
    notReady: async () => (closing ? "closing" : await storeFailure(config.store)),
    async close() {
      closing = true;
      const stopped = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await stopped;
    },
  };
}
