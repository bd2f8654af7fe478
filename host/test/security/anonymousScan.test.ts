// SPDX-License-Identifier: BSD-3-Clause
// Scans by anybody, however many, over many records and with patterns that take long: others are served meanwhile.
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Session } from "../../server/access/session.ts";
import { fromPortions, jsonArray, portions } from "../../server/records/portions.ts";
import { ConcurrencyLimit } from "../../server/verbs/concurrencyLimit.ts";
import type { Line } from "../server/line.ts";
import { type Place, World } from "../server/world.ts";

const RECORDS = 20_000;
const SCANNERS = 60;
const ROUNDS = 100;
/** Takes hundreds of steps for every character of a key. */
const SLOW = "(a|.){200}[0-9][0-9][0-9][0-9][0-9][0-9]";
/** What others may have to wait at the most, ms. */
const OTHERS_WAIT = 1_000;

const nameOf = (index: number): string => `${"a".repeat(190)}${index}.demo`;

describe("twenty thousand public records", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    await alice.store.write((writer) => {
      for (let index = 0; index < RECORDS; index++) {
        writer.put(`public:${nameOf(index)}@alice`, { value: "x", metadata: {} });
      }
    });
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  it("are filtered for many at once, and everybody else is answered", async () => {
    const scanners = await Promise.all(Array.from({ length: SCANNERS }, () => alice.open()));
    const other = await alice.open();
    for (const line of scanners) line.send(`scan ${SLOW}\n`);
    let longest = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const [line, prompt] of [
        [other, "@"],
        [owner, "@alice@"],
      ] as const) {
        const start = performance.now();
        expect(await line.ask("noop:0")).toBe(`data:ok\n${prompt}`);
        longest = Math.max(longest, performance.now() - start);
      }
    }
    expect(longest).toBeLessThan(OTHERS_WAIT);
    const [first] = scanners.splice(0, 1);
    for (const line of scanners) line.close();
    // Those who hung up leave their places to others.
    expect(await other.ask("scan ^public:signing")).toBe('data:["signing_publickey@alice"]\n@');
    expect((await first?.reply())?.slice(0, 200)).toMatch(
      /^(?:data:\[\]|error:AT0003-Exception: Invalid syntax. regex takes too long)\n@$/,
    );
  });

  it("are listed to those who read while others don't", async () => {
    const idle = await Promise.all(Array.from({ length: 5 }, () => alice.open()));
    for (const line of idle) {
      line.socket.pause();
      line.send("scan\n");
    }
    const line = await alice.open();
    const answer = await line.ask("scan");
    const names: string[] = JSON.parse(answer.slice("data:".length, -"\n@".length));
    expect(names).toHaveLength(RECORDS + 1);
    expect(new Set(names).size).toBe(RECORDS + 1);
    expect(names.at(-1)).toBe("signing_publickey@alice");
    expect(names).toEqual([...names].sort());
    for (const one of idle) one.close();
  });

  it("don't lose what is put meanwhile behind the place a scan came to", async () => {
    const line = await alice.open();
    line.send("scan zz\n");
    await owner.ask("update:public:zz.demo@alice x");
    expect(await line.reply()).toMatch(/^data:\[(?:"zz\.demo@alice")?\]\n@$/);
    expect(await line.ask("scan zz")).toBe('data:["zz.demo@alice"]\n@');
  });
});

