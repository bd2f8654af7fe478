// SPDX-License-Identifier: BSD-3-Clause
import { generateKeyPairSync, randomBytes, randomInt, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Family } from "../net/exposition.ts";
import { MAX_HANDSHAKES } from "../net/handshakes.ts";
import { LOOPBACK, reachableFromNetwork } from "../net/listen.ts";
import { type Host, TlsListener } from "../net/tlsListener.ts";
import { canonicalKey, withoutScope } from "../wire/atkey.ts";
import { normalizeAtSign } from "../wire/atsign.ts";
import type { NotificationOperation } from "../wire/notification.ts";
import { traceOf } from "../wire/trace.ts";
import { Authorization } from "./access/authorization.ts";
import { BlockList } from "./access/blockList.ts";
import { Enrollments } from "./access/enrollments.ts";
import { FromRate } from "./access/fromRate.ts";
import { linkOwnerKeyIn } from "./access/ownerKey.ts";
import type { Revoked } from "./access/revocation.ts";
import { actingEnrollment, type Session } from "./access/session.ts";
import {
  type CertificateSource,
  defaults,
  MAX_STRANGERS_LISTS,
  MAX_WAITING_LISTS,
  type ServerConfig,
  type TlsIdentity,
  type Tuning,
} from "./config/config.ts";
import { Counters } from "./config/counters.ts";
import { Dialogue } from "./connection/dialogue.ts";
import { FULL_LINE, Inbound, NEWCOMER_PLACES } from "./connection/inbound.ts";
import { Monitors } from "./notifications/monitors.ts";
import { Notifier } from "./notifications/notifier.ts";
import { ownerNotice } from "./notifications/ownerNotice.ts";
import { Streams } from "./notifications/streams.ts";
import { MAX_WRONG_OF_DAY } from "./passcodes/passcodeSuspension.ts";
import { Passcodes } from "./passcodes/passcodes.ts";
import { CacheRefresh } from "./peers/cacheRefresh.ts";
import { Directory } from "./peers/findPeer.ts";
import { PeerCertificates } from "./peers/peerCertificate.ts";
import { Peers } from "./peers/peers.ts";
import { PeerUsage } from "./peers/peerUsage.ts";
import { Proofs } from "./peers/proofs.ts";
import { PublicKeys } from "./peers/publicKeys.ts";
import { RemoteLookup } from "./peers/remoteLookup.ts";
import { Records } from "./records/records.ts";
import { StoreProbe } from "./running/readiness.ts";
import { Restart } from "./running/restart.ts";
import { DAY_MILLIS, logValidity, secureContext } from "./running/serverIdentity.ts";
import { Compaction } from "./upkeep/compaction.ts";
import { RuntimeParameters } from "./upkeep/runtimeParameters.ts";
import { ConcurrencyLimit } from "./verbs/concurrencyLimit.ts";
import type { Services } from "./verbs/services.ts";

/** Sockets that may be open above all other limits together; they are never reached unless one of those fails. */
const SPARE_SOCKETS = 64;
/** Spread over which the expiry jobs of many servers are shifted against each other, ms. */
const JOB_JITTER_MILLIS = 11_000;
/** Longest a command may go on once the server is to end, ms. */
export const DRAIN_MILLIS = 6_000;
const ACCESS_LOG_ENTRIES = 1_000;
const TICKET_KEY_BYTES = 48;
const VERSION = "3.0.52";

/** An atServer that answers. */
export interface RunningServer {
  readonly atSign: string;
  /** The port it listens on. */
  readonly port: number;
  /**
   * Uses another certificate from now on, inwards and outwards; connections stay as they are. Throws, and changes nothing,
   * when the key is not the certificate's or a text can't be read.
   */
  useIdentity(identity: TlsIdentity): void;
  /** Makes and takes session tickets with other keys (48 bytes) from now on; earlier ones cost a full handshake. */
  useTicketKeys(keys: Buffer): void;
  /** Figures for a scraper. Rejects once it is closed. */
  metrics(): Promise<readonly Family[]>;
  /** Why it doesn't serve at the moment; undefined when it does and the store takes writes. */
  notReady(): Promise<string | undefined>;
  /** Something failed that nobody expected: whether the store works is tried anew before `notReady` says so. */
  doubt(): void;
  /**
   * Stops listening, lets the commands that run come to their answers for at most DRAIN_MILLIS, ends the connections, and
   * resolves when no command runs any more; the store stays open.
   */
  close(): Promise<void>;
}

