// SPDX-License-Identifier: BSD-3-Clause

interface Waiting {
  /** Runs the action; gives what settles its promise once all is durable. */
  run(): () => void;
  fail(error: unknown): void;
}

/**
 * Actions that come before a transaction is open share it, and with it one flush to the disk. `transact` opens one, runs its
 * argument within, and resolves when all of that is durable.
 */
export class GroupCommit {
  private readonly transact: (run: () => void) => Promise<void>;
  private waiting: Waiting[] = [];

  constructor(transact: (run: () => void) => Promise<void>) {
    this.transact = transact;
  }

  /** Resolves, or rejects with what the action threw, once the transaction is durable; rejects as the transaction does. */
  write<T>(action: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = (): (() => void) => {
        try {
          const result = action();
          return () => resolve(result);
        } catch (error) {
          return () => reject(error);
        }
      };
      if (this.waiting.push({ run, fail: reject }) === 1) this.open();
    });
  }

  private open(): void {
    let group = this.waiting;
    let settle: (() => void)[] = [];
    const run = (): void => {
      group = this.waiting;
      this.waiting = [];
      settle = group.map((waiting) => waiting.run());
    };
    this.transact(run).then(
      () => {
        for (const durable of settle) durable();
      },
      (error: unknown) => {
        if (this.waiting === group) this.waiting = [];
        for (const { fail } of group) fail(error);
      },
    );
  }
}
