// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrolled, payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

const data = (payload: string): string => `data:${payload}\n@alice@`;
const syntax = /^error:AT0003-Invalid syntax : Invalid syntax\. config:/;
const illegal = /^error:AT0022-Illegal arguments : /;
const unknown = /^error:AT0010-Internal server error : Unknown configuration parameter: /;

type Exchange = [send: string, expected: string | RegExp];

const blocking: Exchange[] = [
  ["config:block:show", data("null")],
  ["config:block:remove:@bob", data("null")],
  ["config:block:add:@alice", data("success")],
  ["config:block:show", data("null")],
  ["config:block:add:@bob", data("success")],
  ["config:block:show", data('["@bob"]')],
  ["config:block:show ", data('["@bob"]')],
  ["config:block:add:@Car.ol @alice @bob @dan", data("success")],
  ["CONFIG:BLOCK:SHOW", data('["@bob","@Car.ol","@dan"]')],
  ["config:block:remove:@nobody", data("success")],
  ["config:block:remove:@carol @dan", data("success")],
  ["config:block:show", data('["@bob"]')],
  ["config:block:add:", syntax],
  ["config:block:add", syntax],
  ["config:block:add:bob", syntax],
  ["config:block:add:@@kevin", syntax],
  ["config:block:add:@bob  @carol", syntax],
  ["config:block:add:@bob,@carol", syntax],
  ["config:block:add:@bob,carol", /^error:AT0003-.*Cannot contain/],
  ["config:block:add:@bob:@carol", syntax],
  ["config:block:list", syntax],
  ["config:block:show:x", syntax],
  ["config:", syntax],
  ["config", "error:AT0003-Invalid syntax : invalid command\n@alice@"],
];

const adjusting: Exchange[] = [
  ["config:print:inboundMaxLimit", data("200")],
  ["config:print:commitLogCompactionFrequencyMins", data("18")],
  ["config:set:commitLogCompactionFrequencyMins=4", data("ok")],
  ["config:print:commitLogCompactionFrequencyMins", data("4")],
  ["config:reset:commitLogCompactionFrequencyMins", data("ok")],
  ["config:print:commitLogCompactionFrequencyMins", data("18")],
  ["config:print:accessLogCompactionFrequencyMins", data("15")],
  ["config:print:notificationKeyStoreCompactionFrequencyMins", data("5")],
  ["config:set:maxNotificationRetries=25", data("ok")],
  ["config:print:maxNotificationRetries", data("25")],
  ["config:reset:maxNotificationRetries", data("ok")],
  ["config:print:maxNotificationRetries", data("7")],
  ["config:print:autoNotify", data("true")],
  ["config:set:autoNotify=FALSE", data("ok")],
  ["config:print:autoNotify", data("false")],
  ["config:reset:autoNotify", data("ok")],
  ["config:print:autoNotify", data("true")],
  ["config:print:maxRequestsPerTimeFrame", data("5")],
  ["config:print:timeFrameInMills", data("3600000")],
  ["config:print:doCacheRefreshNow", data("null")],
  ["config:set:shouldReloadCertificates=true", data("ok")],
  ["config:print:shouldReloadCertificates", data("true")],
  ["config:set:shouldReloadCertificates=false", data("ok")],
  ["config:print:shouldReloadCertificates", data("false")],
  ["config:reset:shouldReloadCertificates", data("ok")],
  ["config:print:shouldReloadCertificates", data("null")],
  ["config:set:inboundMaxLimit=0", illegal],
  ["config:set:inboundMaxLimit=1000001", illegal],
  ["config:set:inboundMaxLimit=1.5", illegal],
  ["config:set:inboundMaxLimit=many", illegal],
  ["config:set:commitLogCompactionFrequencyMins=0", illegal],
  ["config:set:commitLogCompactionFrequencyMins=35791", data("ok")],
  ["config:set:commitLogCompactionFrequencyMins=35792", illegal],
  ["config:set:timeFrameInMills=2147483647", data("ok")],
  ["config:set:timeFrameInMills=2147483648", illegal],
  ["config:set:autoNotify=perhaps", illegal],
  ["config:set:doCacheRefreshNow=1", illegal],
  ["config:set:unheardOf=1", unknown],
  ["config:reset:unheardOf", unknown],
  ["config:print:unheardOf", unknown],
  ["config:print:toString", unknown],
  ["config:set:inboundMaxLimit", syntax],
  ["config:set:=5", syntax],
  ["config:set:", syntax],
];

