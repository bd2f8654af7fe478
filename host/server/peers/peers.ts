// SPDX-License-Identifier: BSD-3-Clause
import type { Logger } from "pino";
import type { Address } from "../../net/address.ts";
import { AtError } from "../../wire/errors.ts";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";
import { signWithServerKey } from "../access/signatures.ts";
import type { TlsIdentity, Tuning } from "../config/config.ts";
import type { Counters } from "../config/counters.ts";
import type { Directory } from "./findPeer.ts";
import { PeerConnection } from "./peerConnection.ts";
import { readChallenge } from "./polChallenge.ts";
import type { Proofs } from "./proofs.ts";

/** What a connection to a peer is for; a pol connection reads other records than an anonymous one. */
export type Purpose = "anonymous" | "lookup" | "notify";

export interface PeersOptions {
  atSign: string;
  tls: TlsIdentity;
  tuning: Tuning;
  directory: Directory;
  proofs: Proofs;
  counters: Counters;
  log: Logger;
  now: () => number;
  /** Base64 PKCS#8 of the server's signing key. */
  signingKey: () => string;
  /** Called with the public encryption key that a newly connected peer shows (`lookup:all:publickey@peer`). */
  onPublicKey: (peer: string, answer: string) => Promise<void>;
  /** Whether the owner blocks an atSign: a broken connection to it is not opened again. */
  isBlocked: (peer: string) => boolean;
}

/** A connection being opened. */
interface Opening {
  /** Whether it was given up meanwhile: it then ends as soon as it can. */
  hungUp: boolean;
  /** The connection on which the handshake runs. */
  connection?: PeerConnection;
}

interface Pooled {
  readonly opening: Opening;
  readonly connection: Promise<PeerConnection>;
  open?: PeerConnection;
  used: number;
}

/** Whether a request ended with its connection. */
function isBroken(answer: unknown): boolean {
  return answer instanceof AtError && answer.code === "AT0004";
}

/** Throws AT0004 when what is being opened isn't wanted any more. */
function demandWanted(peer: string, { hungUp }: Opening): void {
  if (hungUp) throw new AtError("AT0004", `${peer} was hung up on`);
}

function saysPipelining(answer: string): boolean {
  try {
    const info = parseJson(answer, jsonLimits.answer);
    return (
      typeof info === "object" && info !== null && "pipelining" in info && info.pipelining === true
    );
  } catch (error) {
    if (error instanceof JsonError) return false;
    throw error;
  }
}

