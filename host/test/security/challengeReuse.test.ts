// SPDX-License-Identifier: BSD-3-Clause
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signWithServerKey } from "../../server/access/signatures.ts";
import { enrolled } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import {
  challengeOf,
  identity,
  type Place,
  SECRET,
  signChallenge,
  World,
} from "../server/world.ts";

const LIFE_MILLIS = 60_000;

/** One kind of login: its answer to a challenge, a wrong one, and what they are answered. */
interface Login {
  from: string;
  right(challenge: string): string;
  wrong: string;
  success: string;
  refused: string;
}

describe("a challenge", () => {
  let world: World;
  let alice: Place;
  let now = 1_700_000_000_000;
  let logins: Record<"cram" | "pkam" | "apkam", Login>;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now });
    await alice.owner();
    const { id, keys } = await enrolled(alice, { wavi: "rw" });
    const pkam = {
      from: "from:@alice",
      wrong: `pkam:${signChallenge(identity("@alpha").privateKey, "another text")}`,
      success: "data:success\n@alice@",
      refused: "error:AT0401-Exception: pkam authentication failed\n@",
    };
    logins = {
      cram: {
        ...pkam,
        right: (challenge) =>
          `cram:${createHash("sha512")
            .update(SECRET + challenge)
            .digest("hex")}`,
        wrong: `cram:${"0".repeat(128)}`,
        refused: "error:AT0401-Exception: Authentication Failed\n@",
      },
      pkam: {
        ...pkam,
        right: (challenge) => `pkam:${signChallenge(identity("@alpha").privateKey, challenge)}`,
      },
      apkam: {
        ...pkam,
        right: (challenge) => `pkam:enrollmentId:${id}:${keys.sign(challenge)}`,
        wrong: `pkam:enrollmentId:${id}:${keys.sign("another text")}`,
      },
    };
  });
  afterAll(() => world.close());

  const ask = async (line: Line, { from }: Login): Promise<string> =>
    challengeOf(await line.ask(from));

  describe.each(["cram", "pkam", "apkam"] as const)("of %s", (kind) => {
    it("is gone with a wrong answer: the right one behind it is refused", async () => {
      const login = logins[kind];
      const line = await alice.open();
      const challenge = await ask(line, login);
      expect(await line.ask(login.wrong)).toBe(login.refused);
      expect(await line.ask(login.right(challenge))).toBe(login.refused);
      expect(await line.ask(login.right(await ask(line, login)))).toBe(login.success);
    });

    it("is gone with a right answer, and the second takes the login along", async () => {
      const login = logins[kind];
      const line = await alice.open();
      const answer = login.right(await ask(line, login));
      expect(await line.ask(answer)).toBe(login.success);
      expect(await line.ask(answer)).toBe(login.refused);
      expect(await line.ask("stats:3")).toMatch(/^error:AT0401-/);
    });

    it("lives 60 s", async () => {
      const login = logins[kind];
      const line = await alice.open();
      const last = login.right(await ask(line, login));
      now += LIFE_MILLIS;
      expect(await line.ask(last)).toBe(login.success);
      const late = login.right(await ask(line, login));
      now += LIFE_MILLIS + 1;
      expect(await line.ask(late)).toBe(login.refused);
    });

    it("doesn't live longer because the clock was set back", async () => {
      const login = logins[kind];
      const line = await alice.open();
      const answer = login.right(await ask(line, login));
      now -= LIFE_MILLIS + 1;
      expect(await line.ask(answer)).toBe(login.refused);
    });

    it("is the latest one, and of its own connection", async () => {
      const login = logins[kind];
      const line = await alice.open();
      const first = await ask(line, login);
      const second = await ask(line, login);
      expect(await line.ask(login.right(first))).toBe(login.refused);
      expect(await line.ask(login.right(second))).toBe(login.refused);
      const other = await alice.open();
      await ask(other, login);
      expect(await other.ask(login.right(await ask(line, login)))).toBe(login.refused);
    });

    it("without a from fails like a wrong answer", async () => {
      const login = logins[kind];
      const line = await alice.open();
      expect(await line.ask(login.wrong)).toBe(login.refused);
    });
  });

  it("is gone with the login of an enrollment that may not", async () => {
    const { pkam } = logins;
    const line = await alice.open();
    const challenge = await ask(line, pkam);
    expect(await line.ask(`pkam:enrollmentId:nobody:AAAA`)).toMatch(/^error:AT0028:/);
    expect(await line.ask(pkam.right(challenge))).toBe(pkam.refused);
  });

  it("is gone with an answer to another verb", async () => {
    const { pkam, cram } = logins;
    const line = await alice.open();
    const challenge = await ask(line, pkam);
    expect(await line.ask(cram.wrong)).toBe(cram.refused);
    expect(await line.ask(pkam.right(challenge))).toBe(pkam.refused);
  });

  it("of pol is gone with the first pol, whatever is shown afterwards", async () => {
    const bob = await world.start("@bob");
    const line = await world.connect(alice.server.port, bob.config.tls);
    const proof = await line.ask("from:@bob");
    const [, session = "", uuid = ""] = /^data:proof:([^:]+):(\S+)\n@$/.exec(proof) ?? [];
    const refused = "error:AT0401-Exception: Pol Authentication Failed\n@";
    expect(await line.ask("pol")).toBe(refused);
    const key = bob.store.record("@bob:signing_privatekey@bob")?.value ?? "";
    await bob.store.write((writer) =>
      writer.put(`public:${session}`, { value: signWithServerKey(key, uuid), metadata: {} }),
    );
    expect(await line.ask("pol")).toBe(refused);
    expect(await line.ask("noop:0")).toBe("data:ok\n@");
  });
});
