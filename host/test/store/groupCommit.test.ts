// SPDX-License-Identifier: BSD-3-Clause
import { expect, it } from "vitest";
import { GroupCommit } from "../../store/groupCommit.ts";

/** A transaction that the test opens and ends. */
class Transaction {
  readonly run: () => void;
  commit: () => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  constructor(run: () => void) {
    this.run = run;
  }
}

function groups() {
  const transactions: Transaction[] = [];
  const commit = new GroupCommit((run) => {
    const transaction = new Transaction(run);
    transactions.push(transaction);
    return new Promise((resolve, reject) => {
      transaction.commit = resolve;
      transaction.fail = reject;
    });
  });
  const at = (index: number): Transaction => transactions[index] ?? expect.fail("no transaction");
  return { commit, at, transactions };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("gathers actions until a transaction is open, and those behind it for the next", async () => {
  const { commit, at, transactions } = groups();
  const done: number[] = [];
  const write = (n: number) => commit.write(() => n).then((result) => done.push(result));
  const first = [write(1), write(2)];
  expect(transactions).toHaveLength(1);
  at(0).run();
  const second = [write(3), write(4)];
  await turn();
  expect([done, transactions.length]).toEqual([[], 1]);
  at(0).commit();
  await Promise.all(first);
  await turn();
  expect([done, transactions.length]).toEqual([[1, 2], 2]);
  at(1).run();
  at(1).commit();
  await Promise.all(second);
  expect(done).toEqual([1, 2, 3, 4]);
});

it("lets an action that throws fail alone, and not before the others are durable", async () => {
  const { commit, at } = groups();
  const fine = commit.write(() => "fine");
  const wrong = commit.write(() => {
    throw new Error("wrong");
  });
  let settled = false;
  wrong.catch(() => {
    settled = true;
  });
  at(0).run();
  await turn();
  expect(settled).toBe(false);
  at(0).commit();
  await expect(wrong).rejects.toThrow("wrong");
  expect(await fine).toBe("fine");
});

it.each([
  ["before it was open", false],
  ["when it should become durable", true],
])("fails all of a transaction that fails %s, and goes on with the next", async (_, open) => {
  const { commit, at, transactions } = groups();
  const lost = [commit.write(() => 1), commit.write(() => 2)];
  if (open) at(0).run();
  const behind = open ? commit.write(() => 3) : undefined;
  at(0).fail(new Error("disk full"));
  for (const write of lost) await expect(write).rejects.toThrow("disk full");
  await turn();
  const next = commit.write(() => 4);
  expect(transactions).toHaveLength(2);
  at(1).run();
  at(1).commit();
  expect(await next).toBe(4);
  expect(await behind).toBe(open ? 3 : undefined);
});

it("is closed when all it took is written, and takes no more", async () => {
  const { commit, at } = groups();
  const taken = [commit.write(() => 1)];
  at(0).run();
  taken.push(commit.write(() => 2));
  let closed = false;
  const closing = commit.close().then(() => {
    closed = true;
  });
  await expect(commit.write(() => 3)).rejects.toThrow("the store is closed");
  at(0).commit();
  await turn();
  expect(closed).toBe(false);
  at(1).run();
  at(1).commit();
  await closing;
  expect(await Promise.all(taken)).toEqual([1, 2]);
  await groups().commit.close();
});
