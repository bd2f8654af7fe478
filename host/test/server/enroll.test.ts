// SPDX-License-Identifier: BSD-3-Clause
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApkamKeys, apkamKeysOf, newApkamKeys } from "./apkamKeys.ts";
import type { Line } from "./line.ts";
import { challengeOf, identity, type Place, pkamLine, World } from "./world.ts";

/** The keys of who asks first; every other enrollment of an atSign has its own. */
const apkam = apkamKeysOf("@bravo");

function payload(reply: string): Record<string, unknown> {
  const match = /^data:(.*)\n@/.exec(reply);
  if (match?.[1] === undefined) throw new Error(reply);
  return JSON.parse(match[1]);
}

function request(changes: Record<string, unknown> = {}): string {
  return `enroll:request:${JSON.stringify({
    appName: "wavi",
    deviceName: "pixel",
    namespaces: { wavi: "rw" },
    encryptedAPKAMSymmetricKey: "SYM",
    apkamPublicKey: apkam.publicKey,
    ...changes,
  })}`;
}

const approval = (enrollmentId: string, more: Record<string, string> = {}): string =>
  `enroll:approve:${JSON.stringify({
    enrollmentId,
    encryptedDefaultEncryptionPrivateKey: "ENC",
    encryptedDefaultSelfEncryptionKey: "SELF",
    ...more,
  })}`;

