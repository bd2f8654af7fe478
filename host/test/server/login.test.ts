// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NEWCOMER_PLACES } from "../../server/connection/inbound.ts";
import { bytes, Line } from "./line.ts";
import { challengeOf, identity, type Place, pkamLine, signChallenge, World } from "./world.ts";

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

describe("transport, prompts and logins", () => {
  let world: World;
  let alice: Place;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
  });
  afterAll(() => world.close());

  it.each([
    "from:@alice",
    "from:alice",
    "FROM:@alice",
    'from:@alice:clientConfig:{"version":"3.0.57"}',
  ])("answers %s with a challenge", async (command) => {
    const line = await alice.open();
    expect(await line.ask(command)).toMatch(new RegExp(`^data:_${UUID}@alice:${UUID}\n@$`));
  });

  it.each([
    ["", "error:AT0003-Exception: invalid command\n@"],
    ["nonsense", "error:AT0003-Exception: invalid command\n@"],
    [
      "update:public:x@alice v",
      "error:AT0401-Exception: Command cannot be executed without auth\n@",
    ],
    [
      "scan@",
      "error:AT0003-Exception: Invalid syntax. scan[:cl][:showhidden:<true|false>][:@<atSign>][ <regex>]\n@",
    ],
    [
      "scan:@bob",
      "error:AT0401-Exception: Scan to another atSign cannot be performed without auth\n@",
    ],
    [
      "notify:@bob:k@alice",
      "error:AT0401-Exception: Notify command cannot be executed without authentication\n@",
    ],
    ["keys:get:self", "error:AT0401-Exception: Command cannot be executed without auth\n@"],
    [
      "lookup:private@alice",
      "error:AT0015-Exception: public:private@alice does not exist in keystore\n@",
    ],
    ["noop:10", "data:ok\n@"],
    [
      "noop:5001",
      "error:AT0022-Exception: noop:<durationInMillis> where the duration maximum is 5000 milliseconds\n@",
    ],
    [
      'enroll:revoke:{"enrollmentId":"x"}',
      "error:AT0401-Exception: Cannot revoke enrollment without authentication\n@",
    ],
    ["SCAN", 'data:["signing_publickey@alice"]\n@'],
    ["notify:list", "data:null\n@"],
  ])("anybody: %s", async (command, reply) => {
    const line = await alice.open();
    expect(await line.ask(command)).toBe(reply);
  });

  it("hangs up without a word on @exit", async () => {
    const line = await alice.open();
    line.send("@exit\n");
    expect(await line.closed()).toBe("");
  });

  it("takes CR LF, and runs lines that come together in order, one reply a chunk", async () => {
    const line = await alice.open();
    expect(await line.ask("info:brief\r")).toMatch(
      /^data:\{"version":"3\.0\.52","uptimeAsMillis":\d+\}\n@$/,
    );
    line.send("noop:20\nnoop:0\nnope\n");
    expect(await line.reply()).toBe("data:ok\n@");
    expect(await line.reply()).toBe("data:ok\n@");
    expect(await line.reply()).toBe("error:AT0003-Exception: invalid command\n@");
  });

  it("puts reply and prompt into one write", async () => {
    const line = await alice.open();
    await line.ask("noop:0");
    expect(line.chunks).toEqual(["@", "data:ok\n@"]);
  });

  it("ignores a line that is not UTF-8", async () => {
    const line = await alice.open();
    line.send(bytes(0xff, 0xfe, 0x0a));
    expect(await line.ask("noop:0")).toBe("data:ok\n@");
    expect(line.rest).toBe("");
  });

  it("logs in with cram and refuses a wrong digest without hanging up", async () => {
    const line = await alice.cram();
    expect(await line.ask("llookup:privatekey@alice")).toContain("AT0015");
    const other = await alice.open();
    await other.ask("from:@alice");
    const wrong = "error:AT0401-Exception: Authentication Failed\n@";
    expect(await other.ask(`cram:${"0".repeat(128)}`)).toBe(wrong);
    expect(await other.ask("cram:short")).toBe(wrong);
    expect(await other.ask("noop:0")).toBe("data:ok\n@");
  });

  it("uses a challenge once", async () => {
    const line = await alice.owner();
    const { privateKey } = identity("@alpha");
    const command = await pkamLine(line, "@alice", privateKey);
    expect(await line.ask(command)).toBe("data:success\n@alice@");
    expect(await line.ask(command)).toBe("error:AT0401-Exception: pkam authentication failed\n@");
  });

  it("logs in ten times in a row on one connection", async () => {
    const line = await alice.owner();
    for (let i = 0; i < 10; i++) {
      expect(await line.ask(await pkamLine(line, "@alice", identity("@alpha").privateKey))).toBe(
        "data:success\n@alice@",
      );
    }
  });

  it("verifies every form of an RSA signature", async () => {
    const line = await alice.owner();
    const { privateKey } = identity("@alpha");
    const from = async (): Promise<string> => challengeOf(await line.ask("from:@alice"));
    const sha256 = "signingAlgo:rsa2048:hashingAlgo:sha256";
    expect(await line.ask(`pkam:${sha256}:${signChallenge(privateKey, await from())}`)).toBe(
      "data:success\n@alice@",
    );
    const sha512 = signChallenge(privateKey, await from(), "sha512");
    expect(await line.ask(`pkam:hashingAlgo:sha512:${sha512}`)).toBe("data:success\n@alice@");
    const urlSafe = signChallenge(privateKey, await from())
      .replaceAll("+", "-")
      .replaceAll("/", "_");
    expect(await line.ask(`pkam:${urlSafe}`)).toBe("data:success\n@alice@");
    const wrong = signChallenge(privateKey, `${await from()}x`);
    expect(await line.ask(`pkam:${wrong}`)).toBe(
      "error:AT0401-Exception: pkam authentication failed\n@",
    );
    expect(await line.ask("scan")).toBe('data:["signing_publickey@alice"]\n@');
  });

  it("hangs up on a signature that is not base64", async () => {
    const line = await alice.owner();
    await line.ask("from:@alice");
    line.send("pkam:signingAlgo:rsa2047:hashingAlgo:sha256:AAAA\n");
    expect(await line.closed()).toMatch(
      /^error:AT0011-Internal server exception : FormatException.*\n@alice@$/,
    );
  });

  it("wants from before pkam and pol", async () => {
    await alice.owner();
    const line = await alice.open();
    expect(await line.ask("pkam:AAAA")).toBe(
      "error:AT0401-Exception: pkam authentication failed\n@",
    );
    line.send("pol\n");
    expect(await line.closed()).toBe(
      "error:AT0011-Exception: Exception: You must execute a 'from:' command before you may run the pol command\n@",
    );
  });

  it("refuses from of another atSign without a certificate, and an unknown one", async () => {
    await world.directoryStore.set("@bob", { host: "localhost", port: 1 });
    const line = await alice.open();
    expect(await line.ask("from:@bob")).toBe(
      "error:AT0401-Exception: Certificate Verification Failed\n@",
    );
    expect(await line.ask("from:@nobody")).toBe(
      "error:AT0007-Exception: Unable to find secondary address for atSign:nobody\n@",
    );
  });

  it.each([
    ["3.0.37", "error:AT0003-Invalid syntax : invalid command\n@alice@"],
    [
      "3.0.38",
      'error:{"errorCode":"AT0003","errorDescription":"Invalid syntax : invalid command"}\n@alice@',
    ],
    [
      "3.1.0",
      'error:{"errorCode":"AT0003","errorDescription":"Invalid syntax : invalid command"}\n@alice@',
    ],
  ])("writes errors as client version %s wants them", async (version, reply) => {
    const line = await alice.owner(version);
    expect(await line.ask("lokup:public:x@alice")).toBe(reply);
  });

  it("goes on writing errors as JSON after a from without a version", async () => {
    const line = await alice.owner("3.0.57");
    await line.ask("from:@alice");
    expect(await line.ask("nope")).toMatch(/^error:\{"errorCode":"AT0003"/);
  });

  it("drops an owner's connection that sends more than the limit", async () => {
    const line = await alice.owner();
    line.send(Buffer.alloc(10_240_001, 0x61));
    expect(await line.closed()).toMatch(
      /^error:AT0005-Buffer limit exceeded : InboundBuffer overflow: .*\n@alice@$/,
    );
  });

  it("tells a connection that finds no room, and lets it in after another left", async () => {
    const small = await world.start("@small", { inboundMaxLimit: 2 });
    const first = await small.open();
    const second = await small.open();
    for (let i = 0; i < NEWCOMER_PLACES; i++) await small.open();
    const port = small.server.port;
    expect(await Line.connect(port, world.authority.certificate).closed()).toBe(
      "error:AT0012-Inbound connection limit exceeded\n",
    );
    first.send("@exit\n");
    await first.closed();
    const third = await world.connect(port);
    expect(await third.ask("noop:0")).toBe("data:ok\n@");
    expect(await second.ask("noop:0")).toBe("data:ok\n@");
  });
});
