// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { committed, converse, type Exchange } from "./conformance/items.ts";
import { enrolled } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { loginAsPeer } from "./peerLogin.ts";
import { type Place, World } from "./world.ts";

type Viewer = "owner" | "anonymous" | "@bob" | "@carol";

const prompts: Record<Viewer, string> = {
  owner: "@alice@",
  anonymous: "@",
  "@bob": "@bob@",
  "@carol": "@carol@",
};

/** What each viewer is answered: a payload, or undefined for a key that isn't there. */
type Seen = Record<Viewer, string | undefined>;

/** The key each viewer's lookup reads, which AT0015 names. */
const prefixes: Record<Viewer, string> = {
  owner: "@alice:",
  anonymous: "public:",
  "@bob": "@bob:",
  "@carol": "@carol:",
};

describe("who sees what", () => {
  let world: World;
  let alice: Place;
  let now = 1_700_000_000_000;
  const lines = new Map<Viewer, Line>();
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now, autoNotify: false });
    lines.set("owner", await alice.owner());
    lines.set("anonymous", await alice.open());
    for (const peer of ["@bob", "@carol"] as const) {
      lines.set(peer, await loginAsPeer(world, await world.start(peer), alice));
    }
  });
  afterAll(() => world.close());

  const line = (viewer: Viewer): Line => {
    const found = lines.get(viewer);
    if (found === undefined) throw new Error(`${viewer} has no connection`);
    return found;
  };
  const owner = (exchanges: readonly Exchange[]): Promise<void> =>
    converse(line("owner"), exchanges);
  const write = (...commands: string[]): Promise<void> =>
    owner(commands.map((command) => [command, /^data:-?\d+\n@alice@$/]));

  async function expectSeen(name: string, seen: Seen): Promise<void> {
    for (const [viewer, payload] of Object.entries(seen) as [Viewer, string | undefined][]) {
      const reply = await line(viewer).ask(`lookup:${name}`);
      if (payload !== undefined) expect(reply, viewer).toBe(`data:${payload}\n${prompts[viewer]}`);
      else {
        expect(reply, viewer).toMatch(/^error:AT0015-/);
        expect(reply, viewer).toContain(`${prefixes[viewer]}${name} does not exist in keystore`);
      }
    }
  }

  it("one name answers everybody differently", async () => {
    await write("update:public:phone@alice all", "update:@bob:phone@alice bob");
    await write("update:@alice:phone@alice me", "update:phone@alice mine alone");
    await expectSeen("phone@alice", {
      owner: "me",
      anonymous: "all",
      "@bob": "bob",
      "@carol": undefined,
    });
    await owner([["llookup:phone@alice", "data:mine alone\n@alice@"]]);
  });

  it("a public record is not a peer's, and a peer's is not public", async () => {
    await write("update:public:open@alice all", "update:@carol:closed@alice carol");
    const nobody = { owner: undefined, anonymous: undefined, "@bob": undefined };
    await expectSeen("open@alice", { ...nobody, anonymous: "all", "@carol": undefined });
    await expectSeen("closed@alice", { ...nobody, "@carol": "carol" });
  });

  it("nobody but the owner may write, delete, or look locally", async () => {
    for (const viewer of ["anonymous", "@bob"] as const) {
      for (const command of [
        "update:public:phone@alice x",
        "update:meta:public:phone@alice:ttl:1",
        "delete:public:phone@alice",
        "llookup:phone@alice",
        "plookup:phone@alice",
        "sync:from:-1:limit:5",
        "stats:3",
        "config:block:show",
        "monitor",
        "otp:get",
        "batch:[]",
        "notify:status:x",
        "notify:fetch:x",
        "notify:remove:x",
      ]) {
        const reply = await line(viewer).ask(command);
        expect(reply, `${viewer} ${command}`).toBe(
          "error:AT0401-Exception: Command cannot be executed without auth\n@",
        );
      }
    }
  });

  it("notify:all and notify:status are the owner's alone", async () => {
    for (const viewer of ["anonymous", "@bob"] as const) {
      const reply = await line(viewer).ask("notify:all:@carol:x@alice:1");
      expect(reply, viewer).toMatch(/^error:AT0401-/);
    }
  });

  it("reserved records stay inside", async () => {
    const inside = [
      "privatekey:at_secret",
      "privatekey:at_pkam_publickey",
      "private:blocklist@alice",
      "private:spp.__otp@alice",
      "@alice:signing_privatekey@alice",
    ];
    await owner([["otp:put:ABC123", "data:ok\n@alice@"]]);
    for (const viewer of ["anonymous", "@bob", "@carol"] as const) {
      for (const key of inside) {
        const reply = await line(viewer).ask(`lookup:${key}`);
        expect(reply, `${viewer} ${key}`).toMatch(/^error:AT00(?:03|15)-/);
      }
      expect(await line(viewer).ask("scan:showhidden:true")).not.toMatch(
        /privatekey|private:|_otp/,
      );
    }
    await owner([["scan:showhidden:true", /^data:(?!.*(?:privatekey:|private:))/]]);
  });

  it("hidden public records aren't listed, but found by who knows their name", async () => {
    await write("update:public:_quiet@alice 1", "update:public:__quieter@alice 2");
    expect(await line("anonymous").ask("scan quiet")).toBe("data:[]\n@");
    expect(await line("anonymous").ask("lookup:_quiet@alice")).toBe("data:1\n@");
    expect(await line("anonymous").ask("lookup:__quieter@alice")).toBe("data:2\n@");
  });

  it("keys are lower case whoever writes them, values are left alone", async () => {
    await write("update:public:CamelCase@Alice VaLuE", "update:@BOB:CamelCase@ALICE ForBob");
    await expectSeen("cAMELcASE@Al.ice".toLowerCase().replace(".", ""), {
      owner: undefined,
      anonymous: "VaLuE",
      "@bob": "ForBob",
      "@carol": undefined,
    });
    expect(await line("anonymous").ask("lookup:CAMELCASE@Al.Ice")).toBe("data:VaLuE\n@");
    await owner([
      ["scan camelcase", 'data:["@bob:camelcase@alice","public:camelcase@alice"]\n@alice@'],
    ]);
  });

  it("what isn't born or has expired is null to everybody, and listed to nobody", async () => {
    await write(
      "update:ttb:1000:ttl:1000:public:timed@alice all",
      "update:ttb:1000:ttl:1000:@bob:timed@alice bob",
      "update:ttb:1000:ttl:1000:@alice:timed@alice me",
      "update:ttb:1000:ttl:1000:@carol:timed@alice carol",
    );
    const hidden: Seen = { owner: "null", anonymous: "null", "@bob": "null", "@carol": "null" };
    const unlisted = async (): Promise<void> => {
      for (const viewer of Object.keys(hidden) as Viewer[]) {
        expect(await line(viewer).ask("scan timed")).toBe(`data:[]\n${prompts[viewer]}`);
      }
    };
    await expectSeen("timed@alice", hidden);
    await unlisted();
    now += 1_000;
    await expectSeen("timed@alice", {
      owner: "me",
      anonymous: "all",
      "@bob": "bob",
      "@carol": "carol",
    });
    now += 1_001;
    await expectSeen("timed@alice", hidden);
    await unlisted();
  });

  it("ttr and ccd go with the record, and 0 takes them away", async () => {
    await write("update:ttr:60:@bob:cacheable@alice 1");
    await owner([["llookup:meta:@bob:cacheable@alice", /"ttr":60,"ccd":false/]]);
    await write("update:ccd:true:@bob:cacheable@alice 1");
    await owner([["llookup:meta:@bob:cacheable@alice", /"ttr":60,"ccd":true/]]);
    await write("update:ttr:0:@bob:cacheable@alice 1");
    await owner([["llookup:meta:@bob:cacheable@alice", /^data:(?!.*(?:ttr|ccd|refreshAt))/]]);
  });
});

