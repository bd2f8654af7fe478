// SPDX-License-Identifier: BSD-3-Clause
// JSON nested thousands deep, or of millions of brackets, from clients, peers and servers.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonObject } from "../../client/records.ts";
import { parseKeyFile } from "../../crypto/keyFile.ts";
import { parseError } from "../../wire/errors.ts";
import { jsonLimits, MAX_JSON_DEPTH } from "../../wire/json.ts";
import { formatMetadataFragment, parseMetadataFragment } from "../../wire/metadata.ts";
import type { Notification } from "../../wire/notification.ts";
import { enrolled } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { type Place, World } from "../server/world.ts";

const nested = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const base64 = (text: string): string => Buffer.from(text).toString("base64");
/** A JSON object of so many levels, as a fragment carries it. */
const application = (levels: number): string => base64(`{"a":${nested(levels - 1)}}`);

const DEEP = 6_000;
const wide = `{"a":[${"[],".repeat(100_000)}[]]}`;
const records = { isPublic: false, isBinary: false, isEncrypted: false };
const updateOf = (appMetadata: string): string =>
  `update:json:{"atKey":"j.demo","value":"1","sharedBy":"@alice","metadata":${JSON.stringify(records).slice(0, -1)},"appMetadata":${appMetadata}}}`;

describe("a client's JSON", () => {
  let world: World;
  let alice: Place;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
  });
  afterAll(() => world.close());

  it("of 6 000 levels in a notification costs its sender an error, and nobody anything else", async () => {
    const owner = await alice.owner();
    const watch = await alice.owner();
    watch.send("monitor:strict demo\nnoop:0\n");
    await watch.reply();
    const deep = `notify:id:deep:appMetadata:${application(DEEP)}:@alice:x.demo@alice:1`;
    expect(await owner.ask(deep)).toMatch(
      /^error:AT0003-Invalid syntax : Invalid syntax\. appMetadata .* nested deeper than 16 levels\n/,
    );
    expect(await owner.ask("notify:id:next:@alice:x.demo@alice:1")).toBe("data:next\n@alice@");
    expect(await watch.line()).toContain('"id":"next"');
    expect(await owner.ask("notify:list")).not.toContain('"id":"deep"');
  });

  it("is taken to exactly 16 levels", async () => {
    const owner = await alice.owner();
    const put = (levels: number): Promise<string> =>
      owner.ask(`update:appMetadata:${application(levels)}:edge.demo@alice 1`);
    expect(await put(MAX_JSON_DEPTH)).toMatch(/^data:\d+\n/);
    expect(await put(MAX_JSON_DEPTH + 1)).toMatch(/^error:AT0003/);
    const answer = await owner.ask("llookup:meta:edge.demo@alice");
    expect(answer).toContain(nested(MAX_JSON_DEPTH - 1));
    // What wraps it on its way back is within what a client of ours reads.
    const all = await owner.ask("llookup:all:edge.demo@alice");
    expect(jsonObject(all.slice("data:".length, all.indexOf("\n")))).toHaveProperty("metaData");
  });

  it.each([
    ["notify", `notify:appMetadata:${application(DEEP)}:@alice:n.demo@alice:1`, "AT0003"],
    ["notify, many", `notify:appMetadata:${base64(wide)}:@alice:n.demo@alice:1`, "AT0003"],
    ["update", `update:appMetadata:${application(DEEP)}:u.demo@alice 1`, "AT0003"],
    ["update, long", `update:appMetadata:${"A".repeat(400_000)}:u.demo@alice 1`, "AT0003"],
    ["update:meta", `update:meta:u.demo@alice:appMetadata:${application(DEEP)}`, "AT0003"],
    ["notify:all", `notify:all:appMetadata:${application(DEEP)}:@alice:n.demo@alice:1`, "AT0003"],
    ["update:json", updateOf(nested(DEEP)), "AT0022"],
    ["update:json, many", updateOf(wide), "AT0022"],
  ])("is refused with an error, and the connection stays: %s", async (_, command, code) => {
    const owner = await alice.owner();
    expect(await owner.ask(command)).toMatch(new RegExp(`^error:${code}-`));
    expect(await owner.ask("noop:0")).toBe("data:ok\n@alice@");
  });

  it.each([
    ["batch", `batch:${nested(DEEP)}`],
    ["batch, many", `batch:[${"{},".repeat(100_000)}{}]`],
    ["enroll:list", `enroll:list:{"a":${nested(DEEP)}}`],
    ["enroll:request", `enroll:request:{"metadata":{"a":${nested(DEEP)}}}`],
    ["enroll:request, many", `enroll:request:${wide}`],
    ["from", `from:@alice:clientConfig:{"a":${nested(DEEP)}}`],
    ["from, many", `from:@alice:clientConfig:${wide.slice(0, 12_000)}]}`],
    ["from, long", `from:@alice:clientConfig:{"a":"${"x".repeat(20_000)}"}`],
  ])("is refused as malformed JSON is, with AT0011 and the end: %s", async (_, command) => {
    const line = await alice.owner();
    line.send(`${command}\n`);
    expect(await line.closed()).toMatch(
      /^error:AT0011-Internal server exception : FormatException: .*(?:nested deeper|longer|more) than \d+ /,
    );
    expect(await (await alice.owner()).ask("noop:0")).toBe("data:ok\n@alice@");
  });

  it("in a record that looks like a stored key breaks no list of keys", async () => {
    const { line } = await enrolled(alice, { demo: "rw" });
    const key = "public:bad.__public_keys.__global@alice";
    await alice.store.write((writer) => {
      writer.put(key, { value: `{"enrollmentId":${nested(DEEP)}`, metadata: {} });
    });
    expect(await line.ask("keys:get:public")).toBe("data:[]\n@alice@");
  });
});

