// SPDX-License-Identifier: BSD-3-Clause
// pol between atServers: nobody logs in with a challenge of a third, signs what is no challenge, or shows a proof to others.
import { createPublicKey, generateKeyPairSync, randomUUID, verify } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { defaults } from "../../server/config/config.ts";
import { boundChallenge, readChallenge } from "../../server/peers/polChallenge.ts";
import { Proofs } from "../../server/peers/proofs.ts";
import type { Line } from "../server/line.ts";
import { loginAsPeer } from "../server/peerLogin.ts";
import { type Place, World } from "../server/world.ts";
import { HANG_UP, type HostileConnection, HostileServer, type Identity } from "./hostileServer.ts";

const UUID = "0a1b2c3d-1111-4222-8333-444455556666";
const PROOF = /^data:proof:(_[0-9a-f-]{36})@alice:(\S+)\n@$/;

let world: World;
let alice: Place;
let bob: Place;
let owner: Line;
/** Certificates for the host everybody here is on, and for another one. */
let local: Identity;
let elsewhere: Identity;
const hostiles: HostileServer[] = [];

beforeAll(async () => {
  world = await World.create();
  alice = await world.start("@alice");
  bob = await world.start("@bob");
  owner = await alice.owner();
  local = await issueCertificate(world.authority, { hosts: ["localhost", "127.0.0.1"] });
  elsewhere = await issueCertificate(world.authority, { hosts: ["elsewhere.example"] });
});
afterEach(async () => {
  for (const hostile of hostiles.splice(0)) await hostile.close();
});
afterAll(() => world.close());

/** An atServer that answers `from` as told, registered under a new name. */
async function verifier(
  challenge: (connection: HostileConnection) => string | Promise<string>,
  host = "localhost",
): Promise<{ atSign: string; hostile: HostileServer }> {
  const atSign = `@evil${hostiles.length}${randomUUID().slice(0, 8)}`;
  const hostile = await HostileServer.start({ tls: local });
  hostiles.push(hostile);
  await world.directoryStore.set(atSign, { host, port: hostile.address.port });
  const prepared = await challenge({} as HostileConnection);
  hostile.onCommand(/^from:/, () => prepared);
  hostile.onCommand(/^pol$/, () => HANG_UP);
  return { atSign, hostile };
}

/** Lets @alice's atServer log in at an atSign; gives the error it ends with. */
async function dial(atSign: string, place = owner): Promise<string> {
  return await place.ask(`lookup:anything${atSign}`);
}

async function shows(line: Line, session: string): Promise<boolean> {
  return (await line.ask(`lookup:${session}@alice`)).startsWith("data:");
}

const refusedWith = (words: string): RegExp =>
  new RegExp(`^error:AT0008-Handshake failure : @evil\\S+ ${words}\n@alice@$`);