function tuningOf(config: ServerConfig): Tuning {
  const entries = Object.entries(defaults).map(([name, value]) => {
    const given = config[name as keyof Tuning];
    return [name, given ?? value];
  });
  return Object.fromEntries(entries) as Tuning;
}

/** The server's own keys, with which it proves to other atServers whose it is; made at the first start. */
async function ensureSigningKeys(records: Records, atSign: string): Promise<void> {
  const marker = "privatekey:signing_keypair_generated";
  if (records.get(marker) !== undefined) return;
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  await records.store.write((writer) => {
    records.putIn(writer, `public:signing_publickey${atSign}`, publicKey.toString("base64"));
    records.putIn(writer, `${atSign}:signing_privatekey${atSign}`, privateKey.toString("base64"));
    records.putIn(writer, marker, "true");
  });
  privateKey.fill(0);
}

/** Keeps the shared secret of the first login until the owner has deleted it. */
async function storeSecret(records: Records, secret: string | undefined): Promise<void> {
  if (secret === undefined || records.get("privatekey:at_secret_deleted") !== undefined) return;
  if (records.get("privatekey:at_secret")?.value === secret) return;
  await records.put("privatekey:at_secret", secret);
}

interface Assembly {
  services: Services;
  inbound: Inbound<Dialogue>;
  /** What this server and its connections to others use; changed in place when a certificate is renewed. */
  tls: TlsIdentity;
}

function assemble(config: ServerConfig, atSign: string): Assembly {
  const tuning = tuningOf(config);
  const { store, log, now = Date.now, newId = randomUUID } = config;
  const tls = { ...config.tls };
  const onLogFailure = (error: unknown): void =>
    log.error({ trace: traceOf(error) }, "access log failed");
  const records = new Records(store, atSign, now, onLogFailure);
  const counters = new Counters();
  const inbound = new Inbound<Dialogue>(tuning, counters, now);
  const proofs = new Proofs(tuning, now);
  const enrollments = new Enrollments(records, atSign, now);
  const authorization = new Authorization(enrollments);
  const monitors = new Monitors(atSign, now, authorization, store, tuning.statsNotificationMillis);
  const directory = new Directory(config.directory, {
    tls,
    cacheMillis: tuning.directoryCacheMillis,
    missMillis: tuning.directoryMissMillis,
    timeoutMillis: tuning.directoryTimeoutMillis,
    idleMillis: tuning.directoryIdleMillis,
    now,
  });
  const usage = new PeerUsage(store, atSign, tuning);
  const onCommit = (commitId: number, operation: NotificationOperation): void =>
    monitors.pushStats(commitId, operation);
  const publicKeys = new PublicKeys({ records, onCommit, atSign, now });
  const signingKey = (): string =>
    records.get(`${atSign}:signing_privatekey${atSign}`)?.value ?? "";
  const onPublicKey = (peer: string, answer: string): Promise<void> =>
    publicKeys.remember(peer, answer);
  const shared = { atSign, tls, tuning, directory, proofs, counters, log, now };
  const blockList = new BlockList(records, atSign);
  const isBlocked = (peer: string): boolean => blockList.has(peer);
  const peers = new Peers({ ...shared, signingKey, onPublicKey, isBlocked });
  const kept = { records, publicKeys, usage, onCommit };
  const remote = new RemoteLookup({ ...kept, peers, atSign, now, tuning });
  const notifier = new Notifier({ store, monitors, peers, tuning, counters, log, now, isBlocked });
  const cacheRefresh = new CacheRefresh({ records, remote, log, now });
  const compaction = new Compaction({ records, notifier, tuning, log, now });
  const parameters = new RuntimeParameters(tuning);
  parameters.onChange(() => compaction.schedule());
  parameters.subscribe("doCacheRefreshNow", (wanted) =>
    wanted ? cacheRefresh.run() : Promise.resolve(),
  );
  const onSuspended = (): Promise<void> => {
    log.warn("the semi-permanent passcode is suspended: too many wrong ones were tried");
    const told = { suspended: true, wrongPasscodes: MAX_WRONG_OF_DAY };
    const key = `spp.suspended.__manage${atSign}`;
    return notifier.receive(ownerNotice(newId(), atSign, key, told));
  };
  const passcodes = new Passcodes({ records, enrollments, atSign, now, tuning, onSuspended });
  const closeRevoked = ({ enrollmentIds, ownerKey }: Revoked, except: Session): void => {
    for (const connection of inbound) {
      const id = actingEnrollment(connection);
      const own = ownerKey && connection.authType === "pkam";
      const fallen = id === undefined ? own : enrollmentIds.has(id);
      if (fallen && connection !== except) connection.close();
    }
  };
  const connections = (): Iterable<Session> => inbound;
  const startedAt = now();
  const identity = { certificate: tls.certificate, since: startedAt };
  const version = config.version ?? VERSION;
  const fromRate = new FromRate(tuning, now);
  const stores = { records, blockList, fromRate, proofs, enrollments, passcodes, authorization };
  const links = {
    directory,
    peers,
    peerCertificates: new PeerCertificates(tls, now),
    publicKeys,
    remote,
    usage,
    notifier,
    monitors,
    cacheRefresh,
    compaction,
    parameters,
    streams: new Streams(),
    lists: {
      peer: new ConcurrencyLimit(MAX_STRANGERS_LISTS, MAX_WAITING_LISTS),
      anonymous: new ConcurrencyLimit(MAX_STRANGERS_LISTS, MAX_WAITING_LISTS),
    },
    identity: () => identity,
    signingKey,
    connections,
    lineBytes: () => inbound.budget.bytes,
    outputBytes: () => inbound.output.bytes,
    closeRevoked,
  };
  const protectedKeys = (config.protectedKeys ?? []).map((key) =>
    withoutScope(canonicalKey(key.replaceAll("<@atsign>", atSign))),
  );
  const own = { atSign, tuning, version, startedAt, protectedKeys, counters, pause: { on: false } };
  const services = { ...own, log, now, newId, ...stores, ...links };
  return { services, inbound, tls };
}