describe("what an earlier version kept", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  // As deep as a store ever took it.
  const LEVELS = 1_000;
  const appMetadata = { a: JSON.parse(nested(LEVELS)) as unknown };
  const notification: Notification = {
    id: "old",
    from: "@alice",
    to: "@alice",
    key: "@alice:old.demo@alice",
    type: "received",
    operation: "update",
    messageType: "key",
    priority: "low",
    status: "delivered",
    retryCount: 1,
    strategy: "all",
    notifier: "SYSTEM",
    depth: 1,
    createdAt: Date.now() - 1_000,
    expiresAt: Date.now() + 600_000,
    value: "1",
    isEncrypted: false,
    metadata: { appMetadata },
  };

  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner();
    await alice.store.write((writer) => {
      writer.put("old.demo@alice", { value: "1", metadata: { appMetadata, ttr: 5 } }, "*");
      writer.putNotification(notification);
    });
  });
  afterAll(() => world.close());

  it.each([
    ["llookup:meta:old.demo@alice", '"ttr":5'],
    ["llookup:all:old.demo@alice", '"data":"1"'],
    ["scan old", "old.demo@alice"],
    ["sync:from:-1:limit:10", '"atKey":"old.demo@alice"'],
    ["notify:list", '"id":"old"'],
    ["notify:fetch:old", '"id":"old"'],
  ])("is told without what is nested too deep: %s", async (command, expected) => {
    const answer = await owner.ask(command);
    expect(answer).toContain(expected);
    expect(answer).not.toContain(nested(MAX_JSON_DEPTH));
  });

  it("is replayed to a monitor", async () => {
    const watch = await alice.owner();
    watch.send(`monitor:strict:${notification.createdAt - 1} old\n`);
    const line = await watch.line();
    expect(line).toContain('"id":"old"');
    expect(line).not.toContain("appMetadata");
  });

  it("of an enrollment lists the others, and it without its metadata", async () => {
    const enrollment = {
      sessionId: "",
      appName: "a",
      deviceName: "d",
      namespaces: { demo: "rw" },
      apkamPublicKey: "K",
      requestType: "newEnrollment",
      approval: { state: "approved" },
      apkamKeysExpiryInMillis: 0,
    };
    const value = `${JSON.stringify(enrollment).slice(0, -1)},"metadata":{"a":${nested(100_000)}}}`;
    await alice.store.write((writer) =>
      writer.put("e-1.new.enrollments.__manage@alice", { value, metadata: {} }),
    );
    expect(await owner.ask("enroll:list")).toContain("e-1.new.enrollments.__manage@alice");
    const { line } = await enrolled(alice, { demo: "r" });
    expect(await line.ask("enroll:listns:demo")).toContain('"enrollmentId":"e-1"');
    expect(await line.ask("enroll:listns:demo")).not.toContain(nested(MAX_JSON_DEPTH));
  });
});

describe("a server's or a file's JSON", () => {
  it("of many levels is an answer that can't be read", () => {
    expect(() => jsonObject(`{"a":${nested(DEEP)}}`)).toThrow("can't be read");
  });

  it("as an error of many levels is an error", () => {
    const text = `{"errorCode":"AT0001","errorDescription":${nested(DEEP)}}`;
    expect(parseError(`error:${text}`)).toMatchObject({ code: "AT0011" });
  });

  it("in a key file of many levels names the file", () => {
    expect(() => parseKeyFile(`{"a":${nested(DEEP)}}`, "@alice", "alice.atKeys")).toThrow(
      "alice.atKeys is nested deeper than 16 levels",
    );
  });

  it("goes through a metadata fragment and back", () => {
    const options = parseMetadataFragment(`:appMetadata:${application(MAX_JSON_DEPTH)}`);
    expect(formatMetadataFragment(options)).toBe(`:appMetadata:${application(MAX_JSON_DEPTH)}`);
    const largest = base64(`{"a":"${"x".repeat(jsonLimits.appMetadata.characters - 8)}"}`);
    expect(parseMetadataFragment(`:appMetadata:${largest}`).appMetadata).toHaveProperty("a");
  });
});

describe("the one parser", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.startsWith("test"))
    .map((name) => [name, readFileSync(`${root}${name}`, "utf8")] as const);

  it("is the only file of host/ that calls JSON.parse", () => {
    const callers = sources.filter(([, text]) => /JSON\s*\??\.\s*parse\b|\.json\(\)/.test(text));
    expect(callers.map(([name]) => name)).toEqual(["wire/json.ts"]);
  });

  it("parses without limits only what the program wrote itself, in the places named here", () => {
    const callers = sources.filter(
      ([name, text]) => text.includes("parseOwnJson(") && name !== "wire/json.ts",
    );
    expect(callers.map(([name]) => name).sort()).toEqual([
      // Records of its own that only enroll, config and otp write.
      "server/access/blockList.ts",
      "server/access/enrollments.ts",
      "server/passcodes/passcodeSuspension.ts",
      // Lines of a program of its own.
      "store/isolated.ts",
    ]);
  });
});
