// SPDX-License-Identifier: BSD-3-Clause
import { addressSite } from "../../net/addressBlock.ts";
import { AddressRate } from "../../net/addressRate.ts";
import { AtError } from "../../wire/errors.ts";
import type { Tuning } from "../config/config.ts";
import { type Session, standing } from "./session.ts";

/** Look-ups in the directory that `from` of one site (an IPv4 address, an IPv6 /48) may have under way, of all there are at most. */
export const MAX_LOOKUPS_PER_ADDRESS = 16;

/**
 * How often nobody in particular may say `from` from one address: as the owner, and, apart from that, as others, which each
 * time has the directory asked. Those that go on to log in don't count.
 */
export class FromRate {
  private readonly own: AddressRate;
  private readonly others: AddressRate;
  private readonly now: () => number;
  /** Look-ups under way by site. */
  private readonly underWay = new Map<string, number>();
  /** Connections whose latest `from` counts. */
  private readonly counted = new WeakSet<Session>();

  constructor(tuning: Tuning, now: () => number) {
    this.own = new AddressRate(() => tuning.ownFromPerMinute);
    this.others = new AddressRate(() => tuning.otherFromPerMinute);
    this.now = now;
  }

  /** Throws AT0028 when there were too many. */
  demand(session: Session, kind: "own" | "others"): void {
    this.counted.delete(session);
    if (standing(session) !== "anonymous") return;
    if (!this[kind].take(session.remoteAddress, this.now())) {
      throw new AtError("AT0028", "Too many logins were begun from here: try again in a minute");
    }
    this.counted.add(session);
  }

  /** Does what the directory is asked for; throws AT0028 when as much is under way for the connection's site as may be. */
  async during<T>(session: Session, work: () => Promise<T>): Promise<T> {
    const site = addressSite(session.remoteAddress);
    const count = this.underWay.get(site) ?? 0;
    if (count >= MAX_LOOKUPS_PER_ADDRESS) {
      throw new AtError("AT0028", "Too many look-ups at once, try again later");
    }
    this.underWay.set(site, count + 1);
    try {
      return await work();
    } finally {
      const left = (this.underWay.get(site) ?? 1) - 1;
      if (left === 0) this.underWay.delete(site);
      else this.underWay.set(site, left);
    }
  }

  /** The latest `from` of a connection led to a login. */
  loggedIn(session: Session, kind: "own" | "others"): void {
    if (this.counted.delete(session)) this[kind].giveBack(session.remoteAddress, this.now());
  }
}
