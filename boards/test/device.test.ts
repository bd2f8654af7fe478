// SPDX-License-Identifier: BSD-3-Clause
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Core } from "../../device/js/core.ts";
import { SimulatedDevice } from "../../device/js/device.ts";
import type { LinkEvents } from "../../device/js/link.ts";
import { Greenhouse } from "../app/greenhouse/greenhouse.ts";
import { ScriptedCore } from "./scriptedCore.ts";

/** A link in memory: the test is its other end. */
class PipeLink {
  readonly address: string;
  readonly events: LinkEvents;
  sent = "";
  full = false;
  isClosed = false;
  #toRead = Buffer.alloc(0);

  constructor(address: string, events: LinkEvents) {
    this.address = address;
    this.events = events;
  }

  read(max: number): Uint8Array {
    const bytes = this.#toRead.subarray(0, max);
    this.#toRead = this.#toRead.subarray(max);
    return bytes;
  }

  write(bytes: Uint8Array): number {
    if (this.full) return 0;
    this.sent += Buffer.from(bytes).toString();
    return bytes.length;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The other end sends. */
  arrive(text: string): void {
    this.#toRead = Buffer.concat([this.#toRead, Buffer.from(text)]);
    this.events.ready();
  }

  get lines(): string[] {
    return this.sent.split("\n").slice(0, -1);
  }

  /** The last operation sent, numbers as core/README.md gives them. */
  get operation(): { number: number; kind: number; key: string; value: string; ttl: number } {
    return JSON.parse(this.lines.at(-1) ?? "");
  }
}

type Reported = Readonly<Record<string, unknown>>;

/** Turns of the event loop until a condition holds. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("it did not happen");
}

const IDENTITY = {
  peer: "@alice",
  atSign: "@greenhouse",
  directory: "localhost:64",
  app: "sensor",
  device: "sim",
  namespaces: { greenhouse: "rw" },
};

function setUp(passcode: string | null = "ABC123") {
  const core = new ScriptedCore();
  const links: PipeLink[] = [];
  const reported: Reported[] = [];
  const failed = vi.fn();
  const app = new Greenhouse({
    peer: "@alice",
    namespace: "greenhouse",
    intervalMs: 1000,
    measure: () => ({ load: 0.5, temperatureC: 21.5 }),
  });
  const device = new SimulatedDevice({
    core: new Core(core),
    identity: IDENTITY,
    app,
    openLink: (address, events) => {
      const link = new PipeLink(address, events);
      links.push(link);
      return link;
    },
    report: (event) => reported.push(event),
    figures: () => ({ coreBytes: 1 }),
    passcode: async () => passcode,
    onFailed: failed,
  });
  const link = () => {
    const last = links.at(-1);
    if (!last) throw new Error("no link was opened");
    return last;
  };
  const finish = (status: number, error?: string) =>
    link().arrive(`${JSON.stringify({ done: link().operation.number, status, error })}\n`);
  const events = (name: string) => reported.filter(({ event }) => event === name);
  /** Runs the device until its first reading is being notified. */
  const makeReady = async () => {
    device.run();
    await until(() => links.length === 1);
    link().events.opened();
    await until(() => link().sent === "hello\n");
    link().arrive("welcome\n");
    await until(() => link().lines.length === 2);
  };
  return { core, links, link, reported, events, failed, device, finish, makeReady };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});

afterEach(() => {
  vi.useRealTimers();
});

const READING = '{"n":1,"load":0.5,"temperatureC":21.5}';

