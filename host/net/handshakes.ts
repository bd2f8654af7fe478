// SPDX-License-Identifier: BSD-3-Clause
import type { Socket } from "node:net";
import { addressSite } from "./addressBlock.ts";
import { AddressRate, DISPLACEMENTS_PER_MINUTE } from "./addressRate.ts";

/** Time a client has for its TLS handshake, ms. */
export const HANDSHAKE_MILLIS = 10_000;
/** What that may be set to, ms. */
export const MIN_HANDSHAKE_MILLIS = 1_000;
export const MAX_HANDSHAKE_MILLIS = 600_000;
/** Handshakes that may be under way at once; one more drops the oldest of the address block with the most. */
export const MAX_HANDSHAKES = 256;

interface Handshake {
  readonly name: string;
  readonly socket: Socket;
  readonly block: string;
  /** Of the monotonic clock, ms. */
  readonly since: number;
}

/** What is the same for a TCP socket and the TLS socket above it; undefined once the other side has reset it. */
function nameOf({ remoteAddress, remotePort, localAddress }: Socket): string | undefined {
  return remoteAddress && `${remoteAddress} ${remotePort} ${localAddress}`;
}

/**
 * The connections whose TLS handshake isn't done, the oldest first. node:tls only reports one that takes too long; here it
 * is destroyed.
 */
export class Handshakes {
  private readonly underWay = new Map<string, Handshake>();
  private readonly displacements = new AddressRate(() => DISPLACEMENTS_PER_MINUTE, addressSite);
  private readonly millis: number;
  private timer: NodeJS.Timeout | undefined;

  /** `millis`: how long one may take. */
  constructor(millis: number = HANDSHAKE_MILLIS) {
    this.millis = millis;
  }

  get size(): number {
    return this.underWay.size;
  }

  /** Handshakes under way from one address block. */
  from(block: string): number {
    let count = 0;
    for (const handshake of this.underWay.values()) if (handshake.block === block) count += 1;
    return count;
  }

  /** Watches a new connection until `finish` or its end; false when it has ended already or finds no room. */
  begin(socket: Socket, block: string): boolean {
    const name = nameOf(socket);
    if (name === undefined) return false;
    if (this.underWay.size >= MAX_HANDSHAKES && !this.makeRoom(socket, block)) return false;
    const handshake = { name, socket, block, since: performance.now() };
    this.underWay.set(name, handshake);
    socket.once("close", () => this.forget(handshake));
    this.arm();
    return true;
  }

  /** Stops watching the connection under a TLS socket; gives its address block, undefined when it was given up. */
  finish(socket: Socket): string | undefined {
    const name = nameOf(socket);
    const handshake = name === undefined ? undefined : this.underWay.get(name);
    if (name !== undefined) this.underWay.delete(name);
    return handshake?.block;
  }

  /** Destroys the oldest, or the oldest of one address block; false when there is none. */
  dropOldest(block?: string): boolean {
    for (const handshake of this.underWay.values()) {
      if (block === undefined || handshake.block === block) return this.drop(handshake);
    }
    return false;
  }

  /**
   * Drops one for a new one of an address block: the oldest of the block that has most; where all have about as many, the
   * oldest of all, for which a site has a ration, so that who dials fastest leaves others the time for theirs; then its own.
   */
  private makeRoom({ remoteAddress = "" }: Socket, block: string): boolean {
    const busiest = this.busiestBlock();
    const own = this.from(block);
    if (busiest !== undefined && this.from(busiest) > own + 1) return this.dropOldest(busiest);
    if (this.displacements.take(remoteAddress, Date.now())) return this.dropOldest();
    return own > 0 && this.dropOldest(block);
  }

  /** The address block with the most of them, of several the one that had its first. */
  private busiestBlock(): string | undefined {
    const counts = new Map<string, number>();
    for (const { block } of this.underWay.values()) counts.set(block, (counts.get(block) ?? 0) + 1);
    let busiest: string | undefined;
    for (const [block, count] of counts) {
      if (busiest === undefined || count > (counts.get(busiest) ?? 0)) busiest = block;
    }
    return busiest;
  }

  /** Destroys all of them. */
  close(): void {
    while (this.dropOldest());
    clearTimeout(this.timer);
  }

  private drop(handshake: Handshake): true {
    this.forget(handshake);
    handshake.socket.destroy();
    return true;
  }

  private forget(handshake: Handshake): void {
    if (this.underWay.get(handshake.name) === handshake) this.underWay.delete(handshake.name);
  }

  /** One timer, for the oldest. */
  private arm(): void {
    const [oldest] = this.underWay.values();
    if (this.timer !== undefined || oldest === undefined) return;
    const left = oldest.since + this.millis - performance.now();
    this.timer = setTimeout(() => this.dropLate(), Math.max(Math.ceil(left), 0));
    this.timer.unref();
  }

  private dropLate(): void {
    this.timer = undefined;
    const now = performance.now();
    for (const handshake of [...this.underWay.values()]) {
      if (now - handshake.since >= this.millis) this.drop(handshake);
    }
    this.arm();
  }
}