describe("references", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { autoNotify: false });
    owner = await alice.owner();
    await converse(owner, [
      ["update:public:home@alice public home", committed],
      ["update:@bob:home@alice home for bob", committed],
      ["update:public:ref1@alice atsign://home@alice", committed],
      ["update:@bob:ref1@alice atsign://home@alice", committed],
      ["update:@carol:ref1@alice atsign://home@alice", committed],
      ["update:public:ref2@alice atsign://ref1@alice", committed],
      ["update:public:ref3@alice atsign://ref2@alice", committed],
      ["update:public:ref4@alice atsign://ref3@alice", committed],
      ["update:public:round@alice atsign://round@alice", committed],
      ["update:public:nowhere@alice atsign://missing@alice", committed],
      ["update:public:spaced@alice \t  atsign://home@alice  ", committed],
      ["update:public:spaced2@alice   atsign://spaced@alice", committed],
      ["update:public:told@alice see atsign://home@alice", committed],
      ["update:@alice:secret@alice s", committed],
      ["update:public:leak@alice atsign://secret@alice", committed],
    ]);
  });
  afterAll(() => world.close());

  it.each([
    ["ref1", "public home"],
    ["ref3", "public home"],
    ["ref4", "null"],
    ["round", "null"],
    ["nowhere", "null"],
    ["spaced", "public home"],
    ["spaced2", "public home"],
    ["told", "see atsign://home@alice"],
    ["leak", "null"],
  ])("lookup:%s@alice by anybody", async (name, payload) => {
    expect(await (await alice.open()).ask(`lookup:${name}@alice`)).toBe(`data:${payload}\n@`);
  });

  it("lead to what the viewer may see, or else to what is public", async () => {
    const bob = await loginAsPeer(world, await world.start("@bob"), alice);
    expect(await bob.ask("lookup:ref1@alice")).toBe("data:home for bob\n@bob@");
    const carol = await loginAsPeer(world, await world.start("@carol"), alice);
    expect(await carol.ask("lookup:ref1@alice")).toBe("data:public home\n@carol@");
    expect(await owner.ask("llookup:public:ref1@alice")).toBe("data:atsign://home@alice\n@alice@");
  });

  it("give an enrollment nothing it couldn't read itself", async () => {
    const { line } = await enrolled(alice, { wavi: "rw" });
    await converse(owner, [
      ["update:@alice:private.buzz@alice hidden", committed],
      ["update:@alice:trap.wavi@alice atsign://private.buzz@alice", committed],
    ]);
    expect(await line.ask("lookup:private.buzz@alice")).toMatch(/^error:AT0009-/);
    expect(await line.ask("lookup:trap.wavi@alice")).toBe("data:null\n@alice@");
  });
});