function accept(socket: TLSSocket, block: string, { services, inbound }: Assembly): void {
  if (!inbound.makeRoom(socket.remoteAddress ?? block)) {
    services.counters.connectionsRefused += 1;
    socket.on("error", (error) => services.log.debug({ err: error }, "refused connection failed"));
    inbound.departures.add(socket, FULL_LINE);
    return;
  }
  services.counters.connections += 1;
  inbound.add(new Dialogue(socket, block, services, inbound));
}

/** The listener's view of the connections, and what it may do with them. */
function hostOf(assembly: Assembly): Host {
  const { services, inbound } = assembly;
  const { tuning, counters, log } = services;
  return {
    get maxPerAddress() {
      return tuning.anonymousMaxPerAddress;
    },
    get maxSockets() {
      const pool = tuning.inboundMaxLimit + NEWCOMER_PLACES + MAX_HANDSHAKES;
      return pool + inbound.departures.most + SPARE_SOCKETS;
    },
    anonymousFrom: (block) => inbound.anonymousFrom(block),
    closeIdlest: (block) => inbound.closeIdlest(block),
    accept: (socket, block) => accept(socket, block, assembly),
    handshakeFailed: (error) => {
      counters.handshakeFailures += 1;
      log.debug({ err: error }, "TLS handshake failed");
    },
  };
}

/** The restart the config verb asks for, where the certificate can be read anew. */
function prepareRestart(
  source: CertificateSource | undefined,
  { services, inbound }: Assembly,
  useIdentity: (identity: TlsIdentity) => void,
): Restart | undefined {
  if (source === undefined) return undefined;
  const { pause, tuning, log, parameters } = services;
  const hangUp = (): Promise<void> => drain([...inbound]);
  const restart = new Restart({
    ...{ source, pause, tuning, connections: inbound, hangUp, useIdentity, log },
  });
  parameters.subscribe("shouldReloadCertificates", (wanted) => source.askRestart(wanted));
  parameters.subscribe("checkCertificateReload", (wanted) =>
    wanted ? restart.check() : Promise.resolve(),
  );
  return restart;
}

/** Removes what expired; the owner's key ends with its enrollment although that is no longer known then. */
async function removeExpired({ records, enrollments }: Services): Promise<number> {
  await records.store.write((writer) => linkOwnerKeyIn(writer, records, enrollments));
  return records.removeExpired();
}