describe("the simulated device", () => {
  it("notifies and stores a reading an interval, and reports it with its figures", async () => {
    const { link, finish, makeReady, events, core } = setUp();
    await makeReady();
    expect([...core.configured]).toEqual([
      [1, "@greenhouse"],
      [2, "localhost:64"],
      [3, "sensor"],
      [4, "sim"],
      [5, '{"greenhouse":"rw"}'],
      // As before there were pins.
      [15, "@alice *"],
    ]);
    const key = "@alice:reading.greenhouse@greenhouse";
    expect(link().operation).toEqual({ number: 1, kind: 6, key, value: READING, ttl: 0 });
    finish(0);
    await until(() => link().lines.length === 3);
    expect(link().operation).toEqual({
      number: 2,
      kind: 2,
      key: "@alice:latest.greenhouse@greenhouse",
      value: READING,
      ttl: 60_000,
    });
    finish(0);
    await until(() => events("stats").length === 3);
    expect(events("reading")).toEqual([
      { event: "reading", notified: true, stored: true, ...JSON.parse(READING) },
    ]);
    expect(events("stats")).toEqual([
      { event: "stats", coreBytes: 1, linesSent: 0, linesReceived: 0 },
      { event: "stats", coreBytes: 1, linesSent: 1, linesReceived: 1 },
      { event: "stats", coreBytes: 1, linesSent: 3, linesReceived: 3 },
    ]);
    vi.advanceTimersByTime(999);
    expect(link().lines.length).toBe(3);
    vi.advanceTimersByTime(1);
    await until(() => link().lines.length === 4);
    expect(JSON.parse(link().operation.value).n).toBe(2);
  });

  it("enrols with the passcode when nothing is stored", async () => {
    const { core, links, link, finish, events, device, reported } = setUp();
    core.enrolled = false;
    device.run();
    await until(() => links.length === 1);
    expect(core.configured.get(12)).toBe("ABC123");
    link().events.opened();
    await until(() => link().lines.length === 2);
    expect(link().operation).toEqual({ number: 1, kind: 1, key: "", value: "", ttl: 0 });
    link().arrive("welcome\n");
    finish(0);
    await until(() => link().lines.length === 3);
    expect(link().operation.kind).toBe(6);
    const told = reported.filter(({ event }) => event !== "stats");
    expect(told.slice(0, 3)).toEqual([
      { event: "state", state: "connecting" },
      { event: "state", state: "ready" },
      { event: "enrolled" },
    ]);
    expect(JSON.stringify(events("state")) + JSON.stringify(reported)).not.toContain("ABC123");
  });

  it("says why an enrolment failed", async () => {
    const { core, links, link, finish, events, device, failed } = setUp();
    core.enrolled = false;
    device.run();
    await until(() => links.length === 1);
    link().events.opened();
    await until(() => link().lines.length === 2);
    finish(-31, "AT0011 invalid otp");
    await until(() => failed.mock.calls.length > 0);
    expect(events("error")).toEqual([
      { event: "error", message: "enrolling: BadPasscode (AT0011 invalid otp)" },
    ]);
  });

  it("fails without identity and passcode", async () => {
    const { core, device, events, failed } = setUp(null);
    core.enrolled = false;
    await device.run();
    expect(failed).toHaveBeenCalledTimes(1);
    expect(events("error")[0]?.message).toBe(
      "the device is not enrolled and was given no one-time passcode",
    );
  });

  it("doesn't obey a command that came unencrypted, and asks for none such", async () => {
    const { link, core, makeReady, events } = setUp();
    await makeReady();
    const key = "@greenhouse:command.greenhouse@alice";
    const value = '{"id":1,"set":"interval","ms":300}';
    const note = { from: "@alice", key, value, operation: "update", id: "1" };
    link().arrive(`${JSON.stringify({ note, status: 1, verdict: 0 })}\n`);
    await until(() => events("error").length === 1);
    expect(events("error")).toEqual([
      { event: "error", message: "ignored a command that was not encrypted" },
    ]);
    expect(events("command")).toEqual([]);
    expect(core.configured.has(14)).toBe(false);
  });

  it("obeys its peer, answers bad commands and ignores others", async () => {
    const { link, finish, makeReady, events } = setUp();
    await makeReady();
    const send = (from: string, value: string, key = "@greenhouse:command.greenhouse@alice") =>
      link().arrive(
        `${JSON.stringify({ note: { from, key, value, operation: "update", id: "1" } })}\n`,
      );
    send("@mallory", '{"id":1,"set":"interval","ms":200}');
    send("@alice", '{"id":2,"set":"interval","ms":250}', "@greenhouse:other.greenhouse@alice");
    send("@alice", '{"id":3,"set":"interval","ms":300}');
    send("@alice", '{"id":"four","set":"interval","ms":199}');
    await until(() => events("command").length === 2);
    const verdict = { authenticated: true, fresh: true, pin: "provisioned" };
    expect(events("command")).toEqual([
      { event: "command", id: 3, ok: true, intervalMs: 300, ...verdict },
      {
        ...verdict,
        event: "command",
        id: "four",
        ok: false,
        error: "ms must be a whole number from 200 to 3600000",
      },
    ]);
    expect(events("error")).toEqual([
      { event: "error", message: "ignored a command from @mallory" },
    ]);
    const values: string[] = [];
    for (let lines = 3; lines <= 5; lines++) {
      finish(0);
      await until(() => link().lines.length === lines);
      values.push(`${link().operation.key} ${link().operation.value}`);
    }
    expect(values.slice(0, 2)).toEqual([
      '@alice:reply.greenhouse@greenhouse {"id":3,"ok":true,"intervalMs":300}',
      '@alice:reply.greenhouse@greenhouse {"id":"four","ok":false,"error":"ms must be a whole number from 200 to 3600000"}',
    ]);
    finish(0);
    vi.advanceTimersByTime(300);
    await until(() => link().lines.length === 6);
    expect(JSON.parse(link().operation.value).n).toBe(2);
  });

  it("stops on request: session first, figures last, nothing after", async () => {
    const { core, link, reported, makeReady, device, failed } = setUp();
    await makeReady();
    device.stop();
    expect(core.calls.at(-1)).toBe("session_stop");
    expect(link().isClosed).toBe(true);
    expect(reported.at(-1)?.event).toBe("stats");
    const count = reported.length;
    const polls = core.polls;
    link().arrive("welcome\n");
    vi.advanceTimersByTime(100_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reported).toHaveLength(count);
    expect(core.polls).toBe(polls);
    expect(failed).not.toHaveBeenCalled();
  });

  it("fails with the trap's text when the core traps", async () => {
    const { core, link, makeReady, events, failed, device } = setUp();
    await makeReady();
    core.trapNext = true;
    link().arrive("x");
    await until(() => failed.mock.calls.length === 1);
    expect(events("error")).toEqual([
      {
        event: "error",
        message: "the core stopped: session_poll: [trap] unreachable executed",
      },
    ]);
    expect(link().isClosed).toBe(true);
    device.stop();
    expect(core.calls).not.toContain("session_stop");
  });
});