describe("a limit of what runs at the same time", () => {
  const session = (closed = false): Session => ({ closed }) as Session;

  /** Pieces that are made when the test wants it. */
  class Work {
    started = 0;
    returned = false;
    private readonly steps: (() => void)[] = [];

    async *pieces(count: number): AsyncGenerator<string, void, undefined> {
      try {
        for (let index = 0; index < count; index++) {
          this.started += 1;
          await new Promise<void>((resolve) => this.steps.push(resolve));
          yield String(index);
        }
      } finally {
        this.returned = true;
      }
    }

    async step(): Promise<void> {
      this.steps.shift()?.();
      await turn();
    }
  }

  async function read(pieces: AsyncIterable<string>): Promise<string> {
    let text = "";
    for await (const piece of pieces) text += piece;
    return text;
  }

  it("lets so many work, and the others in their order", async () => {
    const limit = new ConcurrencyLimit(2, 10);
    const works = Array.from({ length: 5 }, () => new Work());
    const read_ = works.map((work) => read(limit.limit(session(), work.pieces(1))));
    const started = (): number[] => works.map((work) => work.started);
    await turn();
    expect(started()).toEqual([1, 1, 0, 0, 0]);
    await works[1]?.step();
    expect(started()).toEqual([1, 1, 1, 0, 0]);
    await works[0]?.step();
    await works[2]?.step();
    expect(started()).toEqual([1, 1, 1, 1, 1]);
    await works[3]?.step();
    await works[4]?.step();
    expect(await Promise.all(read_)).toEqual(["0", "0", "0", "0", "0"]);
  });

  it("is given back while what was made is read", async () => {
    const limit = new ConcurrencyLimit(1, 10);
    const [slow, other] = [new Work(), new Work()];
    const pieces = limit.limit(session(), slow.pieces(2));
    const first = pieces.next();
    await turn();
    await slow.step();
    expect(await first).toEqual({ done: false, value: "0" });
    const whole = read(limit.limit(session(), other.pieces(1)));
    await turn();
    await other.step();
    expect(await whole).toBe("0");
    const second = pieces.next();
    await turn();
    await slow.step();
    expect(await second).toEqual({ done: false, value: "1" });
    await pieces.return();
    expect(slow.returned).toBe(true);
  });

  it("refuses who would wait behind too many, unless some of these have gone", async () => {
    const limit = new ConcurrencyLimit(1, 2);
    const work = new Work();
    const gone = { closed: false };
    const running = read(limit.limit(session(), work.pieces(1)));
    await turn();
    const waiting = read(limit.limit(session(), work.pieces(0)));
    const leaving = read(limit.limit(gone as Session, work.pieces(5)));
    await turn();
    await expect(read(limit.limit(session(), work.pieces(1)))).rejects.toMatchObject({
      code: "AT0028",
      message: "Too many of these commands at once, try again later",
    });
    gone.closed = true;
    const late = read(limit.limit(session(), work.pieces(0)));
    expect(await leaving).toBe("");
    await work.step();
    expect(await Promise.all([running, waiting, late])).toEqual(["0", "", ""]);
    expect(await read(limit.limit(session(), new Work().pieces(0)))).toBe("");
  });

  it("gives the place back when the work fails", async () => {
    const limit = new ConcurrencyLimit(1, 2);
    async function* fails(): AsyncGenerator<string, void, undefined> {
      yield "x";
      throw new Error("broken");
    }
    await expect(read(limit.limit(session(), fails()))).rejects.toThrow("broken");
    expect(await read(limit.limit(session(), new Work().pieces(0)))).toBe("");
  });
});

describe("what is read in portions", () => {
  const items = Array.from({ length: 200_000 }, (_, index) => index);
  const after = (place: number): Iterable<number> => items.slice(place + 1);
  const all = () => portions(after, (item) => item, -1);

  it("is complete and in order, with turns of others in between", async () => {
    let turns = 0;
    let done = false;
    const count = (): void => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    const found: number[] = [];
    for await (const portion of all()) for (const item of portion) found.push(item);
    done = true;
    expect(found).toEqual(items);
    expect(turns).toBeGreaterThan(1);
  });

  it("goes on where a portion was left, and ends when nobody asks any more", async () => {
    const found: number[] = [];
    for await (const portion of all()) {
      for (const item of portion) {
        found.push(item);
        if (item % 10_000 === 0) break;
      }
      if (found.length > 100_000) break;
    }
    expect(found).toEqual(items.slice(0, found.length));
  });

  it("becomes a JSON array, whatever the size of its pieces", async () => {
    const texts = fromPortions({ closed: false }, all(), function* (portion) {
      for (const item of portion) if (item % 3 === 0) yield `text ${item}`;
    });
    let json = "";
    for await (const piece of jsonArray(texts)) json += piece;
    expect(JSON.parse(json)).toEqual(items.filter((i) => i % 3 === 0).map((i) => `text ${i}`));
    for (const [empty, expected] of [
      [undefined, "[]"],
      ["null", "null"],
    ] as const) {
      const nothing = portions(
        () => [],
        (item) => item,
        0,
      );
      let text = "";
      for await (const piece of jsonArray(nothing, empty)) text += piece;
      expect(text).toBe(expected);
    }
  });
});
