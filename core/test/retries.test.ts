// SPDX-License-Identifier: BSD-3-Clause
// Every line of core/retries.ts against a world in which it never succeeds: the pauses it makes, and how often.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { EngineFactory } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { traced } from "./engine/trace.ts";
import { approve } from "./session/approval.ts";
import { Device, Kind, State } from "./session/device.ts";
import { imported, loggedIn } from "./session/fixtures.ts";
import { command, INWARD, working } from "./session/known.ts";
import type { Count } from "./session/sealing.ts";
import { encryptValue, World } from "./session/world.ts";
import { unreadableUnder, wrapAs } from "./session/wrapping.ts";

/** Milliseconds, and how often at most; 0: as long as the session runs. */
type Retry = { first: number; factor: number; most: number; bound: number };

const source = readFileSync(new URL("../retries.ts", import.meta.url), "utf8");

/** The list as it stands in the source. */
const RETRIES = new Map<string, Retry>(
  [...source.matchAll(/^ {2}(\d+), (\d+), (\d+), (\d+), \/\/ (\w+): /gm)].map(
    ([, first, factor, most, bound, name = ""]) => [
      name,
      {
        first: 100 * Number(first),
        factor: Number(factor),
        most: 100 * Number(most),
        bound: Number(bound),
      },
    ],
  ),
);

const retry = (name: string): Retry => {
  const found = RETRIES.get(name);
  if (!found) throw new Error(`core/retries.ts has no ${name}`);
  return found;
};

/** The first so many pauses. */
const pauses = ({ first, factor, most }: Retry, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.min(most, first * factor ** i));

const gaps = (times: readonly bigint[]): number[] =>
  times.slice(1).map((time, i) => Number(time - (times[i] ?? 0n)));

const MINUTE = 60_000;
const K = "QndhgiV8AVf86jFRAsOBlPU0eZMWOym5u1xgzjPCFLc=";
const IV = "0bOJ3JEC6xo8WUlwrhrtmQ==";

function note(id: string, value: string, metadata: Record<string, unknown> = {}, from = "@bravo") {
  return {
    id,
    from,
    key: `@alpha:temp.demo${from}`,
    value,
    operation: "update",
    isEncrypted: true,
    metadata: { ivNonce: IV, ...metadata },
  };
}

/** Times at which lines that match were sent, from now on. */
function timesOf(world: World, device: Device, line: RegExp): bigint[] {
  const times: bigint[] = [];
  const before = world.hook;
  world.hook = (text, connection) => {
    if (line.test(text)) times.push(device.now);
    return before(text, connection);
  };
  return times;
}

const isSpread = (gap: number, pause: number) => gap >= pause / 2 && gap <= pause;

