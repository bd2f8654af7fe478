// SPDX-License-Identifier: BSD-3-Clause
import { StoreError } from "./store.ts";

/** An action that waits for its transaction. */
class Waiting<T> {
  private readonly action: () => T;
  private readonly resolve: (result: T) => void;
  readonly reject: (error: unknown) => void;
  private result: T | undefined;
  private error: unknown;
  private failed = false;

  constructor(action: () => T, resolve: (result: T) => void, reject: (error: unknown) => void) {
    this.action = action;
    this.resolve = resolve;
    this.reject = reject;
  }

  run(): void {
    try {
      this.result = this.action();
    } catch (error) {
      this.failed = true;
      this.error = error;
    }
  }

  settle(): void {
    if (this.failed) this.reject(this.error);
    else this.resolve(this.result as T);
  }
}

/**
 * Actions that come while a transaction is being made durable share the next one, and with it one flush to the disk. `transact`
 * opens one, runs its argument within, and resolves when all of that is durable.
 */
export class GroupCommit {
  private readonly transact: (run: () => void) => Promise<void>;
  private waiting: Waiting<unknown>[] = [];
  private open = false;
  private closed = false;
  private idle: (() => void)[] = [];

  constructor(transact: (run: () => void) => Promise<void>) {
    this.transact = transact;
  }

  /**
   * Resolves, or rejects with what the action threw, once the transaction is durable; rejects as the transaction does, and with
   * StoreError after `close`.
   */
  write<T>(action: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.closed) {
        reject(new StoreError("the store is closed"));
        return;
      }
      this.waiting.push(new Waiting(action, resolve, reject) as Waiting<unknown>);
      if (!this.open) this.writeWaiting();
    });
  }

  /** Takes no more; resolves when what was taken is written. */
  close(): Promise<void> {
    this.closed = true;
    return new Promise((resolve) => {
      if (this.open) this.idle.push(resolve);
      else resolve();
    });
  }

  private writeWaiting(): void {
    this.open = true;
    let group: Waiting<unknown>[] | undefined;
    const take = (): Waiting<unknown>[] => {
      group = this.waiting;
      this.waiting = [];
      return group;
    };
    const run = (): void => {
      for (const waiting of take()) waiting.run();
    };
    this.transact(run).then(
      () => {
        for (const waiting of group ?? []) waiting.settle();
        this.goOn();
      },
      (error: unknown) => {
        for (const waiting of group ?? take()) waiting.reject(error);
        this.goOn();
      },
    );
  }

  private goOn(): void {
    this.open = false;
    if (this.waiting.length > 0) this.writeWaiting();
    else for (const resolve of this.idle.splice(0)) resolve();
  }
}