/** What an answer to `to` has for a public key, as `lookup:all` shows it; null for none, undefined for another answer. */
function publicKeyIn(answer: string): string | null | undefined {
  try {
    const told: unknown = parseJson(answer, jsonLimits.answer);
    if (typeof told !== "object" || told === null || !("publickey" in told)) return undefined;
    const { publickey } = told;
    if (publickey === null) return null;
    return typeof publickey === "object" ? JSON.stringify(publickey) : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** Connections to other atServers, kept for reuse (atProtocol, server to server). */
export class Peers {
  private readonly options: PeersOptions;
  private readonly pool = new Map<string, Pooled>();
  private readonly reaper: NodeJS.Timeout;

  constructor(options: PeersOptions) {
    this.options = options;
    this.reaper = setInterval(
      () => this.reap(),
      Math.min(options.tuning.outboundIdleMillis, 60_000),
    );
    this.reaper.unref();
  }

  /** Connections open or being opened. */
  get size(): number {
    return this.pool.size;
  }

  /** Asks a peer; a pooled connection that broke is replaced once. Throws the peer's or the connection's AtError. */
  async request(
    peer: string,
    purpose: Purpose,
    command: string,
    timeoutMillis: number,
  ): Promise<string> {
    const reused = this.pool.get(`${purpose} ${peer}`)?.open !== undefined;
    const connection = await this.take(peer, purpose);
    try {
      return await connection.request(command, timeoutMillis);
    } catch (error) {
      if (!reused || !connection.closed || !isBroken(error)) throw error;
      if (this.options.isBlocked(peer)) throw error;
    }
    const fresh = await this.take(peer, purpose);
    return fresh.request(command, timeoutMillis);
  }

  /**
   * Asks a peer several things, at once when it lets them overlap; gives the answer or the error of each. What a pooled
   * connection that broke left unanswered is asked again, once. Throws AtError when the peer can't be reached.
   */
  async requestAll(
    peer: string,
    purpose: Purpose,
    commands: readonly string[],
    timeoutMillis: number,
  ): Promise<(string | AtError)[]> {
    const reused = this.pool.get(`${purpose} ${peer}`)?.open !== undefined;
    const connection = await this.take(peer, purpose);
    const answers = await connection.requestAll(commands, timeoutMillis);
    if (!reused || !connection.closed || this.options.isBlocked(peer)) return answers;
    const answered = answers.findIndex(isBroken);
    if (answered < 0) return answers;
    try {
      const fresh = await this.take(peer, purpose);
      const rest = await fresh.requestAll(commands.slice(answered), timeoutMillis);
      return [...answers.slice(0, answered), ...rest];
    } catch (error) {
      // What was answered stays answered.
      if (error instanceof AtError) return answers;
      throw error;
    }
  }

  /**
   * Whether the open connection for notifications takes a command before it answered the one in front of it; asked once a
   * connection, with `info`. An atServer that doesn't say so gets one command at a time.
   */
  async overlaps(peer: string): Promise<boolean> {
    const connection = this.pool.get(`notify ${peer}`)?.open;
    if (connection === undefined || connection.closed) return false;
    if (connection.overlaps === undefined) {
      connection.overlaps = false;
      const timeout = this.options.tuning.peerHandshakeTimeoutMillis;
      try {
        connection.overlaps = saysPipelining(await connection.request("info", timeout));
      } catch (error) {
        if (!(error instanceof AtError)) throw error;
        this.options.log.debug({ peer, code: error.code }, "peer gives no info");
      }
    }
    return connection.overlaps;
  }

  /** Hangs up on a peer, also on a connection that is being opened; what it hasn't answered fails with AT0004. */
  hangUp(peer: string): void {
    for (const [name, { opening, open }] of this.pool) {
      if (name.slice(name.indexOf(" ") + 1) !== peer) continue;
      this.pool.delete(name);
      opening.hungUp = true;
      // Callers that wait for a connection being opened get the reason it failed.
      (open ?? opening.connection)?.close();
    }
  }

  close(): void {
    clearInterval(this.reaper);
    for (const { open } of this.pool.values()) open?.close();
    this.pool.clear();
  }

  private take(peer: string, purpose: Purpose): Promise<PeerConnection> {
    const name = `${purpose} ${peer}`;
    const known = this.pool.get(name);
    if (known !== undefined && known.open?.closed !== true) {
      known.used = this.options.now();
      return known.connection;
    }
    this.pool.delete(name);
    this.makeRoom();
    const opening: Opening = { hungUp: false };
    const connection = this.open(peer, purpose, opening);
    const pooled: Pooled = { opening, connection, used: this.options.now() };
    this.pool.set(name, pooled);
    const { counters } = this.options;
    pooled.connection.then(
      (connection) => {
        counters.peerConnections += 1;
        pooled.open = connection;
      },
      () => {
        counters.peerConnectionsFailed += 1;
        if (this.pool.get(name) === pooled) this.pool.delete(name);
      },
    );
    return pooled.connection;
  }

  private makeRoom(): void {
    if (this.pool.size < this.options.tuning.outboundMaxLimit) return;
    this.reap();
    if (this.pool.size < this.options.tuning.outboundMaxLimit) return;
    const idle = [...this.pool]
      .filter(([, { open }]) => open !== undefined && open.busy === 0)
      .sort(([, a], [, b]) => a.used - b.used)[0];
    if (idle === undefined) throw new AtError("AT0006", "max limit reached on outbound pool");
    idle[1].open?.close();
    this.pool.delete(idle[0]);
  }

  private reap(): void {
    const limit = this.options.now() - this.options.tuning.outboundIdleMillis;
    for (const [name, { open, used }] of this.pool) {
      if (open === undefined || (!open.closed && (used > limit || open.busy > 0))) continue;
      open.close();
      this.pool.delete(name);
    }
  }

  private async open(peer: string, purpose: Purpose, opening: Opening): Promise<PeerConnection> {
    const { directory, tuning, log } = this.options;
    const address = await directory.find(peer);
    let connection = await this.connect(peer, address, opening);
    try {
      const knows = tuning.toVerbOutboundEnabled && (await this.sayTo(connection));
      // AtServers of old hang up on a verb they don't know.
      if (!knows && connection.closed) connection = await this.connect(peer, address, opening);
      if (!knows) await this.readPublicKey(connection);
      if (purpose !== "anonymous") await this.handshake(connection);
      demandWanted(peer, opening);
    } catch (error) {
      connection.close();
      throw error;
    }
    log.debug({ peer, purpose }, "connected to atServer");
    return connection;
  }

  /** Throws AT0004 when it can't be reached, or was hung up on meanwhile. */
  private async connect(peer: string, address: Address, opening: Opening): Promise<PeerConnection> {
    const { directory, tls, tuning } = this.options;
    demandWanted(peer, opening);
    try {
      const timeout = tuning.peerConnectTimeoutMillis;
      opening.connection = await PeerConnection.open(peer, address, tls, timeout);
    } catch (error) {
      directory.forget(peer);
      throw error;
    }
    if (opening.hungUp) opening.connection.close();
    demandWanted(peer, opening);
    return opening.connection;
  }

  /**
   * Says whose atServer is wanted (atProtocol, the to verb), and takes the public key it tells of; false when the peer
   * doesn't understand. Throws AT0007 when it is another's atServer.
   */
  private async sayTo(connection: PeerConnection): Promise<boolean> {
    const { peer } = connection;
    const { tuning, directory, onPublicKey, log } = this.options;
    try {
      const answer = await connection.request(`to:${peer}`, tuning.peerHandshakeTimeoutMillis);
      const publicKey = publicKeyIn(answer);
      if (publicKey !== undefined && publicKey !== null) await onPublicKey(peer, publicKey);
      return publicKey !== undefined;
    } catch (error) {
      if (!(error instanceof AtError)) throw error;
      if (error.code === "AT0007") {
        directory.forget(peer);
        throw error;
      }
      log.debug({ peer, code: error.code }, "peer doesn't understand to");
      return false;
    }
  }

  /** A peer without a public key yet is no reason not to talk to it. */
  private async readPublicKey(connection: PeerConnection): Promise<void> {
    const { peer } = connection;
    const timeout = this.options.tuning.peerHandshakeTimeoutMillis;
    try {
      const answer = await connection.request(`lookup:all:publickey${peer}`, timeout);
      await this.options.onPublicKey(peer, answer);
    } catch (error) {
      if (!(error instanceof AtError) || connection.closed) throw error;
      this.options.log.debug({ peer, code: error.code }, "peer shows no public key");
    }
  }

  /** from, the signed proof, pol. Throws AT0008. */
  private async handshake(connection: PeerConnection): Promise<void> {
    const { atSign, proofs, tuning, signingKey, directory } = this.options;
    const timeout = tuning.peerHandshakeTimeoutMillis;
    let name: string | undefined;
    try {
      const answer = await connection.request(`from:${atSign}`, timeout);
      const allowBare = tuning.signBareChallenges;
      const { session, text, bound } = readChallenge(answer, connection.peer, atSign, allowBare);
      name = `public:${session}${atSign}`;
      const host = directory.asksNobody ? undefined : connection.address.host;
      proofs.put(name, { text: signWithServerKey(signingKey(), text), host, bound });
      if (!(await connection.pol(atSign, timeout))) {
        throw new AtError("AT0008", `${connection.peer} refused the pol login`);
      }
    } catch (cause) {
      if (!(cause instanceof AtError) || cause.code === "AT0008") throw cause;
      throw new AtError("AT0008", `${connection.peer}: ${cause.message}`, { cause });
    } finally {
      if (name !== undefined) proofs.remove(name);
    }
  }
}