describe("a challenge passed on by a third atServer", () => {
  it("is not signed: @evil can't be @alice at @bob's, though all have one host", async () => {
    const evil = await world.connect(bob.server.port, local);
    const [, session = "", challenge = ""] = PROOF.exec(await evil.ask("from:@alice")) ?? [];
    expect(challenge).toMatch(/^pol1\./);
    const { atSign } = await verifier(() => `data:proof:${session}@alice:${challenge}`);
    const dialled = dial(atSign);
    expect(await dialled).toMatch(refusedWith("sent a challenge of another atSign"));
    const asBob = await world.connect(alice.server.port, local);
    expect(await shows(asBob, session)).toBe(false);
    expect(await evil.ask("pol")).toBe("error:AT0401-Exception: Pol Authentication Failed\n@");
    expect(await evil.ask("notify:@bob:x.y@alice:1")).toContain("error:AT0401");
  });

  it("of an older atServer is of no use on another host", async () => {
    // The old verifier is at localhost, @evil at 127.0.0.1: @alice's proof is for who has a certificate for 127.0.0.1.
    const oldBob = await issueCertificate(world.authority, { hosts: ["localhost"] });
    const session = `_${randomUUID()}`;
    const { atSign, hostile } = await verifier(
      () => `data:proof:${session}@alice:${randomUUID()}`,
      "127.0.0.1",
    );
    const shown: boolean[] = [];
    const fetchers = [
      await world.connect(alice.server.port, oldBob),
      await world.connect(alice.server.port, elsewhere),
      await world.connect(alice.server.port),
      await world.connect(alice.server.port, local),
    ];
    let fetched: Promise<void> | undefined;
    hostile.onCommand(/^pol$/, (_, connection) => {
      fetched = (async () => {
        for (const line of fetchers) shown.push(await shows(line, session));
        connection.hangUp();
      })();
      return [];
    });
    expect(await dial(atSign)).toContain("error:AT0008");
    await fetched;
    expect(shown).toEqual([false, false, false, true]);
  });

  it("of an older atServer isn't signed where that is switched off", async () => {
    const strict = await world.start("@strict", { signBareChallenges: false });
    const line = await strict.owner();
    const session = `_${randomUUID()}`;
    const { atSign, hostile } = await verifier(() => `data:proof:${session}@strict:${UUID}`);
    expect((await dial(atSign, line)).replace("@strict@", "@alice@")).toMatch(
      refusedWith("sent a challenge that doesn't say whose it is"),
    );
    expect(hostile.count(/^pol$/)).toBe(0);
  });
});

describe("what is no challenge is not signed", () => {
  const token = (json: unknown): string =>
    `pol1.${Buffer.from(typeof json === "string" ? json : JSON.stringify(json)).toString("base64url")}`;
  const session = `_${UUID}@alice`;
  const malformed: [string, string][] = [
    ["a public key's name", `proof:publickey@alice:${UUID}`],
    ["another record's name", `proof:_x.y@alice:${UUID}`],
    ["a name without underscore", `proof:${UUID}@alice:${UUID}`],
    ["a name that goes on", `proof:_${UUID}.x@alice:${UUID}`],
    ["another prover", `proof:_${UUID}@bob:${UUID}`],
    ["two provers", `proof:_${UUID}@bob@alice:${UUID}`],
    ["no proof", `${session}:${UUID}`],
    ["an owner's challenge", `_${UUID}@alice:${UUID}`],
    ["nothing to sign", `proof:${session}:`],
    ["no third part", `proof:${session}`],
    ["a fourth part", `proof:${session}:${UUID}:${UUID}`],
    ["any text", `proof:${session}:pay.1000`],
    ["a UUID and more", `proof:${session}:${UUID}x`],
    ["an empty token", `proof:${session}:pol1.`],
    ["a later kind of token", `proof:${session}:pol2.${token({ v: "@evil", n: UUID }).slice(5)}`],
    ["a token that is no base64url", `proof:${session}:pol1.{"v":"@evil"}`],
    ["a token that is no JSON", `proof:${session}:${token("v=@evil")}`],
    ["a token that is no object", `proof:${session}:${token(["@evil", UUID])}`],
    ["a token without a verifier", `proof:${session}:${token({ n: UUID })}`],
    ["a token with an invalid verifier", `proof:${session}:${token({ v: "@e vil", n: UUID })}`],
    ["a token with a number for a verifier", `proof:${session}:${token({ v: 1, n: UUID })}`],
    ["a token without a nonce", `proof:${session}:${token({ v: "@evil" })}`],
    ["a token with an empty nonce", `proof:${session}:${token({ v: "@evil", n: "" })}`],
    [
      "a deep token",
      `proof:${session}:${token(`{"v":"@evil","n":${"[".repeat(50)}${"]".repeat(50)}}`)}`,
    ],
    ["a long token", `proof:${session}:${token({ v: "@evil", n: UUID, x: "x".repeat(5_000) })}`],
  ];

  it.each(malformed)("%s", (_, answer) => {
    expect(() => readChallenge(answer, "@evil", "@alice", true)).toThrow(
      expect.objectContaining({ code: "AT0008" }),
    );
  });

  it("and the peer is left, with nothing to be found", async () => {
    const before = await owner.ask("plookup:publickey@alice");
    for (const [, answer] of malformed.slice(0, 4)) {
      const { atSign, hostile } = await verifier(() => `data:${answer}`);
      expect(await dial(atSign)).toMatch(refusedWith("answered from with no challenge"));
      expect(hostile.count(/^pol$/)).toBe(0);
    }
    expect(await owner.ask("plookup:publickey@alice")).toBe(before);
  });
});

