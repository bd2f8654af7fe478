// SPDX-License-Identifier: BSD-3-Clause

/**
 * Commands whose answers may be long, one for each turn of the event loop while there are any: the answers of many that come
 * at once aren't all made before the first of them is written. An owner's come first.
 */
export class LongTurns {
  private readonly owners: (() => void)[] = [];
  private readonly others: (() => void)[] = [];
  private busy = false;

  /** Resolves when it is the command's turn. */
  take(isOwner: boolean): Promise<void> {
    if (!this.busy) {
      this.busy = true;
      this.next();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      (isOwner ? this.owners : this.others).push(resolve);
    });
  }

  /** After what came of the last one was written: that is done before the event loop looks for more. */
  private next(): void {
    setImmediate(() => {
      const start = this.owners.shift() ?? this.others.shift();
      if (start === undefined) {
        this.busy = false;
        return;
      }
      start();
      this.next();
    });
  }
}