/** What each retry has to do, by its name. */
const CASES: Record<string, (factory: EngineFactory, row: Retry) => Promise<void>> = {
  async Directory(factory, row) {
    const device = await imported(factory, new World());
    device.offline = true;
    device.start();
    const times: bigint[] = [];
    let opened = 0;
    device.until(() => {
      if (device.opened.length > opened) times.push(device.now);
      opened = device.opened.length;
      return device.state() === State.pausing;
    });
    expect(times.length).toBe(row.bound);
    expect(gaps(times)).toEqual(pauses(row, row.bound - 1));
    expect(device.of("state").at(-1)).toMatchObject({ status: State.pausing, op: -23 });
  },

  async Link(factory, row) {
    // An atServer that hangs up as soon as somebody has logged in: a login that succeeds is no reason to hurry.
    const world = new World();
    const device = await imported(factory, world);
    world.hook = (line) => (line.startsWith("scan") ? "cut" : undefined);
    const ends = timesOf(world, device, /^scan/);
    const logins = timesOf(world, device, /^from:/);
    device.start();
    device.operate(Kind.scan);
    device.until(() => ends.length >= 9);
    const waited = logins.slice(1).map((login, i) => Number(login - (ends[i] ?? 0n)));
    pauses(row, 8).forEach((pause, i) => {
      expect(isSpread(waited[i] ?? 0, pause), `${waited[i]} after ${pause}`).toBe(true);
    });
    expect(device.of("state").filter((e) => e.status === State.pausing).length).toBeGreaterThan(7);
    // A link that held begins anew.
    world.hook = () => undefined;
    device.until(() => device.state() === State.ready);
    device.advance(row.most);
    const again = timesOf(world, device, /^from:/);
    const cut = device.now;
    device.cut();
    device.until(() => device.state() === State.ready);
    expect(isSpread(Number((again[0] ?? 0n) - cut), row.first)).toBe(true);
  },

  async Approval(factory, row) {
    const world = new World();
    world.passcodes.add("ABC123");
    const device = await Device.open(factory, world);
    device.init();
    device.configure();
    device.start();
    const op = device.operate(Kind.enroll);
    device.until(() => device.state() === State.approval);
    const times = timesOf(world, device, /^from:/);
    times.push(device.now);
    device.until(() => times.length > 8);
    expect(gaps(times)).toEqual(pauses(row, 8));
    expect(device.of("operation").filter((e) => e.op === op)).toEqual([]);
    // Longer than an atServer keeps a request.
    expect(row.bound * row.most).toBeGreaterThan(48 * 3_600_000);
  },

  async Monitor(factory, row) {
    // An atServer that answers each request with a key to be looked up and one more notification that has to wait.
    const { world, device } = await loggedIn(factory, { monitor: true });
    let count = 0;
    const burst = () => {
      const value = encryptValue("x", K, IV);
      for (let i = 0; i < 2; i++, count++) {
        const line = note(`n${count}`, value, {}, `@peer${count}`);
        world.connections.at(-1)?.out.push(`notification: ${JSON.stringify(line)}\n`);
      }
    };
    world.hook = (line) => {
      if (line.startsWith("monitor")) burst();
      return undefined;
    };
    const times = timesOf(world, device, /^monitor/);
    device.advance(2 * row.most);
    burst();
    device.until(() => times.length > 9);
    // The first at once.
    expect(gaps(times).slice(0, 9)).toEqual(pauses(row, 9));
  },

  async KnownKey(factory, row) {
    const { world, device } = await loggedIn(factory, { monitor: true });
    world.records.set("@alpha:shared_key@bravo", { value: wrapAs(K) });
    world.records.set("shared_key.bravo@alpha", { value: wrapAs(K) });
    const theirs = timesOf(world, device, /^lookup:shared_key@bravo$/);
    const publics = timesOf(world, device, /^plookup:publickey@bravo$/);
    for (let i = 0; i <= 120; i++) {
      world.notify(note(`n${i}`, encryptValue("x", K, IV)));
      device.finish(Kind.notify, "@bravo:temp.demo@alpha", "21.5");
      device.advance(60_000);
    }
    expect(gaps(theirs)).toEqual([row.first, row.first]);
    expect(gaps(publics)).toEqual([row.first, row.first]);
  },

  async MissingKey(factory, row) {
    const { world, device } = await loggedIn(factory, { monitor: true });
    world.records.set("shared_key.bravo@alpha", { value: wrapAs(K) });
    world.records.delete("public:publickey@bravo");
    const theirs = timesOf(world, device, /^lookup:shared_key@bravo$/);
    const publics = timesOf(world, device, /^plookup:publickey@bravo$/);
    for (let i = 0; i <= 120; i++) {
      world.notify(note(`n${i}`, encryptValue("x", K, IV)));
      device.finish(Kind.notify, "@bravo:temp.demo@alpha", "21.5");
      device.advance(5000);
    }
    expect(gaps(theirs)).toEqual([row.first, row.first]);
    expect(gaps(publics)).toEqual([row.first, row.first]);
    expect(device.of("notice").length).toBe(121);
  },

  async WrappedKey(factory, row) {
    const { world, device } = await loggedIn(factory, { monitor: true });
    const keys = Array.from({ length: row.bound + 2 }, (_, i) => Buffer.alloc(32, i + 1));
    const read = keys.map((bytes, i) => {
      const key = bytes.toString("base64");
      const text = keys.reduce(
        (t, other) => (other === bytes ? t : unreadableUnder(other.toString("base64"), key, t, IV)),
        `value ${i}`,
      );
      // The last one after a pause.
      if (i === row.bound + 1) device.advance(row.first);
      world.notify(note(`n${i}`, encryptValue(text, key, IV), { sharedKeyEnc: wrapAs(key) }));
      device.settle();
      return device.of("notification").some((e) => e.value === text);
    });
    expect(read).toEqual(keys.map((_, i) => i !== row.bound));
  },

  async Request(factory, row) {
    // Every reply breaks the link: the operation begins again each time.
    const { world, device } = await loggedIn(factory);
    const own = /^(llookup|plookup|update)/;
    world.hook = (line) => (own.test(line) ? "answer and cut" : undefined);
    const times = timesOf(world, device, own);
    const op = device.operate(Kind.put, "@bravo:x.demo@alpha", "x");
    const ended = () => device.of("operation").some((e) => e.op === op);
    for (let minutes = 0; minutes < 60 && !ended(); minutes++) device.advance(60_000);
    expect(times.length).toBe(row.bound);
    expect(device.of("operation")).toMatchObject([{ op, status: -41 }]);
  },

  async Unanswered(factory, row) {
    const { world, device } = await loggedIn(factory);
    world.hook = (line) => (line.startsWith("scan") ? "" : undefined);
    const times = timesOf(world, device, /^scan/);
    expect(device.finish(Kind.scan).status).toBe(-24);
    expect(times.length).toBe(row.bound);
  },

  async Epoch(factory, row) {
    const full = (from: number) => Array.from({ length: 8 }, (_, i): Count => [from + i, 1]);
    const { world, device } = await working(factory, { monitor: true, taken: full(1) });
    const epoch = () => Buffer.from(device.store.get(3)?.subarray(4 + 184, 4 + 200) ?? []);
    /** A client that finds no place: whether it is obeyed, under another epoch. */
    const onceMore = (instance: number) => {
      const before = epoch();
      command(world, [instance, 1], "new", { direction: { ...INWARD, epoch: before } });
      device.settle();
      const isNew = !epoch().equals(before);
      expect(device.of("notification").length + device.of("notice").length).toBe(count + 1);
      count++;
      expect(device.of("notification").at(-1)?.value === "new" && isNew).toBe(isNew);
      return isNew;
    };
    let count = 0;
    const fill = (from: number) => {
      for (const c of full(from))
        command(world, c, "fill", { direction: { ...INWARD, epoch: epoch() } });
      device.settle();
      count += 8;
    };
    for (let i = 0; i < row.bound; i++) {
      expect(onceMore(1000 + i)).toBe(true);
      fill(100 * i + 100);
    }
    expect(onceMore(2000)).toBe(false);
    device.advance(row.first - MINUTE);
    expect(onceMore(2001)).toBe(false);
    device.advance(MINUTE);
    expect(onceMore(2002)).toBe(true);
  },

  async Table(factory, row) {
    const { world, device } = await working(factory, { monitor: true });
    const table = () => Buffer.from(device.store.get(4) ?? []).readUIntBE(20, 6) % 2 ** 28;
    let n = 0;
    const stored = () => {
      command(world, [7, ++n], "x");
      device.settle();
      return table();
    };
    for (let i = 0; i < row.bound; i++) expect(stored()).toBe(n);
    // From here on ahead, further each time.
    for (const ahead of [32, 64, 128]) {
      const to = n + 1 + ahead;
      while (n < to) expect(stored()).toBe(to);
    }
    device.advance(row.first);
    expect(stored()).toBe(n);
    expect(device.of("notification").length).toBe(n);
    device.advance(row.first * row.bound);
    for (let i = 0; i < row.bound; i++) expect(stored()).toBe(n);
    expect(stored()).toBe(n + 32);
  },
};

