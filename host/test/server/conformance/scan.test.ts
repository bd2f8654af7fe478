// SPDX-License-Identifier: BSD-3-Clause
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { enrolled, payloadOf } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { loginAsPeer } from "../peerLogin.ts";
import { challengeOf, type Place, SECRET, World } from "../world.ts";
import { parameters, request } from "./applicant.ts";
import {
  committed,
  converse,
  data,
  error,
  failure,
  hides,
  item,
  items,
  JSON_VERSION,
  shows,
  syntaxError,
} from "./items.ts";

describe("scan and delete", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let now = 1_700_000_000_000;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now });
    owner = await alice.owner(JSON_VERSION);
    await converse(owner, [
      ["update:public:location-U@alice Hyderabad", committed],
      ["update:u.me@alice 1", committed],
    ]);
  });
  afterAll(() => world.close());

  items(() => owner, {
    81: [["scan", shows('"public:location-u@alice"')]],
    82: [["scan u.me", data('["u.me@alice"]')]],
    83: [["scan@", syntaxError]],
  });

  item(84, "an expired key disappears", async () => {
    await converse(owner, [
      ["update:ttl:200:public:short@alice 1", committed],
      ["scan short", data('["public:short@alice"]')],
    ]);
    now += 300;
    await converse(owner, [["scan short", data("[]")]]);
  });

  item(85, "a key is hidden until it is born", async () => {
    await converse(owner, [
      ["update:ttb:200:public:later@alice 1", committed],
      ["scan later", data("[]")],
    ]);
    now += 200;
    await converse(owner, [["scan later", data('["public:later@alice"]')]]);
  });

  items(() => alice.open(), {
    86: [
      ["scan", shows('"location-u@alice"')],
      ["scan", hides("public:", "u.me")],
    ],
  });

  items(() => owner, {
    87: [
      ["update:gone.me@alice 1", committed],
      ["delete:gone.me@alice", committed],
      ["scan gone", data("[]")],
    ],
    88: [
      ["update:_x@alice 1", committed],
      ["update:public:_x@alice 1", data("-1")],
      ["update:public:__phone.wavi@alice 1", committed],
      ["scan", hides("privatekey:", "private:", '"_x', "public:_")],
    ],
    89: [
      ["scan:showhidden:true", shows('"public:__phone.wavi@alice"', '"_x@alice"')],
      ["scan:showhidden:true", hides("privatekey:", "private:", '"public:_x@alice"')],
    ],
    90: [["scan:showhidden:false", hides('"_x', "public:_")]],
  });

  item(91, "a peer sees what is shared with it, without the prefix", async () => {
    await converse(owner, [
      ["update:@bob:one.wavi@alice 1", committed],
      ["update:@bob:two.wavi@alice 1", committed],
      ["update:@carol:three.wavi@alice 1", committed],
    ]);
    const bob = await world.start("@bob");
    const peer = await loginAsPeer(world, bob, alice);
    await converse(peer, [
      ["scan", data('["one.wavi@alice","two.wavi@alice"]', "@bob@")],
      ["scan two", data('["two.wavi@alice"]', "@bob@")],
    ]);
  });

  items(() => alice.open(), {
    92: [
      [
        "scan:@bob",
        "error:AT0401-Exception: Scan to another atSign cannot be performed without auth\n@",
      ],
    ],
    93: [["SCAN", shows('"location-u@alice"')]],
  });

  item(94, "a fresh atServer shows its signing key to anybody", async () => {
    const fresh = await world.start("@fresh");
    await converse(await fresh.open(), [["scan", data('["signing_publickey@fresh"]', "@")]]);
  });

  item(95, "the first client sees other namespaces and what is managed", async () => {
    const line = await alice.cram();
    const reply = await line.ask(request(parameters({ wavi: "rw" })));
    const { enrollmentId } = payloadOf(reply) as { enrollmentId: string };
    await converse(owner, [["update:other.buzz@alice 1", committed]]);
    await converse(line, [
      ["scan", shows('"other.buzz@alice"', `"${enrollmentId}.new.enrollments.__manage@alice"`)],
    ]);
  });

  item(96, "an enrollment sees public keys and its namespaces", async () => {
    await converse(owner, [["update:mine.wavi@alice 1", committed]]);
    const { line } = await enrolled(alice, { wavi: "r" });
    await converse(line, [
      ["scan", shows('"public:location-u@alice"', '"mine.wavi@alice"', '"@bob:one.wavi@alice"')],
      ["scan", hides('"other.buzz@alice"', '"u.me@alice"', "__manage")],
    ]);
  });

  items(() => owner, {
    97: [
      ["update:public:location@alice x", committed],
      ["delete:public:location@alice", committed],
    ],
  });

  item(98, "deleting again is another commit", async () => {
    const before = alice.store.lastCommitId();
    await converse(owner, [["delete:public:location@alice", data(String(before + 1))]]);
  });

  items(() => owner, {
    99: [["deete:phone@alice", failure("AT0003", "Invalid syntax")]],
    100: [
      ["update:public:🦄🦄-1@alice v", committed],
      ["scan 🦄🦄-1", data('["public:🦄🦄-1@alice"]')],
      ["delete:public:🦄🦄-1@alice", committed],
      ["scan 🦄🦄-1", data("[]")],
    ],
    101: [
      ["update:ttr:-1:ccd:true:@bob:hobby@alice x", committed],
      ["delete:@bob:hobby@alice", committed],
    ],
    102: [
      ["delete:public:signing_publickey@alice", protectedKey("signing_publickey@alice")],
      ["scan signing_publickey", data('["public:signing_publickey@alice"]')],
    ],
    103: [
      ["delete:@alice:signing_privatekey@alice", protectedKey("signing_privatekey@alice")],
      ["scan signing_privatekey", data('["@alice:signing_privatekey@alice"]')],
    ],
    104: [
      ["update:public:publickey@alice K", committed],
      ["delete:public:publickey@alice", protectedKey("publickey@alice")],
      ["llookup:public:publickey@alice", data("K")],
    ],
    105: [["delete:privatekey:at_pkam_publickey", syntaxError]],
    106: [["delete:cached:public:publickey@bob", committed]],
  });

  item(107, "the shared secret, which then opens nothing", async () => {
    await converse(owner, [["delete:privatekey:at_secret", data("-1")]]);
    const line = await alice.open();
    const challenge = challengeOf(await line.ask("from:@alice"));
    const digest = createHash("sha512")
      .update(SECRET + challenge)
      .digest("hex");
    expect(await line.ask(`cram:${digest}`)).toBe(
      "error:AT0015-Exception: privatekey:at_secret does not exist in keystore\n@",
    );
  });
});

function protectedKey(key: string): string {
  return error("AT0009", `UnAuthorized client in request : Cannot delete protected key: '${key}'`);
}
