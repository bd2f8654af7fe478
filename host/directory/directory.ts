// SPDX-License-Identifier: BSD-3-Clause
import type { SecureContextOptions, TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { requireKeyOf } from "../crypto/certificateKey.ts";
import { Departures, MIN_DEPARTURES } from "../net/departures.ts";
import type { Family } from "../net/exposition.ts";
import { MAX_HANDSHAKES } from "../net/handshakes.ts";
import { LOOPBACK, reachableFromNetwork } from "../net/listen.ts";
import { type Host, TlsListener } from "../net/tlsListener.ts";
import { DirectoryCounters } from "./counters.ts";
import { type DirectoryStore, DirectoryStoreAway } from "./directoryStore.ts";
import { type DirectoryLimits, directoryLimits } from "./limits.ts";
import { type LookupContext, Lookups } from "./lookups.ts";
import { OpenConnections } from "./openConnections.ts";
import { SlowReaders } from "./slowReaders.ts";

/** An atSign that is asked for to see whether the store answers. */
const PROBE = "@readiness";
/** How long a TLS session may be resumed, s. */
const SESSION_SECONDS = 86_400;
/** Sockets that may be open above all other limits together; they are never reached unless one of those fails. */
const SPARE_SOCKETS = 64;

/** PEM texts: certificate chain and private key. */
export interface DirectoryIdentity {
  certificate: string;
  privateKey: string;
}

export interface DirectoryConfig extends Partial<DirectoryLimits> {
  /** 0 takes a free port. */
  port: number;
  /** Address to listen on; `localhost`, also when absent: both loopback addresses. */
  host?: string;
  tls: DirectoryIdentity;
  /** 48 bytes that TLS session tickets are made with; random ones when absent. */
  ticketKeys?: Buffer;
  store: DirectoryStore;
  log: Logger;
  missDelayMillis?: number;
  /** Waits for `millis` ms; rejects with AbortError when the signal comes first. */
  pause?: (millis: number, signal: AbortSignal) => Promise<void>;
  /** ms since the epoch. */
  now?: () => number;
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
  /** Something failed that nobody expected: whether the store works is tried anew before `notReady` says so. */
  doubt(): void;
  /** Ends all connections and stops listening; the store stays open. */
  close(): Promise<void>;
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

function limitsOf(config: DirectoryConfig): DirectoryLimits {
  const { maxConnections, maxPerAddress, idleMillis, handshakeMillis } = directoryLimits;
  return {
    maxConnections: config.maxConnections ?? maxConnections,
    maxPerAddress: config.maxPerAddress ?? maxPerAddress,
    idleMillis: config.idleMillis ?? idleMillis,
    handshakeMillis: config.handshakeMillis ?? handshakeMillis,
  };
}

/** The listener's view of the connections, and what it may do with them. */
function hostOf(
  limits: DirectoryLimits,
  connections: OpenConnections,
  context: LookupContext,
): Host {
  return {
    maxPerAddress: limits.maxPerAddress,
    maxSockets: limits.maxConnections + MAX_HANDSHAKES + MIN_DEPARTURES + SPARE_SOCKETS,
    anonymousFrom: (block) => connections.from(block),
    closeIdlest: (block) => connections.closeIdlest(block),
    accept(socket, block) {
      context.counters.connections += 1;
      connections.add(new Lookups(socket, block, context));
    },
    handshakeFailed(error) {
      context.counters.handshakeFailures += 1;
      context.log.debug({ err: error }, "TLS handshake failed");
    },
  };
}

/** Starts an atDirectory. Rejects when the port is taken or the certificate can't be used. */
export async function startDirectory(config: DirectoryConfig): Promise<RunningDirectory> {
  let { tls, ticketKeys } = config;
  const { store, log, missDelayMillis, pause, now = Date.now } = config;
  const limits = limitsOf(config);
  const counters = new DirectoryCounters();
  const departures = new Departures();
  const end = (socket: TLSSocket): void => departures.add(socket);
  const connections = new OpenConnections(limits, now);
  const slowReaders = new SlowReaders();
  const context = { store, log, counters, missDelayMillis, pause, now, slowReaders, end };
  const listener = new TlsListener({
    tls: secureContext(tls, ticketKeys),
    host: hostOf(limits, connections, context),
    handshakeMillis: limits.handshakeMillis,
  });
  const { port, addresses } = await listener.listen(config.host ?? LOOPBACK, config.port);
  connections.watch();
  let closing = false;
  log.info({ port, addresses }, "atDirectory is listening");
  const warning = reachableFromNetwork(addresses);
  if (warning !== undefined) log.warn({ port }, warning);
  return {
    port,
    useIdentity(identity) {
      // Without them the keys the server started with would come back.
      listener.useContext(secureContext(identity, ticketKeys));
      tls = identity;
    },
    useTicketKeys(keys) {
      listener.useTicketKeys(keys);
      ticketKeys = keys;
    },
    async metrics() {
      // Only who is scraped loads this.
      const { directoryMetrics } = await import("./metrics.ts");
      return directoryMetrics(counters, listener.size, tls.certificate);
    },
    // Asked each time anyway.
    doubt: () => undefined,
    notReady: async () => (closing ? "closing" : await storeFailure(store)),
    async close() {
      closing = true;
      connections.unwatch();
      await listener.close();
    },
  };
}
