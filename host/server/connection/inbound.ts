// SPDX-License-Identifier: BSD-3-Clause
import { addressSite } from "../../net/addressBlock.ts";
import { AddressRate, DISPLACEMENTS_PER_MINUTE } from "../../net/addressRate.ts";
import { Departures, MIN_DEPARTURES } from "../../net/departures.ts";
import { AtError, formatError } from "../../wire/errors.ts";
import { type Session, standing } from "../access/session.ts";
import { MIN_AUTHENTICATED_IDLE_MILLIS, MIN_IDLE_MILLIS, type Tuning } from "../config/config.ts";
import type { Counters } from "../config/counters.ts";
import { LineBudget } from "./lineBudget.ts";
import { LongRequests } from "./longRequests.ts";
import { LongTurns } from "./longTurns.ts";
import { OutputBudget } from "./outputBudget.ts";

/** Share of the capacity below which idle connections keep their full time. */
const LOW_WATER_RATIO = 0.5;
/** Places above the pool's limit for connections younger than `newcomerMillis`: the owner gets in when it is full. */
export const NEWCOMER_PLACES = 16;

/** A site with several connections may put its own out that are older than this, ms. */
const YOUNG_MILLIS = 1_000;

/** Exact line sent to a connection that is closed for lack of room. */
export const FULL_LINE = `${formatError(
  new AtError("AT0012", "Inbound connection limit exceeded"),
  { json: false, owner: false },
).replace("Exception: ", "")}\n`;

/** A connection as this pool sees it. */
export interface Guest extends Session {
  /** The block of addresses it is counted with. */
  readonly block: string;
  /** Hangs up, behind a last line if one is given. */
  close(last?: string): void;
}

/** The open connections: which are let in, and which have to leave while others want in (atProtocol, connection limits). */
export class Inbound<Connection extends Guest = Guest> {
  /** Connections this side has ended and the other side hasn't yet. */
  readonly departures: Departures;
  readonly budget: LineBudget;
  readonly output: OutputBudget;
  readonly longRequests = new LongRequests();
  readonly longTurns = new LongTurns();
  private readonly open = new Set<Connection>();
  /** Those that came when the pool was full and aren't logged in, each with the end of its time. */
  private readonly newcomers = new Map<Connection, NodeJS.Timeout>();
  /** Those that somebody has logged in on. */
  private readonly known = new WeakSet<Connection>();
  private readonly displacements = new AddressRate(() => DISPLACEMENTS_PER_MINUTE, addressSite);
  private readonly tuning: Tuning;
  private readonly counters: Counters;
  private readonly now: () => number;

  constructor(tuning: Tuning, counters: Counters, now: () => number) {
    this.tuning = tuning;
    this.counters = counters;
    this.now = now;
    this.departures = new Departures(() => Math.max(tuning.inboundMaxLimit, MIN_DEPARTURES));
    this.budget = new LineBudget(() => tuning.unfinishedLineBytes);
    this.output = new OutputBudget(() => tuning.waitingOutputBytes);
  }

  /** Whether every place is taken, those for newcomers too. */
  get isFull(): boolean {
    return this.open.size >= this.tuning.inboundMaxLimit + NEWCOMER_PLACES;
  }

  get size(): number {
    return this.open.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.open.values();
  }

  add(connection: Connection): void {
    this.open.add(connection);
    if (!this.crowded) return;
    const timer = setTimeout(() => this.expire(connection), this.tuning.newcomerMillis);
    timer.unref();
    this.newcomers.set(connection, timer);
  }

  remove(connection: Connection): void {
    this.open.delete(connection);
    this.settle(connection);
  }

  /**
   * Closes what was idle for too long; true when there is room for one more from an address. When every place is taken,
   * somebody leaves for it, never the owner: the oldest connection without a login of a site (an IPv4 address, an IPv6 /48)
   * that has more of them than the new one's would, else of the new one's own; else, where every site has one, the oldest of
   * all, for which a site has a ration that its logins don't use up; and where everybody is logged in, the longest idle one of
   * the peer that has most. Who dials from elsewhere therefore gets in, and has as long for a login as all others need to take
   * every place once more at their ration. A site that has several is refused, as long as they are young.
   */
  makeRoom(address: string): boolean {
    const share = this.idleShare();
    for (const connection of [...this.open]) {
      if (!connection.closed && !this.isIdle(connection, share)) continue;
      connection.close();
      this.open.delete(connection);
    }
    if (!this.isFull) return true;
    const anonymous = this.those("anonymous");
    const leaver =
      anonymous.length > 0 ? this.leaverFor(address, anonymous) : longestIdle(this.ofBusiestPeer());
    if (leaver !== undefined) this.dismiss(leaver);
    return leaver !== undefined;
  }

  /** Whether a connection was idle for longer than it may: its next command only ends it. */
  isOverdue(connection: Connection): boolean {
    return this.isIdle(connection, this.idleShare());
  }

  /** A connection belongs to somebody since now: its place is a lasting one, at the cost of the one that is missed least. */
  loggedIn(connection: Connection): void {
    if (this.known.has(connection)) return;
    this.known.add(connection);
    this.displacements.giveBack(connection.remoteAddress, this.now());
    if (connection.peer !== undefined) this.limitPeer(connection);
    if (!this.newcomers.has(connection)) return;
    if (this.crowded) {
      const leaver = this.missedLeast() ?? this.peerFor(connection);
      if (leaver === undefined) return;
      this.dismiss(leaver);
    }
    this.settle(connection);
  }

