// SPDX-License-Identifier: BSD-3-Clause
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  type TlsOptions,
  type Server as TlsServer,
} from "node:tls";
import { addressBlock } from "./addressBlock.ts";
import { Handshakes } from "./handshakes.ts";
import { type Listening, listen } from "./listen.ts";

/** Handshakes under way up to which TLS begins with the connection. */
const QUIET_HANDSHAKES = 48;

/** The server whose connections these are. */
export interface Host {
  /** Most connections without a login that one address block may have, handshakes included. */
  readonly maxPerAddress: number;
  /** Most sockets of any kind: what is left of the file descriptors' safety when every other limit fails. */
  readonly maxSockets: number;
  /** Connections of an address block that nobody is logged in on. */
  anonymousFrom(block: string): number;
  /** Closes the one of them that was idle for longest. */
  closeIdlest(block: string): void;
  /** Takes a connection whose handshake is done. */
  accept(socket: TLSSocket, block: string): void;
  /** Hears of a connection that came to nothing: its handshake failed or took too long. */
  handshakeFailed(error: Error): void;
}

export interface TlsListenerOptions {
  /** Identity, ticket keys and the other options of node:tls. */
  readonly tls: TlsOptions;
  readonly host: Host;
  /** Time for a handshake, ms. */
  readonly handshakeMillis?: number;
}

/**
 * Accepts TLS connections on one or several addresses. How many may be unfinished or without a login, in all and of one
 * address block, is limited; a new one is never refused for that, an older one goes.
 */
export class TlsListener {
  private readonly tls: TlsServer;
  private readonly host: Host;
  private readonly handshakes: Handshakes;
  private readonly sockets = new Set<Socket>();
  private listening: Listening | undefined;
  private stopped: Promise<unknown> | undefined;

  constructor({ tls, host, handshakeMillis }: TlsListenerOptions) {
    this.host = host;
    this.handshakes = new Handshakes(handshakeMillis);
    // It listens on nothing itself: what the servers below accept is handed to it.
    this.tls = createTlsServer(tls);
    this.tls.on("secureConnection", (socket) => this.secured(socket));
    this.tls.on("tlsClientError", (error) => host.handshakeFailed(error));
  }

  /** Open sockets, those in their handshake included. */
  get size(): number {
    return this.sockets.size;
  }

  /** Listens as `listen` says. */
  async listen(host: string, port: number): Promise<Listening> {
    const create = (): Server =>
      createTcpServer({ noDelay: true }, (socket) => this.connected(socket));
    this.listening = await listen(create, host, port);
    for (const server of this.listening.servers) {
      server.on("error", (error) => this.host.handshakeFailed(error));
    }
    return this.listening;
  }

  /** Uses another identity for handshakes from now on. Throws for one that can't be used. */
  useContext(options: SecureContextOptions): void {
    this.tls.setSecureContext(options);
  }

  useTicketKeys(keys: Buffer): void {
    this.tls.setTicketKeys(keys);
  }

  /** Takes no new connection and gives the handshakes up; those that are open go on. */
  stop(): void {
    if (this.stopped !== undefined) return;
    const servers = this.listening?.servers ?? [];
    this.stopped = Promise.all(
      servers.map((server) => new Promise<unknown>((resolve) => server.close(resolve))),
    );
    this.handshakes.close();
  }

  /** Stops, ends every connection, and resolves when all are gone. */
  async close(): Promise<void> {
    this.stop();
    for (const socket of this.sockets) socket.destroy();
    await this.stopped;
  }

  private connected(socket: Socket): void {
    const { remoteAddress } = socket;
    const full = this.stopped !== undefined || this.sockets.size >= this.host.maxSockets;
    if (full || remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const block = addressBlock(remoteAddress);
    this.makeRoom(block);
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
    const isQuiet = this.handshakes.size < QUIET_HANDSHAKES;
    if (!this.handshakes.begin(socket, block)) socket.destroy();
    else if (isQuiet) this.tls.emit("connection", socket);
    else this.awaitHello(socket);
  }

  /**
   * Where many handshakes are under way, what TLS keeps of a connection is made when its first bytes are there: who says
   * nothing costs a socket alone. Not always so, because Node ends a handshake whose first bytes were read before it began when
   * a client's certificate hangs below one of the authority's name with another key, instead of leaving it to be judged.
   */
  private awaitHello(socket: Socket): void {
    const early = (error: Error): void => this.host.handshakeFailed(error);
    socket.on("error", early);
    socket.once("readable", () => {
      socket.off("error", early);
      if (socket.readableLength > 0) this.tls.emit("connection", socket);
      else socket.destroy();
    });
  }

  private makeRoom(block: string): void {
    const { handshakes, host } = this;
    if (handshakes.from(block) + host.anonymousFrom(block) < host.maxPerAddress) return;
    if (!handshakes.dropOldest(block)) host.closeIdlest(block);
  }

  private secured(socket: TLSSocket): void {
    const block = this.handshakes.finish(socket);
    if (block === undefined || this.stopped !== undefined) socket.destroy();
    else this.host.accept(socket, block);
  }
}