describe("the board loop", () => {
  it("does not poll while nothing happens, and polls again when the delay is over", async () => {
    const { core, makeReady, finish, link, events } = setUp();
    await makeReady();
    finish(0);
    await until(() => link().lines.length === 3);
    finish(0);
    await until(() => events("stats").length === 3);
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    const polls = core.polls;
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(core.polls).toBe(polls);
  });

  it("never hands the core more than it has room for", async () => {
    const { core, link, makeReady, events } = setUp();
    core.rxRoom = 3;
    await makeReady();
    const note = {
      from: "@mallory",
      key: "@greenhouse:command.greenhouse@alice",
      value: "x",
      operation: "update",
    };
    link().arrive(`${JSON.stringify({ note })}\n`);
    await until(() => events("error").length === 1);
    expect(events("error")[0]?.message).toBe("ignored a command from @mallory");
  });

  it("keeps what a full link did not take, and sends it when the link has room", async () => {
    const { links, link, device } = setUp();
    device.run();
    await until(() => links.length === 1);
    link().full = true;
    link().events.opened();
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(link().sent).toBe("");
    link().full = false;
    link().events.ready();
    await until(() => link().sent === "hello\n");
  });

  it("tells the core of a link that failed, and the parent why", async () => {
    const { core, links, link, device, events } = setUp();
    device.run();
    await until(() => links.length === 1);
    link().events.failed("its certificate has expired");
    await until(() => events("state").length === 2);
    expect(core.calls).toEqual(["link_failed"]);
    expect(events("state")[1]).toEqual({ event: "state", state: "pausing" });
    expect(events("error")).toEqual([
      { event: "error", message: "link to somewhere:64: its certificate has expired" },
    ]);
  });

  it("hands over the last bytes of a link before it tells of its end", async () => {
    const { core, link, makeReady, events, links } = setUp();
    await makeReady();
    const note = {
      from: "@mallory",
      key: "@greenhouse:command.greenhouse@alice",
      value: "x",
      operation: "update",
    };
    link().arrive(`${JSON.stringify({ note })}\n`);
    link().events.closed("the other side closed it");
    await until(() => events("state").length === 3);
    expect(core.calls).toEqual(["link_opened", "link_closed"]);
    expect(events("error").map(({ message }) => message)).toContain(
      "ignored a command from @mallory",
    );
    core.link = "wanted";
    vi.advanceTimersByTime(60_000);
    await until(() => links.length === 2);
  });
});