  /** Connections of an address block that nobody is logged in on. */
  anonymousFrom(block: string): number {
    return this.anonymousOf(block).length;
  }

  /** Closes the one that was idle longest. */
  closeIdlest(block: string): void {
    const idlest = longestIdle(this.anonymousOf(block));
    if (idlest !== undefined) this.dismiss(idlest);
  }

  private get crowded(): boolean {
    return this.open.size > this.tuning.inboundMaxLimit;
  }

  private those(kind: "anonymous" | "peer"): Connection[] {
    return [...this.open].filter((each) => !each.closed && standing(each) === kind);
  }

  private anonymousOf(block: string): Connection[] {
    return this.those("anonymous").filter((connection) => connection.block === block);
  }

  /** The connection without a login to close for a new connection from an address. */
  private leaverFor(address: string, anonymous: readonly Connection[]): Connection | undefined {
    const site = addressSite(address);
    const bySite = groups(anonymous, ({ remoteAddress }) => addressSite(remoteAddress));
    const own = bySite.get(site) ?? [];
    const busiest = largest(bySite);
    if (busiest.length > own.length + 1) return oldest(busiest);
    if (own.length === 1) return own[0];
    if (own.length > 1) return oldest(this.aged(own)) ?? oldest(this.lingering(anonymous));
    return this.displacements.take(address, this.now()) ? oldest(anonymous) : undefined;
  }

  /** Those that aren't just come. */
  private aged(own: readonly Connection[]): Connection[] {
    const before = this.now() - YOUNG_MILLIS;
    return own.filter(({ openedAt }) => openedAt <= before);
  }

  /** Those that have had the time for a login and didn't use it. */
  private lingering(anonymous: readonly Connection[]): Connection[] {
    const before = this.now() - this.tuning.newcomerMillis;
    return anonymous.filter(({ openedAt }) => openedAt <= before);
  }

  /** The longest idle without a login; of those who came when it was full, who may be about to log in, only at last. */
  private missedLeast(): Connection | undefined {
    const anonymous = this.those("anonymous");
    const settled = anonymous.filter((each) => !this.newcomers.has(each));
    return longestIdle(settled) ?? longestIdle(anonymous);
  }

  /** The connections of the peer that has most of them. */
  private ofBusiestPeer(): Connection[] {
    return largest(groups(this.those("peer"), ({ peer = "" }) => peer));
  }

  /** The peer's connection that leaves for one that has logged in: the owner's, or a peer's with fewer. */
  private peerFor(connection: Connection): Connection | undefined {
    const busiest = this.ofBusiestPeer();
    const own = this.those("peer").filter(({ peer }) => peer === connection.peer);
    const isOwners = connection.owner;
    return isOwners || busiest.length > own.length + 1 ? longestIdle(busiest) : undefined;
  }

  /** Lets the longest idle connections of a peer leave that has too many. */
  private limitPeer({ peer }: Connection): void {
    const own = this.those("peer").filter((each) => each.peer === peer && !each.closed);
    if (own.length <= this.tuning.peerMaxConnections) return;
    const leaver = longestIdle(own);
    if (leaver !== undefined) this.dismiss(leaver);
  }

  private expire(connection: Connection): void {
    if (this.crowded) this.dismiss(connection);
    else this.settle(connection);
  }

  private dismiss(connection: Connection): void {
    this.counters.connectionsRefused += 1;
    connection.close(FULL_LINE);
    // Its place is free from now on, whenever the other side hangs up.
    this.open.delete(connection);
  }

  private settle(connection: Connection): void {
    clearTimeout(this.newcomers.get(connection));
    this.newcomers.delete(connection);
  }

  private idleShare(): number {
    const capacity = this.tuning.inboundMaxLimit;
    const low = Math.floor(capacity * LOW_WATER_RATIO);
    return Math.max(1 - Math.max(this.open.size - low, 0) / (capacity - low), 0);
  }

  private isIdle(connection: Connection, share: number): boolean {
    const known = connection.owner || connection.peer !== undefined;
    const max = known ? this.tuning.authenticatedInboundIdleMillis : this.tuning.inboundIdleMillis;
    const min = known ? MIN_AUTHENTICATED_IDLE_MILLIS : MIN_IDLE_MILLIS;
    const allowed = Math.floor((max - min) * share) + min;
    return this.now() - connection.lastWrite > allowed;
  }
}

/** The one that came first: what it says since doesn't make it younger. */
function oldest<C extends Guest>(connections: readonly C[]): C | undefined {
  return connections.reduce<C | undefined>(
    (first, each) => (first === undefined || each.openedAt < first.openedAt ? each : first),
    undefined,
  );
}

function longestIdle<C extends Guest>(connections: readonly C[]): C | undefined {
  return connections.reduce<C | undefined>(
    (idlest, each) => (idlest === undefined || each.lastWrite < idlest.lastWrite ? each : idlest),
    undefined,
  );
}

function groups<C>(connections: readonly C[], nameOf: (connection: C) => string): Map<string, C[]> {
  const found = new Map<string, C[]>();
  for (const connection of connections) {
    const name = nameOf(connection);
    const group = found.get(name);
    if (group === undefined) found.set(name, [connection]);
    else group.push(connection);
  }
  return found;
}

function largest<C>(all: ReadonlyMap<string, C[]>): C[] {
  return [...all.values()].reduce((most, each) => (each.length > most.length ? each : most), []);
}