test("every retry of the list has a case, and every case is of the list", () => {
  const names = [...(/enum Retry \{([^}]*)\}/.exec(source)?.[1] ?? "").matchAll(/(\w+) = (\d+)/g)];
  expect(names.map(([, name]) => name)).toEqual([...RETRIES.keys()]);
  expect(names.map(([, , number]) => Number(number))).toEqual(names.map((_, i) => i));
  expect(Object.keys(CASES)).toEqual([...RETRIES.keys()]);
});

test("nothing pauses but by the list", () => {
  const folder = new URL("../session/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const calls = files
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => [
      ...readFileSync(new URL(name, folder), "utf8").matchAll(/^.*\b(?:pause|randomJitter)\(.*$/gm),
    ]);
  const lines = calls.map(([line]) => line.trim()).filter((line) => !line.includes("function "));
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.filter((line) => !line.includes("retryPause(Retry."))).toEqual([]);
});

for (const factory of engines) {
  describe(`retries on ${factory.name}`, () => {
    for (const [name, run] of Object.entries(CASES)) {
      test(name, () => run(factory, retry(name)));
    }

    test("a peer without a public key is asked for once an operation, and its failure is told", async () => {
      const { world, device } = await loggedIn(factory);
      world.records.delete("public:publickey@bravo");
      const times = timesOf(world, device, /^plookup/);
      for (let i = 1; i <= 5; i++) {
        const event = device.finish(Kind.put, "@bravo:x.demo@alpha", "x");
        expect(event).toMatchObject({ status: -32 });
        expect(event.error).toMatch(/^AT0015/);
        expect(times.length).toBe(i);
      }
      world.hook = (line) => (line.startsWith("plookup") ? "data:null\n@alpha@" : undefined);
      expect(device.finish(Kind.put, "@bravo:x.demo@alpha", "x").status).toBe(-13);
    });

    test("a notification too long to be kept until its key comes is told, not asked for again", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      const times = timesOf(world, device, /^monitor/);
      world.notify(note("n", "A".repeat(3700)));
      device.advance(60_000);
      expect(device.of("notice")).toMatchObject([{ id: "n", status: -7 }]);
      expect(times).toEqual([]);
    });
  });
}