describe("config", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { testingMode: true, notificationMaxRetries: 7 });
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  describe.each([
    ["the block list", blocking],
    ["parameters, in testing mode", adjusting],
  ])("%s", (_name, exchanges) => {
    it.each(exchanges)("%s", async (send, expected) => {
      const reply = await owner.ask(send);
      if (typeof expected === "string") expect(reply).toBe(expected);
      else expect(reply).toMatch(expected);
    });
  });

  it("needs a login", async () => {
    expect(await (await alice.open()).ask("config:block:show")).toBe(
      "error:AT0401-Exception: Command cannot be executed without auth\n@",
    );
  });

  it("without testing mode changes nothing", async () => {
    const line = await (await world.start("@plain")).owner();
    for (const command of ["set:autoNotify=false", "reset:autoNotify", "print:autoNotify"]) {
      expect(await line.ask(`config:${command}`)).toBe(
        "data:testing mode disabled by default\n@plain@",
      );
    }
  });

  it("keeps the block list out of the commit log, and a restart", async () => {
    const place = await world.start("@keep");
    const line = await place.owner();
    const before = place.store.lastCommitId();
    await line.ask("config:block:add:@mallory");
    expect(place.store.lastCommitId()).toBe(before);
    expect(place.store.record("private:blocklist@keep")?.value).toBe('{"blockList":["@mallory"]}');
    await world.stop(place);
    const again = await world.start("@keep", { store: place.store });
    expect(await (await again.owner()).ask("config:block:show")).toBe('data:["@mallory"]\n@keep@');
  });

  it("refuses the blocked from their next from on, however they are spelt, until they are removed", async () => {
    const plain = { clientCertificateRequired: false };
    const place = await world.start("@shy", plain);
    const line = await place.owner();
    const visitor = await place.open();
    expect(await visitor.ask("from:@bob")).toMatch(/^data:proof:_[\w-]+@bob:pol1\.[\w-]+=*\n@$/);
    await line.ask("config:block:add:@B.ob");
    expect(await visitor.ask("noop:0")).toBe("data:ok\n@");
    visitor.send("from:@BOB\n");
    expect(await visitor.closed()).toBe("error:AT0013-Exception: Unable to connect\n@");
    await line.ask("config:block:remove:@bob");
    expect(await (await place.open()).ask("from:@bob")).toMatch(/^data:proof:/);
  });

  it("takes effect: connections, notifications, enrollment requests", async () => {
    const line = await (await world.start("@live", { testingMode: true })).owner();
    await line.ask("config:set:maxRequestsPerTimeFrame=0");
    expect(
      await line.ask('enroll:request:{"appName":"a","deviceName":"d","apkamPublicKey":"k"}'),
    ).toMatch(/^error:AT0011-.*exceeded the limit within the specified time frame/);
    await line.ask("config:set:autoNotify=false");
    await line.ask("update:@bob:x.demo@live 1");
    expect(payloadOf(await line.ask("stats:11"))).toMatchObject([
      { value: expect.stringMatching(/^\{"total":0,/) },
    ]);
  });

  it("is for enrollments with all rights only", async () => {
    const { id, line } = await enrolled(alice, { "*": "rw", wavi: "rw" });
    expect(await line.ask("config:block:show")).toBe(
      `error:AT0009-UnAuthorized client in request : Connection with enrollment ID ${id} is not authorized to configure the atServer\n@alice@`,
    );
    const { line: root } = await enrolled(alice, { "*": "rw", __manage: "rw" });
    expect(await root.ask("config:block:show")).toBe(data('["@bob"]'));
  });
});
