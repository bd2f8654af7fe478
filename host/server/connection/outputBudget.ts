// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import type { standing } from "../access/session.ts";

type Standing = ReturnType<typeof standing>;

/** The order in which holders are given up. */
const ORDER: readonly Standing[] = ["anonymous", "peer", "owner"];
const NOTHING = Buffer.alloc(0);
/** What is kept beside the bytes of something that waits, bytes. */
const OVERHEAD_BYTES = 256;

/** A text, or a line for monitors; equal texts are kept once. */
export type Output = string | Buffer;

/** A connection with output that its client hasn't read. */
export interface OutputHolder {
  readonly standing: Standing;
  /** Hangs up and drops what waits. */
  giveUp(): void;
}

interface Shared {
  readonly output: Output;
  readonly bytes: number;
  holders: number;
}

interface Held {
  /** Bytes written for this holder alone. */
  own: number;
  readonly claims: Set<SharedClaim<Output>>;
  /** Of the budget's clock, ms: since when it holds anything. */
  readonly since: number;
}

/** Something that waits for one holder. */
export interface Claim<T extends Output> {
  /** The text, which others may share; undefined once the holder was given up. */
  readonly output: T;
  /** Takes it out of the budget. */
  release(): void;
}

class SharedClaim<T extends Output> implements Claim<T> {
  readonly release: () => void;
  private shared: Shared | undefined;

  constructor(shared: Shared, release: () => void) {
    this.shared = shared;
    this.release = release;
  }

  get output(): T {
    return (this.shared?.output ?? NOTHING) as T;
  }

  /** A text's bytes, divided among its holders. */
  get cost(): number {
    return this.shared === undefined ? 0 : this.shared.bytes / this.shared.holders;
  }

  giveBack(): Shared | undefined {
    const { shared } = this;
    this.shared = undefined;
    return shared;
  }
}

/**
 * What waits for those who don't read, of all connections together. When it is too much, connections are given up: those
 * without a login first, an owner's last; among equals the one that has held most for longest. The newest of the highest
 * standing is spared, so that one answer of any length can be read.
 */
export class OutputBudget {
  private readonly held = new Map<OutputHolder, Held>();
  private readonly shared = new Map<Output, Shared>();
  private readonly limit: () => number;
  private readonly now: () => number;
  private total = 0;

  /** `limit`: bytes in all; `now`: ms. */
  constructor(limit: () => number, now: () => number = () => performance.now()) {
    this.limit = limit;
    this.now = now;
  }

  /** Bytes held in all. */
  get bytes(): number {
    return this.total;
  }

  /** Sets the bytes that were written for a holder and not read. */
  set(holder: OutputHolder, bytes: number): void {
    if (bytes === 0 && !this.held.has(holder)) return;
    const held = this.of(holder);
    this.total += bytes - held.own;
    held.own = bytes;
    this.settle(holder, held);
  }

  /** Adds a text that waits for a holder; the result replaces the text. */
  claim<T extends Output>(holder: OutputHolder, output: T): Claim<T> {
    const shared = this.shared.get(output) ?? this.add(output);
    const held = this.of(holder);
    const claim = new SharedClaim<T>(shared, () => this.release(holder, claim));
    shared.holders += 1;
    held.claims.add(claim);
    this.settle(holder, held);
    return claim;
  }

  /** The connection is over. */
  forget(holder: OutputHolder): void {
    const held = this.held.get(holder);
    if (held === undefined) return;
    this.held.delete(holder);
    this.total -= held.own;
    for (const claim of held.claims) this.drop(claim);
  }

  private release(holder: OutputHolder, claim: SharedClaim<Output>): void {
    const held = this.held.get(holder);
    if (held === undefined || !held.claims.delete(claim)) return;
    this.drop(claim);
    this.settle(holder, held);
  }

  private of(holder: OutputHolder): Held {
    let held = this.held.get(holder);
    if (held === undefined) {
      held = { own: 0, claims: new Set(), since: this.now() };
      this.held.set(holder, held);
    }
    return held;
  }

  private add(output: Output): Shared {
    const shared = { output, bytes: bytesOf(output), holders: 0 };
    this.shared.set(output, shared);
    this.total += shared.bytes;
    return shared;
  }

  private drop(claim: SharedClaim<Output>): void {
    const shared = claim.giveBack();
    if (shared === undefined) return;
    shared.holders -= 1;
    if (shared.holders > 0) return;
    this.shared.delete(shared.output);
    this.total -= shared.bytes;
  }

  private settle(holder: OutputHolder, held: Held): void {
    if (held.own === 0 && held.claims.size === 0) this.held.delete(holder);
    if (this.total > this.limit()) this.relieve();
  }

  private relieve(): void {
    const spared = this.newestOfHighest();
    for (const standing of ORDER) {
      for (const holder of this.worstFirst(standing)) {
        if (this.total <= this.limit()) return;
        if (holder === spared) continue;
        this.forget(holder);
        holder.giveUp();
      }
    }
  }

  private newestOfHighest(): OutputHolder | undefined {
    let newest: OutputHolder | undefined;
    // The held come in the order in which they began.
    for (const holder of this.held.keys()) {
      const least = newest === undefined ? 0 : ORDER.indexOf(newest.standing);
      if (ORDER.indexOf(holder.standing) >= least) newest = holder;
    }
    return newest;
  }

  private worstFirst(standing: Standing): OutputHolder[] {
    const now = this.now();
    const ranked: [OutputHolder, number][] = [];
    for (const [holder, held] of this.held) {
      if (holder.standing === standing) ranked.push([holder, costOf(held, now)]);
    }
    return ranked.sort(([, a], [, b]) => b - a).map(([holder]) => holder);
  }
}

/** What V8 keeps a text in: a byte for each character, or two when one is needed for any. */
function bytesOf(output: Output): number {
  if (typeof output !== "string") return output.length + OVERHEAD_BYTES;
  const isAscii = Buffer.byteLength(output) === output.length;
  return output.length * (isAscii ? 1 : 2) + OVERHEAD_BYTES;
}

/** Bytes times ms; of what is shared each holder has its share. */
function costOf({ own, claims, since }: Held, now: number): number {
  let bytes = own;
  for (const claim of claims) bytes += claim.cost;
  return bytes * (now - since + 1);
}
