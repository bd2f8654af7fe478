// SPDX-License-Identifier: BSD-3-Clause
import { createPublicKey } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MAX_APPROVAL_DEPTH } from "../../server/enrollment/decision.ts";
import { type ApkamKeys, apkamKeysOf, newApkamKeys } from "../server/apkamKeys.ts";
import { applicant, approval, parameters, request } from "../server/conformance/applicant.ts";
import { type Enrolled, enrolled, loginEnrolled, payloadOf } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { dataOf } from "../server/notifications.ts";
import { identity, type Place, pkamLine, World } from "../server/world.ts";

const ROOT = { "*": "rw", __manage: "rw" };
const MANAGER = { wavi: "rw", __manage: "rw" };
const APP = { wavi: "rw" };
const HOUR = 3_600_000;
const PENDING_LIFE = 48 * HOUR;

describe("a revocation", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let now = 1_700_000_000_000;
  let places = 0;
  beforeAll(async () => {
    world = await World.create();
  });
  beforeEach(async () => {
    alice = await world.start(`@alice${places++}`, {
      now: () => now,
      enrollmentMaxRequests: 1_000,
    });
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  const command = (operation: string, id: string): string =>
    `enroll:${operation}:${JSON.stringify({ enrollmentId: id })}`;
  const decide = async (operation: string, id: string, line = owner): Promise<unknown> =>
    payloadOf(await line.ask(command(operation, id)));
  const stateOf = async (id: string): Promise<unknown> =>
    (payloadOf(await owner.ask(command("fetch", id))) as { status: string }).status;
  /** Enrols on a client's connection: it asks and approves. */
  const child = (
    parent: Enrolled,
    namespaces: Record<string, string>,
    more = {},
  ): Promise<Enrolled> => enrolled(alice, namespaces, more, parent.line);
  const refusal = (id: string, keys: ApkamKeys): Promise<string> =>
    loginEnrolled(alice, id, keys).then(
      () => "logged in",
      (error: Error) => error.message,
    );
  const revokedText = (id: string): string => `error:AT0027:enrollment_id: ${id} is revoked\n@`;

  it("takes all that was approved by what is revoked, to any depth, with what they have open", async () => {
    const manager = await enrolled(alice, MANAGER);
    const son = await child(manager, MANAGER);
    const grandson = await child(son, MANAGER);
    const app = await child(grandson, APP);
    const other = await enrolled(alice, APP);
    expect(await decide("revoke", manager.id)).toEqual({
      status: "revoked",
      enrollmentId: manager.id,
      cascadedEnrollmentIds: expect.arrayContaining([son.id, grandson.id, app.id]),
    });
    for (const { id, keys, line } of [manager, son, grandson, app]) {
      expect(await line.closed()).toBe("");
      expect(await refusal(id, keys)).toBe(revokedText(id));
    }
    expect(await other.line.ask("noop:0")).toMatch(/^data:ok/);
    expect(await decide("revoke", other.id)).toEqual({ status: "revoked", enrollmentId: other.id });
  });

  it("takes them also when one between has lived its time and is gone", async () => {
    const manager = await enrolled(alice, MANAGER);
    const brief = await child(manager, MANAGER, { apkamKeysExpiryInMillis: 1_000 });
    const app = await child(brief, APP);
    now += 1_001;
    await alice.store.write((writer) => {
      for (const key of writer.expired(now)) writer.remove(key, false);
    });
    expect(await owner.ask(command("fetch", brief.id))).toMatch(/^error:AT0015-/);
    expect(await decide("revoke", manager.id)).toMatchObject({ cascadedEnrollmentIds: [app.id] });
    expect(await app.line.closed()).toBe("");
    expect(await refusal(app.id, app.keys)).toBe(revokedText(app.id));
  });

  it("takes nothing that only was asked for", async () => {
    const manager = await enrolled(alice, MANAGER);
    const pending = await applicant(manager.line, APP);
    expect(await decide("revoke", manager.id)).not.toHaveProperty("cascadedEnrollmentIds");
    expect(await stateOf(pending.id)).toBe("pending");
  });

  it("isn't made by one it would take", async () => {
    const manager = await enrolled(alice, MANAGER);
    const son = await child(manager, MANAGER);
    const grandson = await child(son, MANAGER);
    expect(await grandson.line.ask(command("revoke", manager.id))).toMatch(
      /^error:AT0031-Cannot revoke self enrollment : .*by which its own enrollment was approved\n/,
    );
    for (const { id } of [manager, son, grandson]) expect(await stateOf(id)).toBe("approved");
    expect(await grandson.line.ask("noop:0")).toMatch(/^data:ok/);
  });

  it("of one's own enrollment takes what it approved at once, and oneself after a while", async () => {
    const manager = await enrolled(alice, MANAGER);
    const app = await child(manager, APP);
    const reply = await manager.line.ask(
      `enroll:revoke:force:${JSON.stringify({ enrollmentId: manager.id })}`,
    );
    expect(payloadOf(reply)).toMatchObject({
      cascadedEnrollmentIds: [app.id],
      message: "Enrollment is revoked. Closing the connection in 10 seconds",
    });
    expect(await app.line.closed()).toBe("");
    expect(await manager.line.ask("update:a.wavi@x 1")).toMatch(/^error:/);
  });

  it("ends the passcodes that were made by what it takes, and no others", async () => {
    const manager = await enrolled(alice, MANAGER);
    const son = await child(manager, MANAGER);
    const other = await enrolled(alice, MANAGER);
    const theirs = [
      dataOf(await manager.line.ask(`otp:get:ttl:${HOUR}`)),
      dataOf(await son.line.ask(`otp:get:ttl:${HOUR}`)),
    ];
    await son.line.ask("otp:put:PERMANENT1");
    const good = [
      dataOf(await owner.ask(`otp:get:ttl:${HOUR}`)),
      dataOf(await other.line.ask(`otp:get:ttl:${HOUR}`)),
    ];
    await decide("revoke", manager.id);
    const ask = async (otp: string): Promise<string> => {
      now += 60_000;
      return (await alice.open()).ask(request(parameters(APP, { otp })));
    };
    for (const otp of [...theirs, "PERMANENT1"]) expect(await ask(otp)).toMatch(/invalid otp/);
    await decide("unrevoke", manager.id);
    await decide("unrevoke", son.id);
    for (const otp of [...theirs, "PERMANENT1"]) expect(await ask(otp)).toMatch(/invalid otp/);
    for (const otp of good) {
      expect(await ask(otp)).toMatch(/"status":"pending"/);
    }
  });

  it("ends the passcodes of an enrollment that has lived its time", async () => {
    const brief = await enrolled(alice, MANAGER, { apkamKeysExpiryInMillis: 1_000 });
    await brief.line.ask("otp:put:PERMANENT1");
    now += 1_001;
    expect(await (await alice.open()).ask(request(parameters(APP, { otp: "PERMANENT1" })))).toMatch(
      /invalid otp/,
    );
  });

  it("never leaves an atSign without an enrollment that has all rights", async () => {
    const root = await enrolled(alice, ROOT);
    await enrolled(alice, ROOT, { apkamKeysExpiryInMillis: HOUR });
    const force = `enroll:revoke:force:${JSON.stringify({ enrollmentId: root.id })}`;
    const last =
      /^error:AT0031-Cannot revoke self enrollment : The last enrollment with all rights/;
    expect(await root.line.ask(force)).toMatch(last);
    const deputy = await child(root, { ...ROOT });
    // It would fall with the one that approved it.
    expect(await root.line.ask(force)).toMatch(last);
    const other = await enrolled(alice, ROOT);
    expect(payloadOf(await root.line.ask(force))).toMatchObject({
      cascadedEnrollmentIds: [deputy.id],
    });
    const manager = await enrolled(alice, { ...ROOT });
    expect(payloadOf(await manager.line.ask(command("revoke", other.id)))).toMatchObject({
      status: "revoked",
    });
    // Who isn't limited to an enrollment isn't asked.
    expect(await decide("revoke", manager.id)).toMatchObject({ status: "revoked" });
  });

  it("isn't taken back while who approved is revoked", async () => {
    const manager = await enrolled(alice, MANAGER);
    const son = await child(manager, MANAGER);
    const app = await child(son, APP);
    await decide("revoke", manager.id);
    for (const { id } of [son, app]) {
      expect(await owner.ask(command("unrevoke", id))).toMatch(
        /^error:AT0032-Illegal state exception : Failed to unrevoke enrollment id: .* The enrollment that approved it, .*, is revoked\n/,
      );
    }
    expect(await decide("unrevoke", manager.id)).toEqual({
      status: "approved",
      enrollmentId: manager.id,
    });
    expect(await stateOf(son.id)).toBe("revoked");
    expect(await owner.ask(command("unrevoke", app.id))).toMatch(/^error:AT0032-/);
    for (const { id, keys } of [son, app]) {
      await decide("unrevoke", id);
      expect(await refusal(id, keys)).toBe("logged in");
    }
    await decide("revoke", manager.id);
    await owner.ask(command("delete", son.id));
    expect(await owner.ask(command("unrevoke", app.id))).toMatch(/^error:AT0032-/);
    await owner.ask(command("delete", manager.id));
    expect(await owner.ask(command("unrevoke", app.id))).toMatch(
      /^error:AT0032-.* The enrollment that approved it, .*, is no longer known\n/,
    );
    expect(await refusal(app.id, app.keys)).toBe(revokedText(app.id));
  });

  it("stands against an approval that was on its way", async () => {
    for (let round = 0; round < 5; round++) {
      const manager = await enrolled(alice, MANAGER);
      const pending = await applicant(owner, APP);
      const replies = await Promise.allSettled([
        owner.ask(command("revoke", manager.id)),
        manager.line.ask(approval(pending.id)),
      ]);
      expect(replies[0]).toMatchObject({ status: "fulfilled" });
      expect(["pending", "revoked"]).toContain(await stateOf(pending.id));
    }
  });

  it("is of the enrollment, however its id was written", async () => {
    const app = await enrolled(alice, APP);
    const line = await loginEnrolled(alice, app.id.toUpperCase(), app.keys);
    expect(await line.ask(command("revoke", app.id.toUpperCase()))).toMatch(/^error:AT0031-/);
    await decide("revoke", ` ${app.id.toUpperCase()}`);
    expect(await app.line.closed()).toBe("");
    expect(await line.closed()).toBe("");
  });

  it("is noted for good, with who did it and whence it came, beside the commit log", async () => {
    const manager = await enrolled(alice, MANAGER);
    const app = await child(manager, APP);
    const before = alice.store.lastCommitId();
    await decide("revoke", manager.id);
    await decide("unrevoke", manager.id);
    const deputy = await enrolled(alice, MANAGER);
    await decide("revoke", manager.id, deputy.line);
    const events = [...alice.store.records()]
      .filter(([key]) => key.includes(".revocation.events.__manage@"))
      .map(([key, { value, metadata }]) => {
        expect(key).toMatch(/^[-0-9a-f]{36}\.revocation\.events\.__manage@alice\d+$/);
        expect(metadata.expiresAt).toBeUndefined();
        return JSON.parse(value ?? "") as Record<string, unknown>;
      });
    const at = new Date(now).toISOString();
    const of = (id: string, namespaces: object): object => ({ enrollmentId: id, at, namespaces });
    expect(events).toHaveLength(4);
    expect(events).toEqual(
      expect.arrayContaining([
        { event: "revoked", ...of(manager.id, MANAGER) },
        { event: "revoked", ...of(app.id, APP), cascadedFrom: manager.id },
        { event: "unrevoked", ...of(manager.id, MANAGER) },
        { event: "revoked", ...of(manager.id, MANAGER), byEnrollmentId: deputy.id },
      ]),
    );
    expect(alice.store.lastCommitId()).toBe(before);
  });

  it("has the owner's key revoked that the first enrollment has, when another root is left", async () => {
    const fresh = await world.start(`@fresh${places}`, { now: () => now });
    const { atSign } = fresh.server;
    const keys = apkamKeysOf("@bravo");
    const cram = await fresh.cram();
    const first = payloadOf(
      await cram.ask(request(parameters(APP, { apkamPublicKey: keys.publicKey }))),
    ) as { enrollmentId: string };
    const loginWithKey = async (): Promise<[Line, string]> => {
      const line = await fresh.open();
      return [line, await line.ask(await pkamLine(line, atSign, identity("@bravo").privateKey))];
    };
    const success = `data:success\n${atSign}@`;
    await cram.ask("delete:privatekey:at_secret");
    await cram.ask(command("revoke", first.enrollmentId));
    const [line, reply] = await loginWithKey();
    // Nobody else could get in.
    expect(reply).toBe(success);
    await cram.ask(command("unrevoke", first.enrollmentId));
    await enrolled(fresh, ROOT, {}, line);
    const live = await loginEnrolled(fresh, first.enrollmentId, keys);
    await cram.ask(command("revoke", first.enrollmentId));
    expect(await live.closed()).toBe("");
    expect(await line.closed()).toBe("");
    expect((await loginWithKey())[1]).toMatch(/^error:AT0015-.*at_pkam_publickey does not exist/);
    expect(await cram.ask("noop:0")).toMatch(/^data:ok/);
  });

  it("and a denial don't give a longer life", async () => {
    const denied = await applicant(owner, APP);
    await decide("deny", denied.id);
    now += PENDING_LIFE;
    expect(await stateOf(denied.id)).toBe("denied");
    now += 1;
    expect(await stateOf(denied.id)).toBe("expired");
    const timed = await enrolled(alice, APP, { apkamKeysExpiryInMillis: 10 * HOUR });
    now += 6 * HOUR;
    owner = await alice.owner();
    await decide("revoke", timed.id);
    now += 2 * HOUR;
    owner = await alice.owner();
    await decide("unrevoke", timed.id);
    now += 2 * HOUR;
    expect(await refusal(timed.id, timed.keys)).toBe("logged in");
    now += 1;
    expect(await refusal(timed.id, timed.keys)).toMatch(/^error:AT0028:/);
  });

  it("reaches everything: a chain of approvals has an end", async () => {
    let line = owner;
    const keys = newApkamKeys();
    let last: Enrolled | undefined;
    for (let i = 0; i <= MAX_APPROVAL_DEPTH; i++) {
      last = await enrolled(alice, MANAGER, {}, line);
      line = last.line;
    }
    const one = await applicant(owner, APP, { apkamPublicKey: keys.publicKey });
    expect(await line.ask(approval(one.id))).toMatch(/^error:AT0032-.*approve with an earlier one/);
    expect(await one.approve(owner)).toMatch(/^data:/);
  });
});

describe("one key", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { enrollmentMaxRequests: 1_000 });
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  const held =
    "The apkamPublicKey is already held by another enrollment on this atSign; every enrollment needs a keypair of its own\n";
  const asked = (apkamPublicKey: string, more = {}): string =>
    request(parameters(APP, { apkamPublicKey, ...more }));

  it.each(["pending", "approved", "denied", "revoked"])(
    "serves no second enrollment beside one that is %s",
    async (state) => {
      const one = await applicant(owner, APP);
      const decide = (operation: string): Promise<string> =>
        owner.ask(`enroll:${operation}:${JSON.stringify({ enrollmentId: one.id })}`);
      if (state === "denied") await decide("deny");
      if (state === "approved" || state === "revoked") await one.approve(owner);
      if (state === "revoked") await decide("revoke");
      expect(await owner.ask(asked(one.keys.publicKey))).toBe(
        `error:AT0032-Illegal state exception : ${held}@alice@`,
      );
      const otp = dataOf(await owner.ask("otp:get"));
      expect(await (await alice.open()).ask(asked(one.keys.publicKey, { otp }))).toBe(
        `error:AT0032-Exception: ${held}@`,
      );
      const cram = await alice.cram();
      expect(await cram.ask(asked(one.keys.publicKey))).toContain(held);
    },
  );

  it("is the same however it is spelt", async () => {
    const { keys } = await applicant(owner, APP);
    const point = Buffer.from(keys.publicKey, "hex");
    const jwk = {
      kty: "EC",
      crv: "P-256",
      x: point.subarray(1, 33).toString("base64url"),
      y: point.subarray(33).toString("base64url"),
    };
    const spki = createPublicKey({ key: jwk, format: "jwk" }).export({
      format: "der",
      type: "spki",
    });
    for (const text of [
      keys.publicKey.toUpperCase(),
      ` ${keys.publicKey} `,
      spki.toString("base64"),
      spki.toString("base64url"),
    ]) {
      expect(await owner.ask(asked(text)), text).toContain(held);
    }
    const rsa = apkamKeysOf("@bravo").publicKey;
    expect(await owner.ask(asked(rsa))).toMatch(/^data:/);
    for (const text of [`${rsa.slice(0, 80)}\\n${rsa.slice(80)}`, rsa.replaceAll("+", "-")]) {
      expect(await owner.ask(asked(text.replaceAll("\\n", "\n"))), text).toContain(held);
    }
    for (const text of ["AAAA", "no key at all ä"]) {
      expect(await owner.ask(asked(text))).toMatch(/^data:/);
      expect(await owner.ask(asked(text))).toContain(held);
    }
  });

  it("of two requests that come together serves one", async () => {
    const { publicKey } = newApkamKeys();
    const lines = await Promise.all(Array.from({ length: 4 }, () => alice.owner()));
    const replies = await Promise.all(lines.map((line) => line.ask(asked(publicKey))));
    expect(replies.filter((reply) => reply.startsWith("data:"))).toHaveLength(1);
    expect(replies.filter((reply) => reply.includes(held))).toHaveLength(3);
  });
});

