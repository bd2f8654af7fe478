// SPDX-License-Identifier: BSD-3-Clause
// A login without an enrollment's id, with an enrollment's key, is that enrollment's: it can do as much, and ends with it.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { apkamKeysOf } from "../server/apkamKeys.ts";
import { applicant, approval, parameters, request } from "../server/conformance/applicant.ts";
import { enrolled, loginEnrolled, payloadOf } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { dataOf } from "../server/notifications.ts";
import { identity, type Place, pkamLine, World } from "../server/world.ts";

const ROOT = { "*": "rw", __manage: "rw" };
const APP = { wavi: "rw" };
const HOUR = 3_600_000;
const OWNER_KEY = "privatekey:at_pkam_publickey";
const keys = apkamKeysOf("@bravo");

describe("a login with an enrollment's key and without its id", () => {
  let world: World;
  let place: Place;
  let cram: Line;
  let now = 1_700_000_000_000;
  let places = 0;
  beforeAll(async () => {
    world = await World.create();
  });
  beforeEach(async () => {
    place = await world.start(`@fresh${places++}`, {
      now: () => now,
      enrollmentMaxRequests: 1_000,
    });
    cram = await place.cram();
  });
  afterAll(() => world.close());

  /** The first enrollment of the atSign, which has all rights; its id. */
  const first = async (more: Record<string, unknown> = {}): Promise<string> => {
    const asked = parameters(APP, { apkamPublicKey: keys.publicKey, ...more });
    return (payloadOf(await cram.ask(request(asked))) as { enrollmentId: string }).enrollmentId;
  };
  const command = (operation: string, id: string): string =>
    `enroll:${operation}:${JSON.stringify({ enrollmentId: id })}`;
  const attempt = async (): Promise<{ line: Line; reply: string }> => {
    const line = await place.open();
    const login = await pkamLine(line, place.server.atSign, identity("@bravo").privateKey);
    return { line, reply: await line.ask(login) };
  };
  const refusal = async (): Promise<string> => (await attempt()).reply;
  const login = async (): Promise<Line> => {
    const { line, reply } = await attempt();
    expect(reply).toBe(`data:success\n${place.server.atSign}@`);
    return line;
  };
  /** Another enrollment with all rights, which lasts. */
  const root = async (): Promise<Line> => {
    const otp = dataOf(await cram.ask("otp:get"));
    const asked = await applicant(await place.open(), ROOT, { otp });
    expect(await asked.approve(cram)).toMatch(/^data:/);
    return (await asked.login(place)).line;
  };
  const restart = async (): Promise<void> => {
    const { store, config } = place;
    await world.stop(place);
    place = await world.start(place.server.atSign, { ...config, port: 0, store });
  };

  it("ends with it, and so does all it approved and every passcode it made", async () => {
    const id = await first();
    const other = await root();
    const line = await login();
    const child = await enrolled(place, APP, {}, line);
    const grandchild = await applicant(line, ROOT);
    expect(await grandchild.approve(line)).toMatch(/^data:/);
    const otp = dataOf(await line.ask(`otp:get:ttl:${HOUR}`));
    await line.ask("otp:put:PERMANENT1");
    expect(payloadOf(await other.ask(command("revoke", id)))).toEqual({
      status: "revoked",
      enrollmentId: id,
      cascadedEnrollmentIds: expect.arrayContaining([child.id, grandchild.id]),
    });
    expect(await line.closed()).toBe("");
    expect(await child.line.closed()).toBe("");
    expect(await grandchild.refusal(place)).toMatch(/^error:AT0027:/);
    for (const passcode of [otp, "PERMANENT1"]) {
      now += 60_000;
      const asked = request(parameters(APP, { otp: passcode }));
      expect(await (await place.open()).ask(asked)).toMatch(/invalid otp/);
    }
    expect(await refusal()).toMatch(/^error:AT0015-/);
  });

  it("is in what it approves the parent, and revokes itself only when forced", async () => {
    const id = await first();
    const line = await login();
    const child = await enrolled(place, APP, {}, line);
    const listed = payloadOf(await cram.ask("enroll:list")) as Record<string, object>;
    const key = `${child.id}.new.enrollments.__manage${place.server.atSign}`;
    expect(listed[key]).toMatchObject({ parentEnrollmentId: id });
    expect(await line.ask(command("revoke", id))).toMatch(/^error:AT0031-/);
    expect(await line.ask(`enroll:revoke:force:${JSON.stringify({ enrollmentId: id })}`)).toMatch(
      /^error:AT0031-.*The last enrollment with all rights/,
    );
  });

  it("has that enrollment's rights and no more", async () => {
    await first();
    const line = await login();
    for (const denied of [
      `update:${OWNER_KEY} X`,
      `llookup:${place.server.atSign}:signing_privatekey${place.server.atSign}`,
    ]) {
      expect(await line.ask(denied)).toMatch(/^error:AT0009-/);
    }
    expect(await line.ask("keys:get:public")).toMatch(/^data:\[/);
    expect(await line.ask("update:public:publickey@x KEY")).toMatch(/^error:AT0016-/);
  });

  it("isn't possible any more once it was revoked and deleted, whatever is approved then", async () => {
    const id = await first();
    await cram.ask(command("revoke", id));
    expect(await refusal()).toMatch(/^error:AT00(15|27)/);
    expect(await cram.ask(command("delete", id))).toMatch(/^data:/);
    expect(await refusal()).toMatch(/^error:AT00(15|28)/);
    await root();
    expect(await refusal()).toMatch(/^error:AT00(15|28)/);
    await restart();
    expect(await refusal()).toMatch(/^error:AT00(15|28)/);
  });

  it("stays the way in while it is the only one, and until another is made", async () => {
    const id = await first();
    await cram.ask("delete:privatekey:at_secret");
    await cram.ask(command("revoke", id));
    const [line, watching] = [await login(), await login()];
    expect(await line.ask(command("delete", id))).toMatch(
      /^error:AT0031-.*is the only one that can log in: approve an enrollment with all rights first\n/,
    );
    await restart();
    expect(await line.closed()).toBe("");
    expect(await watching.closed()).toBe("");
    const [acting, other] = [await login(), await login()];
    const next = await applicant(acting, ROOT);
    expect(await acting.ask(approval(next.id))).toMatch(/^data:/);
    expect(await other.closed()).toBe("");
    expect(await refusal()).toMatch(/^error:AT0015-/);
    expect((await next.login(place)).reply).toMatch(/^data:success/);
  });

  it("ends when the enrollment has lived its time, also when nothing is left of it", async () => {
    const id = await first({ apkamKeysExpiryInMillis: HOUR });
    const line = await login();
    now += HOUR + 1;
    line.send("noop:0\n");
    expect(await line.closed()).toBe("");
    const gone = `error:AT0028:enrollment_id: ${id} is expired or invalid\n@`;
    expect(await refusal()).toBe(gone);
    await restart();
    expect(place.store.record(`${id}.new.enrollments.__manage${place.server.atSign}`)).toBe(
      undefined,
    );
    expect(await refusal()).toBe(gone);
    cram = await place.cram();
    await root();
    expect(await refusal()).toMatch(/^error:AT00(15|28)/);
  });

  it("ends likewise in a store of an earlier version, which didn't note whose the key is", async () => {
    await first({ apkamKeysExpiryInMillis: HOUR });
    await place.store.write((writer) =>
      writer.put(OWNER_KEY, { value: keys.publicKey, metadata: {} }),
    );
    await login();
    now += HOUR + 1;
    await restart();
    expect(await refusal()).toMatch(/^error:AT0028:/);
  });

  it("is the owner's own again with a key that nobody was enrolled with", async () => {
    const id = await first();
    await root();
    await cram.ask(command("revoke", id));
    await cram.ask(command("delete", id));
    expect(await cram.ask(`update:${OWNER_KEY} ${identity("@alpha").publicKey}`)).toMatch(/^data:/);
    const line = await place.open();
    const answer = await pkamLine(line, place.server.atSign, identity("@alpha").privateKey);
    expect(await line.ask(answer)).toMatch(/^data:success/);
    expect(await line.ask(`update:${OWNER_KEY} ${identity("@alpha").publicKey}`)).toMatch(/^data:/);
  });

  it("isn't an applicant's: nobody is enrolled with the owner's key", async () => {
    const owner = await place.owner();
    const apkamPublicKey = identity("@alpha").publicKey;
    const otp = dataOf(await owner.ask("otp:get"));
    for (const line of [owner, await place.open()]) {
      const asked = request(parameters(APP, { apkamPublicKey, otp }));
      expect(await line.ask(asked)).toMatch(/^error:AT0032-/);
    }
    await loginEnrolled(place, await first(), keys);
  });
});