describe("a bound challenge", () => {
  it("is a token of the verifier's name and a UUID, padded", () => {
    const text = boundChallenge("@b🦄b", UUID);
    expect(text).toMatch(/^pol1\.[\w-]+={0,2}$/);
    expect((text.length - 5) % 4).toBe(0);
    expect(JSON.parse(Buffer.from(text.slice(5), "base64url").toString())).toEqual({
      v: "@b🦄b",
      n: UUID,
    });
  });

  it.each([
    ["padded", boundChallenge("@bo", UUID)],
    ["unpadded", boundChallenge("@bo", UUID).replace(/=+$/, "")],
    [
      "with further members",
      `pol1.${Buffer.from(JSON.stringify({ alg: "x", v: "bO", n: "1" })).toString("base64url")}`,
    ],
  ])("is signed as it came: %s", (_, text) => {
    const answer = `proof:_${UUID.toUpperCase()}@alice:${text}`;
    expect(readChallenge(answer, "@bo", "@alice", false)).toEqual({
      session: `_${UUID}`,
      text,
      bound: true,
    });
  });
});

describe("a proof", () => {
  const certificates = async () => {
    const seen = async (identity?: Identity) => {
      const line = await world.connect(alice.server.port, identity);
      return line;
    };
    return { named: await seen(local), other: await seen(elsewhere), none: await seen() };
  };

  /** Makes @alice's atServer prove itself, and looks for the proof while it is waited for. */
  async function lookFor(
    place: Place,
    challenge: (atSign: string) => string,
    look: (session: string) => Promise<void>,
  ): Promise<string> {
    const session = `_${randomUUID()}`;
    const atSign = `@look${randomUUID().slice(0, 8)}`;
    const hostile = await HostileServer.start({ tls: local });
    hostiles.push(hostile);
    await world.directoryStore.set(atSign, { host: "localhost", port: hostile.address.port });
    hostile.onCommand(
      /^from:(@\S+)$/,
      (line) => `data:proof:${session}${line.slice(5)}:${challenge(atSign)}`,
    );
    let looked: Promise<void> | undefined;
    hostile.onCommand(/^pol$/, (_, connection) => {
      looked = look(session).finally(() => connection.hangUp());
      return [];
    });
    const answer = await dial(atSign, await place.owner());
    await looked;
    return answer;
  }

  it.each([
    ["bound", true, (atSign: string) => boundChallenge(atSign, UUID), [false, false, true, false]],
    ["bare", true, () => UUID, [true]],
    ["bare", false, () => UUID, [false, false, true, false]],
  ] as const)(
    "for a %s challenge, shown without certificate: %s, is shown to the peer's host alone, and once",
    async (_, proofWithoutCertificate, challenge, expected) => {
      const name = `@prover${randomUUID().slice(0, 8)}`;
      const place = await world.start(name, { proofWithoutCertificate });
      const shown: boolean[] = [];
      await lookFor(place, challenge, async (session) => {
        const ask = async (identity?: Identity): Promise<void> => {
          const line = await world.connect(place.server.port, identity);
          const answer = await line.ask(`lookup:${session}${name}`);
          shown.push(answer.startsWith("data:"));
        };
        await ask();
        await ask(elsewhere);
        await ask(local);
        await ask(local);
      });
      expect(shown.slice(0, expected.length)).toEqual(expected);
      // What was shown once is shown to nobody else.
      expect(shown.filter(Boolean)).toHaveLength(1);
    },
  );

  it("isn't shown in a record's place", async () => {
    const proofs = new Proofs({ ...defaults }, Date.now);
    expect(proofs.take("public:x", () => undefined)).toBeUndefined();
    let session = "";
    await lookFor(
      alice,
      (atSign) => boundChallenge(atSign, UUID),
      async (found) => {
        session = found;
        await alice.store.write((writer) =>
          writer.put(`public:${session}@alice`, { value: "mine", metadata: {} }),
        );
        const { named } = await certificates();
        expect(await named.ask(`lookup:${session}@alice`)).toBe("data:mine\n@");
      },
    );
    expect(session).not.toBe("");
  });

  it("is gone after the handshake, and after a minute", async () => {
    let now = 0;
    const proofs = new Proofs({ ...defaults }, () => now);
    const proof = { text: "signature", host: undefined, bound: false };
    proofs.put("a", proof);
    now = 60_001;
    expect(proofs.take("a", () => undefined)).toBeUndefined();
    proofs.put("b", proof);
    proofs.remove("b");
    expect(proofs.take("b", () => undefined)).toBeUndefined();
    let session = "";
    await lookFor(
      alice,
      (atSign) => boundChallenge(atSign, UUID),
      async (found) => {
        session = found;
      },
    );
    const { named } = await certificates();
    expect(await shows(named, session)).toBe(false);
  });
});

