// SPDX-License-Identifier: BSD-3-Clause
// No promise of host/ may reject unheard: by the linter's rules, and by the compiler's types where the linter sees none.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { defaults } from "../../server/config/config.ts";
import { Counters } from "../../server/config/counters.ts";
import type { Monitors } from "../../server/notifications/monitors.ts";
import { type NewNotification, Notifier } from "../../server/notifications/notifier.ts";
import type { Peers } from "../../server/peers/peers.ts";
import { openMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { findings, programOf, programOfText } from "./promiseRules.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const isProgram = (path: string): boolean =>
  path.startsWith("host/") && !path.startsWith("host/test/");

/** Each `// floating` and so on says what has to be found in its line; all other lines have to pass. */
const SAMPLE = `
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

async function work(): Promise<void> {
  await delay(1);
}
function several(): Promise<void>[] {
  return [work(), work()];
}
function fail(): void {
  throw new Error();
}
const ignore = (): void => undefined;

export async function good(signal: AbortSignal): Promise<void> {
  await work();
  await Promise.all(several());
  work().catch(ignore);
  work().then(ignore, ignore);
  const used = work();
  await used;
  const handled = work().catch(ignore);
  fail();
  await handled;
  setTimeout(() => {
    work().catch(ignore);
  }, 1);
  signal.addEventListener("abort", () => ignore());
  const results = await Promise.all([1, 2].map(async () => work()));
  if (results.length > 0) fail();
  const maybe = signal.aborted ? work() : undefined;
  if (maybe !== undefined) await maybe;
}

export async function bad(signal: AbortSignal): Promise<void> {
  work(); // floating
  void work(); // floating
  work().then(ignore); // floating
  work().finally(ignore); // floating
  work().then(ignore, ignore).finally(ignore); // floating
  once(process, "x"); // floating
  delay(5); // floating
  several(); // floating
  [1].map(async () => work()); // floating
  signal.aborted && work(); // floating
  (async () => work())(); // floating
  setTimeout(async () => work(), 1); // voidReturn
  setTimeout(() => work(), 1); // voidReturn
  setTimeout(work, 1); // voidReturn
  process.on("exit", async () => work()); // voidReturn
  signal.addEventListener("abort", () => work()); // voidReturn
  [1].forEach(async () => work()); // voidReturn
  new Promise<void>(async (resolve) => resolve()).catch(ignore); // voidReturn
  const callback: () => void = async () => work(); // voidReturn
  const listener: { onEvent: () => void } = { onEvent: work }; // voidReturn
  callback();
  listener.onEvent();
  if (work()) return; // condition
  if (!work()) return; // condition
  const answer = work() ? 1 : 2; // condition
  const kept = work(); // unwatched
  fail();
  await kept;
  await delay(answer);
}
`;

describe("promises of host/", () => {
  it("are looked at by rules that find what they are to find, and nothing else", () => {
    const wanted = SAMPLE.split("\n").flatMap((line, at) => {
      const rule = /\/\/ (\w+)$/.exec(line)?.[1];
      return rule === undefined ? [] : [`sample.ts:${at + 1} ${rule}`];
    });
    const { program, folder } = programOfText(join(root, "tsconfig.test.json"), SAMPLE);
    const found = findings(program, folder, (path) => path === "sample.ts");
    expect(found.map(({ place, rule }) => `${place} ${rule}`).sort()).toEqual(wanted.sort());
    expect(wanted.length).toBeGreaterThan(20);
  });

  it("have somebody who hears of their rejection", () => {
    const program = programOf(join(root, "tsconfig.json"), join(root, "host"));
    expect(findings(program, root, isProgram)).toEqual([]);
    expect(
      program.getSourceFiles().filter(({ fileName }) => fileName.includes("/host/")),
    ).not.toEqual([]);
  });

  it("are held to the linter's rules too, without an exception", () => {
    const { overrides } = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
    const error = { noFloatingPromises: "error", noMisusedPromises: "error" };
    const includes = ["host/**/*.ts"];
    expect(overrides).toContainEqual({ includes, linter: { rules: { nursery: error } } });
    const sources = readdirSync(join(root, "host"), { recursive: true, encoding: "utf8" });
    const excused = sources
      .filter((name) => name.endsWith(".ts") && !name.endsWith("rejectedPromises.test.ts"))
      .filter((name) => readFileSync(join(root, "host", name), "utf8").includes("biome-ignore"));
    expect(excused).toEqual([]);
  });
});

describe("a notification that can't be shown", () => {
  const notification: NewNotification = {
    id: "n",
    from: "@bob",
    to: "@alice",
    key: "@alice:x.demo@bob",
    type: "received",
    operation: "update",
    messageType: "key",
    priority: "low",
    strategy: "all",
    notifier: "SYSTEM",
    depth: 1,
    isEncrypted: false,
  };

  function notifierOn(store: Store): Notifier {
    const publish = (): never => {
      throw new RangeError("Maximum call stack size exceeded");
    };
    return new Notifier({
      store,
      monitors: { publish } as unknown as Monitors,
      peers: {} as unknown as Peers,
      tuning: defaults,
      counters: new Counters(),
      log: pino({ level: "silent" }),
      now: Date.now,
      isBlocked: () => false,
    });
  }

  // A rejection nobody hears of would end this test's process.
  it("is kept, and its sender is told of the failure", async () => {
    const store = openMemoryStore();
    const notifier = notifierOn(store);
    await expect(notifier.receive(notification)).rejects.toThrow(RangeError);
    expect(store.hasNotification("n")).toBe(true);
    await notifier.close();
  });

  it("and can't be kept either is one failure, of which its sender is told", async () => {
    const store = openMemoryStore();
    store.write = () => Promise.reject(new RangeError("too deep for the store"));
    const notifier = notifierOn(store);
    await expect(notifier.receive(notification)).rejects.toThrow(RangeError);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await notifier.isKept("n")).toBe(false);
    await notifier.close();
  });
});
