// SPDX-License-Identifier: BSD-3-Clause
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

/** Exact line a connection gets that has to leave for want of room. */
export const FULL_LINE = `${formatError(
  new AtError("AT0012", "Inbound connection limit exceeded"),
  { json: false, owner: false },
).replace("Exception: ", "")}\n`;

/** What is decided about: a connection, and where it comes from. */
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
   * Closes what was idle for too long; true when there is room for one more from an address block. When every place is
   * taken, a connection without a login leaves for it: the longest idle of a block that has more of them, or of those that
   * had time enough for a login.
   */
  makeRoom(block: string): boolean {
    const share = this.idleShare();
    for (const connection of [...this.open]) {
      if (!connection.closed && !this.isIdle(connection, share)) continue;
      connection.close();
      this.open.delete(connection);
    }
    const places = this.tuning.inboundMaxLimit + NEWCOMER_PLACES;
    if (this.open.size < places) return true;
    const idlest = longestIdle(this.fromBusiest(block)) ?? longestIdle(this.lingering());
    if (idlest !== undefined) this.dismiss(idlest);
    return idlest !== undefined;
  }

  /** Whether a connection was idle for longer than it may: its next command only ends it. */
  isOverdue(connection: Connection): boolean {
    return this.isIdle(connection, this.idleShare());
  }

  /** A login makes a newcomer's place a lasting one, at the cost of the connection that is missed least. */
  loggedIn(connection: Connection): void {
    if (!this.newcomers.has(connection)) return;
    if (this.crowded) {
      const peers = connection.owner ? this.those("peer") : [];
      const idlest = longestIdle(this.those("anonymous")) ?? longestIdle(peers);
      if (idlest === undefined) return;
      this.dismiss(idlest);
    }
    this.settle(connection);
  }

  /** Connections of an address block that nobody is logged in on. */
  anonymousFrom(block: string): number {
    return this.anonymousOf(block).length;
  }

  /** Tells the longest idle of them to leave. */
  closeIdlest(block: string): void {
    const idlest = longestIdle(this.anonymousOf(block));
    if (idlest !== undefined) this.dismiss(idlest);
  }

  private get crowded(): boolean {
    return this.open.size > this.tuning.inboundMaxLimit;
  }

  private those(kind: "anonymous" | "peer"): Connection[] {
    return [...this.open].filter((connection) => standing(connection) === kind);
  }

  private anonymousOf(block: string): Connection[] {
    return this.those("anonymous").filter((connection) => connection.block === block);
  }

  /** Those without a login of the address block that has most of them, if it has more than another would with one more. */
  private fromBusiest(block: string): Connection[] {
    const counts = new Map<string, number>();
    for (const { block: each } of this.those("anonymous")) {
      counts.set(each, (counts.get(each) ?? 0) + 1);
    }
    const [busiest, most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0]);
    return most > (counts.get(block) ?? 0) + 1 ? this.anonymousOf(busiest) : [];
  }

  /** Those that have had the time for a login and didn't use it. */
  private lingering(): Connection[] {
    const before = this.now() - this.tuning.newcomerMillis;
    return this.those("anonymous").filter(({ openedAt }) => openedAt <= before);
  }

  private expire(connection: Connection): void {
    if (this.crowded) this.dismiss(connection);
    else this.settle(connection);
  }

  private dismiss(connection: Connection): void {
    this.counters.connectionsRefused += 1;
    connection.close(FULL_LINE);
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

function longestIdle<C extends Guest>(connections: readonly C[]): C | undefined {
  return connections.reduce<C | undefined>(
    (idlest, each) => (idlest === undefined || each.lastWrite < idlest.lastWrite ? each : idlest),
    undefined,
  );
}