describe("who may look at enrollments", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let root: Enrolled;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { enrollmentMaxRequests: 1_000 });
    owner = await alice.owner();
    root = await enrolled(alice, ROOT, { apkamKeysExpiryInMillis: HOUR });
  });
  afterAll(() => world.close());

  type Listed = Record<string, Record<string, unknown>>;
  const key = ({ id }: { id: string }): string => `${id}.new.enrollments.__manage@alice`;
  const listed = async (line: Line): Promise<Listed> =>
    payloadOf(await line.ask("enroll:list")) as Listed;
  const fetch = (line: Line, { id }: { id: string }): Promise<string> =>
    line.ask(`enroll:fetch:${JSON.stringify({ enrollmentId: id })}`);

  it("sees whole records with all rights, and may read and write __manage", async () => {
    const manager = await enrolled(alice, { __manage: "rw" });
    for (const line of [owner, root.line, manager.line]) {
      const found = (await listed(line))[key(root)];
      expect(found).toMatchObject({
        namespaces: ROOT,
        namespace: ROOT,
        apkamPublicKey: root.keys.publicKey,
        encryptedAPKAMSymmetricKey: "SYM",
        approval: { state: "approved" },
        status: "approved",
      });
      expect(found?.expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect((await listed(line))[key(manager)]?.expiresAt).toBeNull();
    }
  });

  it("sees nobody's keys with __manage to read, and only itself without", async () => {
    const reader = await enrolled(alice, { __manage: "r" });
    const roster = await listed(reader.line);
    expect(roster[key(root)]).toMatchObject({ namespaces: ROOT, status: "approved" });
    for (const [name, shown] of Object.entries(roster)) {
      if (name === key(reader)) continue;
      expect(shown).not.toHaveProperty("encryptedAPKAMSymmetricKey");
      expect(shown).not.toHaveProperty("apkamPublicKey");
    }
    expect(roster[key(reader)]).toMatchObject({ apkamPublicKey: reader.keys.publicKey });
    const app = await enrolled(alice, { "*": "rw" });
    expect(Object.keys(await listed(app.line))).toEqual([key(app)]);
  });

  it("fetches and deletes what it could have been granted itself", async () => {
    const wavi = await enrolled(alice, APP);
    const buzz = await enrolled(alice, { buzz: "r" });
    const none = await applicant(owner, {});
    const manager = await enrolled(alice, MANAGER);
    const reader = await enrolled(alice, { "*": "rw", __manage: "r" });
    const denied = (id: string): string =>
      `error:AT0009-UnAuthorized client in request : Connection with enrollment ID ${id} is not authorized to fetch enrollment: `;
    for (const one of [wavi, buzz, none, manager, root]) {
      expect(await fetch(owner, one)).toMatch(/^data:\{"appName":.*"expiresAt":/);
    }
    expect(await fetch(wavi.line, wavi)).toMatch(/^data:/);
    expect(await fetch(wavi.line, buzz)).toContain(denied(wavi.id));
    expect(await fetch(manager.line, wavi)).toMatch(/^data:/);
    for (const one of [buzz, none, root]) {
      expect(await fetch(manager.line, one)).toContain(denied(manager.id));
    }
    expect(await fetch(reader.line, buzz)).toMatch(/^data:/);
    expect(await fetch(reader.line, manager)).toContain(denied(reader.id));
    expect(await fetch(reader.line, { id: "nobody" })).toMatch(/^error:AT0015-/);
    const foreign = /^error:AT0011-.*Failed to delete enrollment id: .* Client is not authorized/;
    for (const { id } of [buzz, none, root]) {
      const reply = await manager.line.ask(`enroll:delete:${JSON.stringify({ enrollmentId: id })}`);
      expect(reply).toMatch(foreign);
    }
  });

  it("decides nothing and makes no passcodes with __manage to read only", async () => {
    const reader = await enrolled(alice, { "*": "rw", __manage: "r" });
    const pending = await applicant(owner, APP);
    const app = await enrolled(alice, APP);
    const looks = /^error:AT0011-.*may only read the "__manage" namespace\n/;
    const command = (operation: string, { id }: { id: string }): string =>
      `enroll:${operation}:${JSON.stringify({ enrollmentId: id })}`;
    expect(await pending.approve(reader.line)).toMatch(looks);
    expect(await reader.line.ask(command("deny", pending))).toMatch(looks);
    expect(await reader.line.ask(command("revoke", app))).toMatch(looks);
    await owner.ask(command("revoke", app));
    expect(await reader.line.ask(command("unrevoke", app))).toMatch(looks);
    expect(await reader.line.ask(command("delete", app))).toMatch(looks);
    expect(await fetch(reader.line, app)).toMatch(/^data:.*"revoked"/);
    expect(await reader.line.ask("otp:get")).toMatch(/^error:AT0009-/);
    expect(await reader.line.ask("otp:put:PERMANENT1")).toMatch(/^error:AT0011-/);
    expect(await fetch(owner, pending)).toMatch(/^data:.*"pending"/);
  });

  it("can't give what `*` doesn't: __manage is given by who has it by name", async () => {
    const reader = await enrolled(alice, { "*": "rw", __manage: "r" });
    for (const namespaces of [{ __manage: "rw" }, { ...ROOT }]) {
      const one = await applicant(owner, namespaces);
      expect(await one.approve(reader.line)).toMatch(
        /^error:AT0011-.*not authorized for namespaces/,
      );
    }
    const narrow = await enrolled(alice, { "*": "rw", wavi: "r", __manage: "rw" });
    const one = await applicant(owner, APP);
    expect(await one.approve(narrow.line)).toMatch(/^error:AT0011-.*not authorized for namespaces/);
  });
});
