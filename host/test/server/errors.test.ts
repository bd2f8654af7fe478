// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorTable } from "../../wire/errors.ts";
import { JSON_VERSION } from "./conformance/items.ts";
import { enrolled } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

interface Fixture {
  rows: [code: string, text: string, closes: string][];
}

const { rows }: Fixture = JSON.parse(
  readFileSync(new URL("fixtures/errorCodes.json", import.meta.url), "utf8"),
);

/** A command of the owner, the code it fails with, its message, and whether the server hangs up then. */
type Failure = [command: string, code: string, message: unknown, closes?: true];

const failures: Failure[] = [
  ["nonsense", "AT0003", "invalid command"],
  ["plookup:x@nobody", "AT0007", "Unable to find secondary address for atSign:nobody"],
  ["delete:public:publickey@alice", "AT0009", "Cannot delete protected key: 'publickey@alice'"],
  ["config:print:unheardOf", "AT0010", "Unknown configuration parameter: unheardOf"],
  ["keys:get:self", "AT0011", "Keys verb cannot be accessed without an enrollmentId"],
  ["from:@al!ice", "AT0011", "invalid @sign: Cannot contain !*'`();:&=+$,/?#[]{} characters", true],
  ["otp:put", "AT0011", "otp:put requires a passcode", true],
  ["enroll:list:{", "AT0011", "FormatException: enroll parameters are not JSON", true],
  ["from:@mallory", "AT0013", "Unable to connect", true],
  ["llookup:none@alice", "AT0015", "none@alice does not exist in keystore"],
  ["update:location us", "AT0016", "You may not update keys of type KeyType.invalidKey"],
  [
    "noop:5001",
    "AT0022",
    "noop:<durationInMillis> where the duration maximum is 5000 milliseconds",
  ],
];

describe("errors", () => {
  let world: World;
  let alice: Place;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { testingMode: true });
    await (await alice.owner()).ask("config:block:add:@mallory");
  });
  afterAll(() => world.close());

  it("have the codes and texts of the protocol, and close the connections it says", () => {
    const table = Object.entries(errorTable).map(([code, { text, closes }]) => [
      code,
      text,
      closes,
    ]);
    expect(table).toEqual(rows.map(([code, text, closes]) => [code, text, closes === "yes"]));
  });

  /** The reply and whether the connection was closed behind it. */
  async function fails(line: Line, command: string): Promise<{ reply: string; closed: boolean }> {
    line.send(`${command}\nnoop:0\n`);
    const reply = await line.reply();
    const next = await line.reply().catch(() => undefined);
    return { reply, closed: next === undefined };
  }

  it.each(failures)("%s", async (command, code, message, closes = undefined) => {
    const text = rows.find(([known]) => known === code)?.[1];
    const plain = await fails(await alice.owner(), command);
    const [, shownCode, description] = /^error:(AT\d{4})-(.*)\n@alice@$/.exec(plain.reply) ?? [];
    expect(shownCode).toBe(code);
    expect(description?.startsWith(`${text} : `)).toBe(true);
    expect(description?.slice(`${text} : `.length)).toEqual(message);
    expect(plain.closed).toBe(closes === true);

    const json = await fails(await alice.owner(JSON_VERSION), command);
    const [, body = ""] = /^error:(\{.*\})\n@alice@$/.exec(json.reply) ?? [];
    const { errorCode, errorDescription } = JSON.parse(body);
    expect([errorCode, errorDescription.slice(`${text} : `.length)]).toEqual([code, message]);
    expect(json.closed).toBe(closes === true);
  });

  it("to a peer or to anybody are without the code's text, prompted with @", async () => {
    expect(await fails(await alice.open(), "lookup:none@alice")).toEqual({
      reply: "error:AT0015-Exception: public:none@alice does not exist in keystore\n@",
      closed: false,
    });
    expect(await fails(await alice.open(), "from:a!b")).toEqual({
      reply:
        "error:AT0011-Exception: invalid @sign: Cannot contain !*'`();:&=+$,/?#[]{} characters\n@",
      closed: true,
    });
  });

  it("returned by value are never JSON", async () => {
    const { id, line } = await enrolled(alice, { wavi: "rw", __manage: "rw" });
    await line.ask(`from:@alice:clientConfig:{"version":"${JSON_VERSION}"}`);
    expect(await fails(line, 'enroll:deny:{"enrollmentId":"x"}')).toEqual({
      reply: "error:AT0028:enrollment_id: x is expired or invalid\n@alice@",
      closed: false,
    });
    expect(await fails(line, `enroll:revoke:{"enrollmentId":"${id}"}`)).toEqual({
      reply: `error:{"errorCode":"AT0031","errorDescription":"Cannot revoke self enrollment : Current client cannot revoke its own enrollment"}\n@alice@`,
      closed: false,
    });
  });
});