/** The core with another bound in a line of the list. */
function withBound(name: string, bound: number): WebAssembly.Module {
  const wasm = readFileSync(new URL("../../build/primitives.wasm", import.meta.url));
  const { first, factor, most, bound: usual } = retry(name);
  const row = Buffer.from(Uint16Array.of(first / 100, factor, most / 100, usual).buffer);
  const at = wasm.indexOf(row);
  expect(at).toBeGreaterThan(0);
  expect(wasm.indexOf(row, at + 1)).toBe(-1);
  wasm.writeUInt16LE(bound, at + 6);
  return new WebAssembly.Module(wasm);
}

test("an approval that never comes ends the session, and a new start goes on waiting", async () => {
  const module = withBound("Approval", 12);
  const world = new World();
  world.passcodes.add("ABC123");
  const device = await Device.open({ name: "v8", open: async (hal) => traced(module, hal) }, world);
  device.init();
  device.configure();
  device.start();
  const op = device.operate(Kind.enroll);
  expect(device.finished(op).status).toBe(-27);
  expect(world.lines.filter((line) => line.startsWith("pkam:")).length).toBe(12);
  expect(device.of("state").at(-1)).toMatchObject({ status: State.stopped, op: -27 });
  expect(device.of("state").at(-1)?.error).toMatch(/is pending$/);
  expect(device.start()).toBe(0);
  device.until(() => device.state() === State.approval);
  approve(world);
  device.until(() => device.state() === State.ready);
  expect(world.enrollments.size).toBe(1);
});
