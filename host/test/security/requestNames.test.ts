// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applicant, parameters, request } from "../server/conformance/applicant.ts";
import { payloadOf } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { type Place, World } from "../server/world.ts";

/** Texts that would show an approver something else than what is asked for. */
const refused = [
  ["an escape sequence", "\u001b[2Jwavi"],
  ["a line end", "wavi\n"],
  ["a carriage return", "wavi\rbuzz"],
  ["a NUL", "wa\u0000vi"],
  ["DEL", "wavi\u007f"],
  ["C1's own escape", "wavi\u009b2J"],
  ["an override of direction", "\u202eivaw"],
  ["an isolate", "wa\u2066vi"],
  ["a mark of direction", "wavi\u200f"],
  ["an Arabic mark", "wavi\u061c"],
  ["half of a pair", "wavi\ud83c"],
  ["129 bytes", `${"ä".repeat(64)}a`],
  ["nothing", ""],
] as const;

const accepted = [
  "My Phone",
  "com.example.wavi",
  " leading and trailing ",
  "Jörgs Gerät (2.)",
  "温室 🌱",
  "ä".repeat(64),
  "a/b\\c:d;e'f\"g<h>",
  "__proto__",
  "constructor",
];

describe("names in a request", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { enrollmentMaxRequests: 1_000 });
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  describe.each(refused)("with %s", (_what, name) => {
    it.each(["appName", "deviceName"])("are refused as %s", async (member) => {
      const reply = await owner.ask(request(parameters({ wavi: "rw" }, { [member]: name })));
      const text =
        name === "" ? /^error:AT0011-.* is mandatory/ : /^error:AT0022-.*Name (?:is|has) /;
      expect(reply).toMatch(text);
    });

    it("are refused as a namespace", async () => {
      const reply = await owner.ask(request(parameters({ wavi: "rw", [name]: "r" })));
      expect(reply).toMatch(/^error:AT0022-Illegal arguments : a namespace (?:is|has) /);
      expect(reply).not.toContain("\u001b");
    });
  });

  it.each(accepted)("may be %j, and the enrollment works", async (name) => {
    const names = { appName: name, deviceName: `${name}`.slice(0, 60) };
    const one = await applicant(owner, JSON.parse(`{${JSON.stringify(name)}:"rw"}`), names);
    expect(await one.approve(owner)).toMatch(/^data:\{"status":"approved"/);
    const { reply, line: client } = await one.login(alice);
    expect(reply).toBe("data:success\n@alice@");
    const listed = payloadOf(await client.ask("enroll:list")) as Record<string, object>;
    expect(Object.values(listed)).toMatchObject([
      { ...names, namespace: { [name.toLowerCase()]: "rw" } },
    ]);
    const id = JSON.stringify({ enrollmentId: one.id });
    expect(await owner.ask(`enroll:revoke:${id}`)).toMatch(/^data:/);
    expect(await owner.ask(`enroll:delete:${id}`)).toMatch(/^data:/);
  });

  it("are no more than 256 namespaces", async () => {
    const namespaces = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, "r"]));
    expect(await owner.ask(request(parameters(namespaces(257))))).toMatch(
      /^error:AT0022-.*at most 256/,
    );
    expect(await owner.ask(request(parameters(namespaces(256))))).toMatch(/^data:/);
  });
});