describe("pol between an older and this atServer", () => {
  it("an older prover signs the token as it is", async () => {
    const line = await loginAsPeer(world, alice, bob);
    expect(await line.ask("noop:0")).toBe("data:ok\n@alice@");
  });

  it.each(["with", "without"])(
    "an older verifier %s a certificate gets a signed UUID",
    async (kind) => {
      const prover = await world.start(`@new${kind}`, { proofWithoutCertificate: true });
      const { atSign } = prover.server;
      const challenge = randomUUID();
      const session = `_${randomUUID()}`;
      const hostile = await HostileServer.start({ tls: local });
      hostiles.push(hostile);
      await world.directoryStore.set(`@old${kind}`, {
        host: "localhost",
        port: hostile.address.port,
      });
      hostile.onCommand(/^from:/, () => `data:proof:${session}${atSign}:${challenge}`);
      hostile.onCommand(
        /^lookup:all:secret/,
        () => 'data:{"key":"x","data":"found","metaData":{}}',
      );
      let valid: boolean | undefined;
      const check = async (connection: HostileConnection): Promise<void> => {
        const line = await world.connect(prover.server.port, kind === "with" ? local : undefined);
        const data = async (command: string): Promise<string> =>
          /^data:(\S+)\n/.exec(await line.ask(command))?.[1] ?? "";
        const signature = Buffer.from(await data(`lookup:${session}${atSign}`), "base64");
        const key = await data(`lookup:signing_publickey${atSign}`);
        const der = { key: Buffer.from(key, "base64"), format: "der", type: "spki" } as const;
        valid = verify("sha256", Buffer.from(challenge), createPublicKey(der), signature);
        connection.write(`${atSign}@`);
      };
      let checked: Promise<void> | undefined;
      hostile.onCommand(/^pol$/, (_, connection) => {
        checked = check(connection);
        return [];
      });
      const owner = await prover.owner();
      expect(await owner.ask(`lookup:secret@old${kind}`)).toBe(`data:found\n${atSign}@`);
      await checked;
      expect(valid).toBe(true);
    },
  );

  it("two of this kind get on", async () => {
    const other = await bob.owner();
    await other.ask("update:@alice:shared.x@bob yes");
    expect(await owner.ask("lookup:shared.x@bob")).toBe("data:yes\n@alice@");
  });

  it("a signature by another key is no login", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const line = await world.connect(bob.server.port, local);
    const [, session = ""] = PROOF.exec(await line.ask("from:@alice")) ?? [];
    const value = privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
    await alice.store.write((writer) =>
      writer.put(`public:${session}@alice`, { value, metadata: {} }),
    );
    expect(await line.ask("pol")).toBe("error:AT0401-Exception: Pol Authentication Failed\n@");
  });
});