describe("APKAM", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let devices = 0;
  const keysOf = new Map<string, ApkamKeys>();

  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  /** Requests on the owner's behalf and gives the id of the pending enrollment. */
  async function pending(changes: Record<string, unknown> = {}): Promise<string> {
    const line = await alice.owner();
    const keys = newApkamKeys();
    const own = { deviceName: `d${devices++}`, apkamPublicKey: keys.publicKey };
    const id = String(payload(await line.ask(request({ ...own, ...changes }))).enrollmentId);
    keysOf.set(id, keys);
    return id;
  }

  async function approved(namespaces: Record<string, string>, more = {}): Promise<string> {
    const id = await pending({ namespaces, ...more });
    expect(payload(await owner.ask(approval(id)))).toEqual({
      status: "approved",
      enrollmentId: id,
    });
    return id;
  }

  async function login(id: string): Promise<Line> {
    const line = await alice.open();
    const challenge = challengeOf(await line.ask("from:@alice"));
    const keys = keysOf.get(id) ?? apkam;
    const reply = await line.ask(`pkam:enrollmentId:${id}:${keys.sign(challenge)}`);
    if (reply !== "data:success\n@alice@") throw new Error(reply);
    return line;
  }

  const refusal = (id: string): Promise<string> =>
    login(id).then(
      () => "logged in",
      (error: Error) => error.message,
    );

  it("admits a client with a passcode, once, and tells the owner's monitors", async () => {
    const watch = await alice.owner();
    watch.send("monitor:selfNotifications\n");
    const otp = String(/^data:(\w+)\n/.exec(await owner.ask("otp:get"))?.[1]);
    const line = await alice.open();
    const wrong = "error:AT0011-Exception: invalid otp. Cannot process enroll request\n@";
    expect(await line.ask(request())).toBe(wrong);
    expect(await line.ask(request({ otp: "WRONG1" }))).toBe(wrong);
    const reply = payload(await line.ask(request({ otp: otp.toLowerCase() })));
    expect(reply.status).toBe("pending");
    expect(await line.ask(request({ otp, deviceName: "second" }))).toBe(wrong);
    const id = String(reply.enrollmentId);
    const notice = JSON.parse((await watch.line()).slice("notification: ".length));
    expect(notice).toMatchObject({
      from: "@alice",
      to: "@alice",
      key: `${id}.new.enrollments.__manage@alice`,
      isEncrypted: false,
    });
    expect(JSON.parse(notice.value)).toEqual({
      encryptedApkamSymmetricKey: "SYM",
      encryptedAPKAMSymmetricKey: "SYM",
      appName: "wavi",
      deviceName: "pixel",
      namespace: { wavi: "rw" },
    });
    expect(await refusal(id)).toBe(`error:AT0026:enrollment_id: ${id} is pending\n@`);
    expect(
      payload(await owner.ask(approval(id, { encPrivateKeyIV: "IV1", selfEncKeyIV: "IV2" }))),
    ).toEqual({
      status: "approved",
      enrollmentId: id,
    });
    const device = await login(id);
    const keyOf = (name: string): string => `keys:get:keyName:${id}.${name}.__manage@alice`;
    expect(await device.ask(keyOf("default_enc_private_key"))).toBe(
      'data:{"value":"ENC","iv":"IV1"}\n@alice@',
    );
    expect(await device.ask(keyOf("default_self_enc_key"))).toBe(
      'data:{"value":"SELF","iv":"IV2"}\n@alice@',
    );
    expect(await owner.ask("llookup:public:wavi.pixel.pkam.__pkams.__public_keys@alice")).toBe(
      `data:${JSON.stringify({ apkamPublicKey: apkam.publicKey })}\n@alice@`,
    );
    expect(payload(await device.ask("info")).apkam_metadata).toMatchObject({
      appName: "wavi",
      deviceName: "pixel",
      namespaces: { wavi: "rw" },
      apkamPublicKey: apkam.publicKey,
    });
    const other = await alice.owner();
    expect(await other.ask(request())).toBe(
      `error:AT0011-Internal server exception : Another enrollment with id ${id} exists with the app name: wavi and device name: pixel in approved state\n@alice@`,
    );
  });

  it("approves the first client at once after cram, with everything", async () => {
    const fresh = await world.start("@fresh");
    const line = await fresh.cram();
    const reply = payload(
      await line.ask(
        request({
          encryptedDefaultEncryptionPrivateKey: "ENC",
          encryptedDefaultSelfEncryptionKey: "SELF",
        }),
      ),
    );
    expect(reply.status).toBe("approved");
    const id = String(reply.enrollmentId);
    const fetched = await line.ask(`enroll:fetch:{"enrollmentId":"${id}"}`);
    expect(payload(fetched)).toMatchObject({
      namespace: { wavi: "rw", __manage: "rw", "*": "rw" },
      status: "approved",
    });
    expect(await line.ask("keys:get:self")).toBe(
      `data:["${id}.default_self_enc_key.__manage@fresh"]\n@fresh@`,
    );
    const challenge = challengeOf(await line.ask("from:@fresh"));
    expect(await line.ask(`pkam:enrollmentId:${id}:${apkam.sign(challenge)}`)).toBe(
      "data:success\n@fresh@",
    );
    expect(await line.ask(await pkamLine(line, "@fresh", identity("@bravo").privateKey))).toBe(
      "data:success\n@fresh@",
    );
  });

  it("takes a P-256 key as 130 hex digits, for an enrollment and for the owner", async () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = pair.publicKey.export({ format: "jwk" });
    const hex = Buffer.concat([
      Buffer.from([4]),
      Buffer.from(jwk.x ?? "", "base64url"),
      Buffer.from(jwk.y ?? "", "base64url"),
    ]).toString("hex");
    expect(hex).toHaveLength(130);
    const signed = (challenge: string): string => {
      const rs = sign("sha256", Buffer.from(challenge), {
        key: createPrivateKey(pair.privateKey.export({ format: "pem", type: "pkcs8" })),
        dsaEncoding: "ieee-p1363",
      });
      return Buffer.from(rs.toString("hex")).toString("base64");
    };
    const id = await approved({ wavi: "rw" }, { apkamPublicKey: hex });
    const line = await alice.open();
    const from = async (): Promise<string> => challengeOf(await line.ask("from:@alice"));
    const prefix = `pkam:signingAlgo:ecc_secp256r1:hashingAlgo:sha256:enrollmentId:${id}`;
    expect(await line.ask(`${prefix}:${signed(await from())}`)).toBe("data:success\n@alice@");
    expect(await line.ask(`${prefix}:${signed(`${await from()}x`)}`)).toBe(
      "error:AT0401-Exception: pkam authentication failed\n@",
    );
    const other = await world.start("@ecc");
    const cram = await other.cram();
    expect(await cram.ask(`update:privatekey:at_pkam_publickey ${hex}`)).toBe("data:-1\n@ecc@");
    const challenge = challengeOf(await cram.ask("from:@ecc"));
    expect(await cram.ask(`pkam:signingAlgo:ecc_secp256r1:${signed(challenge)}`)).toBe(
      "data:success\n@ecc@",
    );
  });

  it("lets nobody log in who was denied, revoked or never known", async () => {
    const denied = await pending();
    expect(payload(await owner.ask(`enroll:deny:{"enrollmentId":"${denied}"}`))).toEqual({
      status: "denied",
      enrollmentId: denied,
    });
    expect(await refusal(denied)).toBe(`error:AT0025:enrollment_id: ${denied} is denied\n@`);
    const revoked = await approved({ wavi: "rw" });
    const device = await login(revoked);
    await owner.ask(`enroll:revoke:{"enrollmentId":"${revoked}"}`);
    expect(await device.closed()).toBe("");
    expect(await refusal(revoked)).toBe(`error:AT0027:enrollment_id: ${revoked} is revoked\n@`);
    await owner.ask(`enroll:unrevoke:{"enrollmentId":"${revoked}"}`);
    expect(await refusal(revoked)).toBe("logged in");
    expect(await refusal("nobody")).toBe(
      "error:AT0028:enrollment_id: nobody is expired or invalid\n@",
    );
    expect(await owner.ask(approval("nobody"))).toBe(
      "error:AT0028:enrollment_id: nobody is expired or invalid\n@alice@",
    );
  });

  it.each([
    [
      "approve",
      "denied",
      "Cannot approve a denied enrollment. Only pending enrollments can be approved",
    ],
    [
      "revoke",
      "pending",
      "Cannot revoke a pending enrollment. Only approved enrollments can be revoked",
    ],
    [
      "unrevoke",
      "approved",
      "Cannot un-revoke a approved enrollment. Only revoked enrollments can be un-revoked",
    ],
    [
      "approve",
      "revoked",
      "Cannot approve a revoked enrollment. Only pending enrollments can be approved",
    ],
    [
      "delete",
      "pending",
      "Cannot delete pending enrollments. Only denied and revoked enrollments can be deleted",
    ],
    [
      "delete",
      "approved",
      "Cannot delete approved enrollments. Only denied and revoked enrollments can be deleted",
    ],
  ])("refuses to %s a %s enrollment", async (operation, state, words) => {
    const id = await pending();
    if (state === "denied") await owner.ask(`enroll:deny:{"enrollmentId":"${id}"}`);
    if (state === "approved" || state === "revoked") await owner.ask(approval(id));
    if (state === "revoked") await owner.ask(`enroll:revoke:{"enrollmentId":"${id}"}`);
    const parameters = approval(id).slice("enroll:approve:".length);
    const link = operation === "delete" ? " | Cause:" : ".";
    expect(await owner.ask(`enroll:${operation}:${parameters}`)).toBe(
      `error:AT0011-Internal server exception : Failed to ${operation} enrollment id: ${id}${link} ${words}\n@alice@`,
    );
  });

  it("deletes what was denied", async () => {
    const id = await pending();
    await owner.ask(`enroll:deny:{"enrollmentId":"${id}"}`);
    expect(payload(await owner.ask(`enroll:delete:{"enrollmentId":"${id}"}`))).toEqual({
      enrollmentId: id,
      status: "deleted",
    });
    expect(await owner.ask(`enroll:fetch:{"enrollmentId":"${id}"}`)).toBe(
      `error:AT0015-key not found : ${id}.new.enrollments.__manage@alice does not exist in keystore\n@alice@`,
    );
  });

  it("lists by state", async () => {
    const id = await pending();
    const list = async (state: string): Promise<Record<string, unknown>> =>
      payload(await owner.ask(`enroll:list:{"enrollmentStatusFilter":["${state}"]}`));
    const key = `${id}.new.enrollments.__manage@alice`;
    expect((await list("pending"))[key]).toMatchObject({
      appName: "wavi",
      namespace: { wavi: "rw" },
      encryptedAPKAMSymmetricKey: "SYM",
      status: "pending",
    });
    expect(await list("approved")).not.toHaveProperty([key]);
    expect(payload(await owner.ask("enroll:list"))).toHaveProperty([key]);
  });

  it("guards self-revocation, and ends the connection after a forced one", async () => {
    const quick = await world.start("@quick", { selfRevokeCloseMillis: 30 });
    const cram = await quick.cram();
    // Another one with all rights: the last can't be revoked.
    const other = { deviceName: "other", apkamPublicKey: newApkamKeys().publicKey };
    await cram.ask(request(other));
    const reply = payload(await cram.ask(request()));
    const id = String(reply.enrollmentId);
    const line = await quick.open();
    const challenge = challengeOf(await line.ask("from:@quick"));
    await line.ask(`pkam:enrollmentId:${id}:${apkam.sign(challenge)}`);
    expect(await line.ask(`enroll:revoke:{"enrollmentId":"${id}"}`)).toBe(
      "error:AT0031-Cannot revoke self enrollment : Current client cannot revoke its own enrollment\n@quick@",
    );
    expect(payload(await line.ask(`enroll:revoke:force:{"enrollmentId":"${id}"}`))).toMatchObject({
      status: "revoked",
      message: "Enrollment is revoked. Closing the connection in 10 seconds",
    });
    expect(await line.closed()).toBe("");
  });

  it("keeps a client to its namespaces", async () => {
    await owner.ask("update:phone.wavi@alice 1");
    await owner.ask("update:phone.buzz@alice 2");
    await owner.ask("update:plain@alice 3");
    await owner.ask("update:public:name.wavi@alice 4");
    const id = await approved({ buzz: "rw", read: "r" });
    const device = await login(id);
    const denied = (verb: string, key: string): string =>
      `error:AT0009-UnAuthorized client in request : Connection with enrollment ID ${id} is not authorized to ${verb} key: ${key}\n@alice@`;
    const exchanges: [string, string | RegExp][] = [
      ["llookup:phone.wavi@alice", denied("llookup", "phone.wavi@alice")],
      ["delete:phone.wavi@alice", denied("delete", "phone.wavi@alice")],
      ["update:phone.wavi@alice x", denied("update", "phone.wavi@alice")],
      ["update:meta:phone.wavi@alice:ttl:1", denied("update", "phone.wavi@alice")],
      ["notify:@bob:phone.wavi@alice:x", denied("notify", "@bob:phone.wavi@alice")],
      ["llookup:plain@alice", denied("llookup", "plain@alice")],
      ["llookup:phone.buzz@alice", "data:2\n@alice@"],
      ["update:at.at_contact.buzz@alice x", /^data:\d+\n/],
      ["llookup:public:name.wavi@alice", "data:4\n@alice@"],
      ["update:x.read@alice 1", denied("update", "x.read@alice")],
      ["update:@bob:shared_key@alice k", /^data:\d+\n/],
      ["update:shared_key.bob@alice k", /^data:\d+\n/],
      ["update:privatekey:at_pkam_publickey k", denied("update", "privatekey:at_pkam_publickey")],
      ["update:public:publickey@alice k", denied("update", "public:publickey@alice")],
      ["delete:privatekey:at_secret", denied("delete", "privatekey:at_secret")],
      [
        "llookup:@alice:signing_privatekey@alice",
        denied("llookup", "@alice:signing_privatekey@alice"),
      ],
      [
        `llookup:${id}.new.enrollments.__manage@alice`,
        denied("llookup", `${id}.new.enrollments.__manage@alice`),
      ],
      ["scan phone|plain", 'data:["phone.buzz@alice"]\n@alice@'],
      ["otp:get", /^error:AT0009-/],
    ];
    for (const [send, expected] of exchanges) {
      const reply = await device.ask(send);
      if (typeof expected === "string") expect(reply, send).toBe(expected);
      else expect(reply, send).toMatch(expected);
    }
    const listed = payload(await device.ask("enroll:list"));
    expect(Object.keys(listed)).toEqual([`${id}.new.enrollments.__manage@alice`]);
  });

  it("lets an enrollment with __manage decide about namespaces it holds, and no others", async () => {
    const manager = await login(await approved({ wavi: "rw", __manage: "rw" }));
    const foreign = await pending({ namespaces: { buzz: "rw" } });
    const own = await pending({ namespaces: { wavi: "rw" } });
    expect(await manager.ask(approval(foreign))).toBe(
      `error:AT0011-Internal server exception : Failed to approve enrollment id: ${foreign}. Client is not authorized for namespaces in the enrollment request\n@alice@`,
    );
    expect(payload(await manager.ask(approval(own))).status).toBe("approved");
    const plain = await login(await approved({ buzz: "rw" }));
    expect(await plain.ask(approval(foreign))).toContain(
      'The approving enrollment does not have access to "__manage" namespace',
    );
  });

  it("stores the keys of enrolled clients and keeps them apart", async () => {
    const first = await login(await approved({ wavi: "rw" }));
    const second = await login(await approved({ wavi: "rw" }));
    const put =
      "keys:put:self:namespace:__global:appName:wavi:deviceName:d:keyType:aes256:encryptionKeyName:e1:keyName:myAESkey SECRET";
    expect(await first.ask(put)).toBe("data:-1\n@alice@");
    const name = "wavi.d.myaeskey.__self_keys.__global@alice";
    expect(await first.ask("keys:get:self")).toContain(`"${name}"`);
    const get = `keys:get:keyName:wavi.d.myaesKey.__self_keys.__global@alice`;
    expect(payload(await first.ask(get))).toMatchObject({
      value: "SECRET",
      keyType: "aes256",
      encryptionKeyName: "e1",
    });
    expect(await second.ask(get)).toContain("error:AT0009-");
    expect(await second.ask(`keys:delete:keyName:${name}`)).toContain("error:AT0009-");
    expect(await second.ask("keys:get:keyName:privatekey:at_pkam_publickey")).toContain(
      "error:AT0009-",
    );
    expect(await first.ask(`keys:delete:keyName:${name}`)).toBe("data:-1\n@alice@");
    expect(await first.ask(get)).toBe(
      `error:AT0015-key not found : key ${name} not found in keystore\n@alice@`,
    );
    expect(await owner.ask("keys:get:self")).toContain(
      "Keys verb cannot be accessed without an enrollmentId",
    );
  });

  it("limits requests of one connection", async () => {
    const line = await alice.owner();
    for (let i = 0; i < 5; i++) {
      const own = { deviceName: `limit${i}`, apkamPublicKey: newApkamKeys().publicKey };
      expect(payload(await line.ask(request(own))).status).toBe("pending");
    }
    expect(await line.ask(request({ deviceName: "limit5" }))).toContain(
      "Enrollment requests have exceeded the limit within the specified time frame",
    );
  });

  it("ends enrollments and their connections when their life is over", async () => {
    let now = 1_700_000_000_000;
    const timed = await world.start("@timed", { now: () => now });
    const boss = await timed.owner();
    const reply = payload(await boss.ask(request({ apkamKeysExpiryInMillis: 30_000 })));
    const id = String(reply.enrollmentId);
    await boss.ask(approval(id));
    const line = await timed.open();
    const challenge = challengeOf(await line.ask("from:@timed"));
    await line.ask(`pkam:enrollmentId:${id}:${apkam.sign(challenge)}`);
    expect(await line.ask("noop:0")).toBe("data:ok\n@timed@");
    now += 30_001;
    line.send("scan\n");
    expect(await line.closed()).toBe("");
    const next = await timed.open();
    const again = challengeOf(await next.ask("from:@timed"));
    expect(await next.ask(`pkam:enrollmentId:${id}:${apkam.sign(again)}`)).toBe(
      `error:AT0028:enrollment_id: ${id} is expired or invalid\n@`,
    );
  });

  it.each([
    ["appName", "appName is mandatory for enroll:request"],
    ["deviceName", "deviceName is mandatory for enroll:request"],
    ["apkamPublicKey", "apkam public key is mandatory for enroll:request"],
  ])("wants %s", async (name, words) => {
    expect(await owner.ask(request({ [name]: undefined }))).toBe(
      `error:AT0011-Internal server exception : ${words}\n@alice@`,
    );
  });
});
