// SPDX-License-Identifier: BSD-3-Clause
// What an atServer may have a device sign: its own login challenge and nothing else.
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { Kind, State } from "./session/device.ts";
import { imported } from "./session/fixtures.ts";
import { World } from "./session/world.ts";

const A = "f5e00971-3c6b-4d86-b507-2df48a004765";
const B = "88383db8-6b0a-4ac7-b270-324be06ab78b";

const REFUSED: Record<string, string> = {
  "another's login challenge": `_${A}@bravo:${B}`,
  "a peer's challenge": `data:_${A}@bravo:${B}`,
  "a bound challenge": "pol1.eyJ2IjoiQGJyYXZvIiwibiI6Ijg4MzgzZGI4In0",
  "an enrollment's key": `${A}|04aa|ecc_secp256r1`,
  "no name": `_${A}:${B}`,
  "a longer name": `_${A}@alphabet:${B}`,
  "a shorter name": `_${A}@alph:${B}`,
  "a name in capitals": `_${A}@Alpha:${B}`,
  "two names": `_${A}@alpha@alpha:${B}`,
  "no underscore": `${A}@alpha:${B}`,
  "two underscores": `__${A}@alpha:${B}`,
  "an id too short": `_${A.slice(1)}@alpha:${B}`,
  "an id too long": `_${A}0@alpha:${B}`,
  "an id of other letters": `_${A.replace("f", "g")}@alpha:${B}`,
  "an id without dashes": `_${A.replaceAll("-", "0")}@alpha:${B}`,
  "a dash elsewhere": `_${A.replace("-3", "3-")}@alpha:${B}`,
  "a second id that is none": `_${A}@alpha:${B.replace("8", "x")}`,
  "something after it": `_${A}@alpha:${B} `,
  "a third part": `_${A}@alpha:${B}:x`,
  "another separator": `_${A}@alpha;${B}`,
  empty: "",
  null: "null",
  JSON: `{"challenge":"_${A}@alpha:${B}"}`,
  "a public key": "public:publickey@bravo",
  "four thousand characters": "x".repeat(4000),
};

for (const factory of engines) {
  describe(`challenges on ${factory.name}`, () => {
    const few = factory.name === "wasm3" ? 4 : undefined;
    for (const [name, challenge] of Object.entries(REFUSED).slice(0, few)) {
      test(`nothing is signed for ${name}; it ends as a refused login does`, async () => {
        const run = async (answer: (line: string) => string | undefined) => {
          const world = new World();
          const device = await imported(factory, world);
          world.hook = answer;
          device.start();
          const op = device.operate(Kind.scan);
          const { status } = device.finished(op);
          device.advance(600_000);
          return { world, device, status };
        };
        const { world, device, status } = await run((line) =>
          line.startsWith("from:") ? `data:${challenge}\n@` : undefined,
        );
        expect(status).toBe(-42);
        expect(device.of("state").at(-1)).toMatchObject({ status: State.stopped, op: -42 });
        expect(world.lines).toEqual(["alpha", "from:@alpha"]);
        // What a refused login leaves behind: the same states, a closed link, no line more.
        const refused = await run((line) =>
          line.startsWith("pkam:") ? "error:AT0401-Exception: no\n@" : undefined,
        );
        expect(refused.status).toBe(-26);
        expect(refused.world.lines.slice(0, 2)).toEqual(world.lines);
        expect(refused.world.lines.length).toBe(3);
        expect(device.of("state").map((e) => e.status)).toEqual(
          refused.device.of("state").map((e) => e.status),
        );
        expect(device.opened).toEqual(refused.device.opened);
        expect(world.connections.at(-1)?.closed).toBe(true);
      });
    }

    test("ids of either case are signed", async () => {
      for (const challenge of [`_${A}@alpha:${B}`, `_${A.toUpperCase()}@alpha:${B}`]) {
        const world = new World();
        const device = await imported(factory, world);
        world.hook = (line, connection) => {
          if (!line.startsWith("from:")) return undefined;
          connection.challenge = challenge;
          return `data:${challenge}\n@`;
        };
        device.start();
        device.until(() => device.state() === State.ready);
      }
    });

    test("a session that was ended by one can be started again", async () => {
      const world = new World();
      const device = await imported(factory, world);
      world.hook = (line) => (line.startsWith("from:") ? `data:${randomUUID()}\n@` : undefined);
      device.start();
      device.until(() => device.state() === State.stopped);
      world.hook = () => undefined;
      expect(device.start()).toBe(0);
      device.until(() => device.state() === State.ready);
    });
  });
}
