// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrolled, payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

describe("batch", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  /** Runs commands, numbered from 1, and gives what came of each. */
  const run = async (commands: unknown[], line = owner): Promise<unknown[]> => {
    const numbered = commands.map((command, i) => ({ id: i + 1, command }));
    const answers = payloadOf(await line.ask(`batch:${JSON.stringify(numbered)}`)) as {
      id: number;
      response: unknown;
    }[];
    expect(answers.map(({ id }) => id)).toEqual(numbered.map(({ id }) => id));
    return answers.map(({ response }) => response);
  };
  const syntax = { error_code: "AT0003", error_message: "Invalid syntax" };

  it("needs a login", async () => {
    expect(await (await alice.open()).ask("batch:[]")).toBe(
      "error:AT0401-Exception: Command cannot be executed without auth\n@",
    );
  });

  it("answers word for word", async () => {
    const next = alice.store.lastCommitId() + 1;
    expect(
      await owner.ask(
        'batch:[{"id":1,"command":"update:public:x@alice 1"},{"id":"b","command":"llookup:nope@alice"}]',
      ),
    ).toBe(
      `data:[{"id":1,"response":{"data":"${next}"}},{"id":"b","response":{"error_code":"AT0015","error_message":"key not found"}}]\n@alice@`,
    );
    expect(await owner.ask("batch:[]")).toBe("data:[]\n@alice@");
    expect(await owner.ask('batch:[{"command":"info:brief"},{}]')).toMatch(
      /^data:\[\{"id":null,"response":\{"data":"\{\\"version\\".*"error_code":"AT0003"/,
    );
  });

  it("runs them in order, each seeing the one before, and goes on after a failure", async () => {
    const next = alice.store.lastCommitId() + 1;
    expect(
      await run([
        "update:k.demo@alice one",
        "llookup:k.demo@alice",
        "update:public:@bob:bad@alice x",
        "delete:k.demo@alice",
        "llookup:k.demo@alice",
        "update:ttb:60000:later.demo@alice x",
        "llookup:later.demo@alice",
        "stats:3",
      ]),
    ).toEqual([
      { data: String(next) },
      { data: "one" },
      syntax,
      { data: String(next + 1) },
      { error_code: "AT0015", error_message: "key not found" },
      { data: String(next + 2) },
      {},
      { data: `[{"id":"3","name":"lastCommitID","value":"${next + 2}"}]` },
    ]);
  });

  it("leaves no command out of the answer, whatever is wrong with it", async () => {
    expect(
      await run([
        "nonsense",
        "UPDATE:x.demo@alice 1",
        "",
        7,
        null,
        "config:set:x=1",
        "enroll:approve:{",
        'enroll:fetch:{"enrollmentId":"x"}',
      ]),
    ).toEqual([
      syntax,
      syntax,
      syntax,
      syntax,
      syntax,
      { data: "testing mode disabled by default" },
      { error_code: "AT0011", error_message: "Internal server exception" },
      { error_code: "AT0015", error_message: "key not found" },
    ]);
    expect(await owner.ask("noop:0")).toBe("data:ok\n@alice@");
  });

  it("has no room for batches, monitors, streams, pol and several lines", async () => {
    const before = alice.store.lastCommitId();
    const commands = [
      "batch:[]",
      "monitor",
      "monitor:selfNotifications",
      "stream:init@bob id file 1",
      "pol",
      "update:two.demo@alice 1\n2",
      "update:two.demo@alice 1\r",
    ];
    expect(await run(commands)).toEqual(commands.map(() => syntax));
    expect(alice.store.lastCommitId()).toBe(before);
    await owner.ask("notify:@alice:quiet.demo@alice:1");
    expect(owner.rest).toBe("");
  });

  it("tells monitors of the last change, once", async () => {
    const watch = await alice.owner();
    watch.send("monitor\nnoop:0\n");
    await watch.reply();
    await run(["update:m1.demo@alice 1", "delete:m1.demo@alice", "llookup:x@alice"]);
    const last = alice.store.lastCommitId();
    await run(["llookup:x@alice"]);
    await owner.ask("update:m2.demo@alice 1");
    const stats = async (): Promise<unknown> => JSON.parse((await watch.line()).slice(14));
    expect(await stats()).toMatchObject({ id: "-1", value: String(last), operation: "delete" });
    expect(await stats()).toMatchObject({ id: "-1", value: String(last + 1) });
  });

  it("gives an enrollment no more than single commands would", async () => {
    await owner.ask("update:s.buzz@alice 1");
    const { line } = await enrolled(alice, { wavi: "rw" });
    expect(
      await run(["update:s.wavi@alice 1", "llookup:s.buzz@alice", "llookup:s.wavi@alice"], line),
    ).toEqual([
      { data: String(alice.store.lastCommitId()) },
      { error_code: "AT0009", error_message: "UnAuthorized client in request" },
      { data: "1" },
    ]);
  });

  it.each(["batch:{", 'batch:{"id":1}', "batch:1", "batch:[1]", "batch:[null]"])(
    "hangs up after %s",
    async (command) => {
      const line = await alice.owner();
      line.send(`${command}\n`);
      expect(await line.closed()).toMatch(
        /^error:AT0011-Internal server exception : FormatException: batch .*\n@alice@$/,
      );
    },
  );

  it("is nothing without commands", async () => {
    expect(await owner.ask("batch:")).toMatch(/^error:AT0003-.*Invalid syntax\. batch:/);
  });
});