function startJobs({ services }: Assembly): () => void {
  const { records, tuning, log } = services;
  const sweep = async (): Promise<void> => {
    const removed = await removeExpired(services);
    await records.store.write((writer) => writer.trimAccesses(ACCESS_LOG_ENTRIES));
    if (removed > 0) log.debug({ removed }, "expired records removed");
  };
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => log.error({ trace: traceOf(error) }, "expiry job failed"));
  }, tuning.expiryJobMillis + randomInt(JOB_JITTER_MILLIS));
  timer.unref();
  const daily = setInterval(
    () => logValidity(services, services.identity().certificate),
    DAY_MILLIS,
  );
  daily.unref();
  return () => {
    clearInterval(timer);
    clearInterval(daily);
  };
}

/** Closes the connections, each when its commands are answered, all of them after DRAIN_MILLIS. */
async function drain(connections: readonly Dialogue[]): Promise<void> {
  const late = new AbortController();
  const timeout = delay(DRAIN_MILLIS, undefined, { signal: late.signal }).catch(() => undefined);
  await Promise.race([Promise.all(connections.map((connection) => connection.drain())), timeout]);
  late.abort();
  for (const connection of connections) connection.close();
}

/** Ends the connections of both sides and what runs by itself; resolves when no command runs. */
async function hangUp({ services, inbound }: Assembly): Promise<void> {
  const { monitors, cacheRefresh, peers, directory, notifier, compaction } = services;
  const connections = [...inbound];
  await drain(connections);
  monitors.close();
  const endPeers = async (): Promise<void> => {
    peers.close();
    directory.close();
    await notifier.close();
  };
  await Promise.all([cacheRefresh.close(), endPeers()]);
  await compaction.close();
  await Promise.all(connections.map((connection) => connection.settled()));
}

/** Listens, and says so. Gives the port. */
async function listen(
  listener: TlsListener,
  config: ServerConfig,
  { atSign, log }: Services,
): Promise<number> {
  const { port, addresses } = await listener.listen(config.host ?? LOOPBACK, config.port);
  log.info({ atSign, port, addresses }, "atServer is listening");
  const warning = reachableFromNetwork(addresses);
  if (warning !== undefined) log.warn({ port }, warning);
  return port;
}

/** Starts the atServer of one atSign. Rejects when the port is taken or the certificate can't be used. */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  const atSign = normalizeAtSign(config.atSign);
  const assembly = assemble(config, atSign);
  const { services } = assembly;
  await ensureSigningKeys(services.records, atSign);
  await storeSecret(services.records, config.sharedSecret);
  await removeExpired(services);
  let ticketKeys = config.ticketKeys ?? randomBytes(TICKET_KEY_BYTES);
  const listener = new TlsListener({
    tls: {
      ...secureContext(config.tls),
      ticketKeys,
      requestCert: true,
      rejectUnauthorized: false,
    },
    host: hostOf(assembly),
    handshakeMillis: services.tuning.handshakeMillis,
  });
  const port = await listen(listener, config, services);
  await services.notifier.start();
  services.compaction.schedule();
  services.cacheRefresh.schedule();
  const stopJobs = startJobs(assembly);
  logValidity(services, config.tls.certificate);
  const useIdentity = (identity: TlsIdentity): void => {
    // Named again: the server itself would go back to the keys it began with.
    listener.useContext({ ...secureContext(identity), ticketKeys });
    Object.assign(assembly.tls, identity);
    Object.assign(services.identity(), {
      certificate: identity.certificate,
      since: services.now(),
    });
    logValidity(services, identity.certificate);
  };
  const probe = new StoreProbe(config.store, services.now);
  let state: "serving" | "draining" | "closed" = "serving";
  const restart = prepareRestart(config.certificates, assembly, useIdentity);
  return {
    atSign,
    port,
    useIdentity,
    useTicketKeys(keys) {
      listener.useTicketKeys(keys);
      ticketKeys = keys;
    },
    async metrics() {
      // Only who is scraped loads this.
      const { serverMetrics } = await import("./running/metrics.ts");
      if (state === "closed") throw new Error("the atServer is closed");
      return serverMetrics(services);
    },
    doubt: () => probe.doubt(),
    async notReady() {
      if (state !== "serving") return state;
      return services.pause.on ? "paused for a restart" : await probe.failure();
    },
    async close() {
      state = "draining";
      stopJobs();
      services.passcodes.close();
      const end = async (): Promise<void> => {
        await hangUp(assembly);
        await listener.close();
      };
      listener.stop();
      await Promise.all([restart?.close(), end()]);
      state = "closed";
    },
  };
}
