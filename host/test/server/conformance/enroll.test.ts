// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect } from "vitest";
import { apkamKeysOf } from "../apkamKeys.ts";
import { payloadOf } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { dataOf, notification } from "../notifications.ts";
import { challengeOf, type Place, World } from "../world.ts";
import { applicant, approval, known, parameters, request } from "./applicant.ts";
import {
  converse,
  data,
  error,
  failure,
  hides,
  item,
  items,
  JSON_VERSION,
  shows,
} from "./items.ts";

const wrongOtp = "error:AT0011-Exception: invalid otp. Cannot process enroll request\n@";
const bravo = apkamKeysOf("@bravo");
const deciding = (id: string): string => JSON.stringify({ enrollmentId: id });

describe("enroll and otp", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let now = 1_700_000_000_000;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now, enrollmentMaxRequests: 100 });
    owner = await alice.owner(JSON_VERSION);
  });
  afterAll(() => world.close());

  const unauthenticated = (operation: string): string =>
    `error:AT0401-Exception: Cannot ${operation} enrollment without authentication\n@`;
  const decided = (status: string, enrollmentId: string): string =>
    data(JSON.stringify({ status, enrollmentId }));
  const approved = async (namespaces: Record<string, string>, more = {}) => {
    const one = await applicant(owner, namespaces, more);
    expect(await one.approve(owner)).toBe(decided("approved", one.id));
    return one;
  };

  let firstId: string;
  item(195, "the first client is approved at once, with everything", async () => {
    const line = await alice.cram();
    const first = parameters(
      { wavi: "rw" },
      {
        deviceName: "d",
        encryptedDefaultEncryptionPrivateKey: "ENC",
        encryptedDefaultSelfEncryptionKey: "SELF",
        apkamPublicKey: bravo.publicKey,
      },
    );
    const reply = payloadOf(await line.ask(request(first))) as { enrollmentId: string };
    expect(reply).toMatchObject({ status: "approved" });
    expect(payloadOf(await line.ask(`enroll:fetch:${deciding(reply.enrollmentId)}`))).toMatchObject(
      {
        appName: "wavi",
        deviceName: "d",
        namespace: { wavi: "rw", __manage: "rw", "*": "rw" },
        status: "approved",
      },
    );
    firstId = reply.enrollmentId;
  });

  item(196, "it logs in with its enrollment, and with the same key without", async () => {
    const { reply, line } = await known(firstId, "d", bravo).login(alice);
    expect(reply).toBe(data("success"));
    const challenge = challengeOf(await line.ask("from:@alice"));
    expect(await line.ask(`pkam:${bravo.sign(challenge)}`)).toBe(data("success"));
  });

  item(197, "it finds its default keys", async () => {
    const { line } = await known(firstId, "d", bravo).login(alice);
    const self = `${firstId}.default_self_enc_key.__manage@alice`;
    const secret = `${firstId}.default_enc_private_key.__manage@alice`;
    await converse(line, [
      ["keys:get:self", shows(`"${self}"`)],
      ["keys:get:private", shows(`"${secret}"`)],
      [`keys:get:keyName:${self}`, data('{"value":"SELF"}')],
      [`keys:get:keyName:${secret}`, data('{"value":"ENC"}')],
    ]);
  });

  item(198, "an enrollment record is nobody's to read, not even its own", async () => {
    const one = await approved({ wavi: "rw", __manage: "rw" });
    const { line } = await one.login(alice);
    await line.ask(`from:@alice:clientConfig:{"version":"${JSON_VERSION}"}`);
    const key = `${one.id}.new.enrollments.__manage@alice`;
    await converse(line, [
      [
        `llookup:${key}`,
        error(
          "AT0009",
          `UnAuthorized client in request : Connection with enrollment ID ${one.id} is not authorized to llookup key: ${key}`,
        ),
      ],
    ]);
  });

  items(() => alice.open(), {
    199: [
      ['enroll:deny:{"enrollmentId":"x"}', unauthenticated("deny")],
      ['enroll:approve:{"enrollmentId":"x"}', unauthenticated("approve")],
      ['enroll:revoke:{"enrollmentId":"x"}', unauthenticated("revoke")],
      ['enroll:delete:{"enrollmentId":"x"}', unauthenticated("delete")],
    ],
  });

  items(() => owner, {
    200: [
      [approval("feay"), "error:AT0028:enrollment_id: feay is expired or invalid\n@alice@"],
      [
        'enroll:deny:{"enrollmentId":"feay"}',
        "error:AT0028:enrollment_id: feay is expired or invalid\n@alice@",
      ],
    ],
  });

  items(() => alice.open(), {
    201: [
      [request(parameters({ wavi: "rw" })), wrongOtp],
      [request(parameters({ wavi: "rw" }, { otp: "WRONG1" })), wrongOtp],
    ],
  });

  item(202, "otp:get", async () => {
    const otp = dataOf(await owner.ask("otp:get"));
    expect(otp).toMatch(/^(?=.*\d)[A-NP-Z1-9]{6}$/);
    await converse(await alice.open(), [
      ["otp:get", "error:AT0401-Exception: Command cannot be executed without auth\n@"],
    ]);
  });

  item(203, "a one-time passcode admits once", async () => {
    const otp = dataOf(await owner.ask("otp:get"));
    const line = await alice.open();
    await converse(line, [
      [request(parameters({ wavi: "rw" }, { otp })), /^data:.*"status":"pending"\}\n@$/],
      [request(parameters({ wavi: "rw" }, { otp })), wrongOtp],
    ]);
  });

  item(204, "approve publishes the enrollment's key", async () => {
    const one = await approved({ wavi: "rw" });
    await converse(owner, [
      [
        `llookup:public:wavi.${one.deviceName}.pkam.__pkams.__public_keys@alice`,
        data(JSON.stringify({ apkamPublicKey: one.keys.publicKey })),
      ],
    ]);
  });

  item(205, "deny", async () => {
    const one = await applicant(owner, { wavi: "rw" });
    expect(await owner.ask(`enroll:deny:${deciding(one.id)}`)).toBe(decided("denied", one.id));
    expect(await one.refusal(alice)).toBe(`error:AT0025:enrollment_id: ${one.id} is denied\n@`);
  });

  item(206, "the owner's request needs no passcode, and is listed", async () => {
    const one = await applicant(owner, { wavi: "rw" });
    const listed = payloadOf(await owner.ask("enroll:list")) as Record<string, unknown>;
    expect(listed[`${one.id}.new.enrollments.__manage@alice`]).toMatchObject({
      appName: "wavi",
      deviceName: one.deviceName,
      namespace: { wavi: "rw" },
      encryptedAPKAMSymmetricKey: "SYM",
      status: "pending",
    });
  });

  item(207, "monitors with selfNotifications are told of a request", async () => {
    const since = now - 1;
    const watch = await alice.owner();
    const one = await applicant(owner, { wavi: "rw" });
    watch.send(`monitor:selfNotifications:${since}\n`);
    for (;;) {
      const notice = await notification(watch);
      if (notice.key !== `${one.id}.new.enrollments.__manage@alice`) continue;
      expect(JSON.parse(String(notice.value))).toEqual({
        encryptedApkamSymmetricKey: "SYM",
        encryptedAPKAMSymmetricKey: "SYM",
        appName: "wavi",
        deviceName: one.deviceName,
        namespace: { wavi: "rw" },
      });
      break;
    }
  });

  item(208, "a second enrollment of an app and device", async () => {
    const one = await approved({ wavi: "rw" });
    const again = request(parameters({ wavi: "rw" }, { deviceName: one.deviceName }));
    const line = await alice.owner();
    expect(await line.ask(again)).toBe(
      `error:AT0011-Internal server exception : Another enrollment with id ${one.id} exists with the app name: wavi and device name: ${one.deviceName} in approved state\n@alice@`,
    );
    const otp = dataOf(await owner.ask("otp:get"));
    const twin = parameters({ wavi: "rw" }, { deviceName: one.deviceName, otp });
    await converse(await alice.open(), [
      [
        request(twin),
        `error:AT0011-Exception: Another enrollment with id ${one.id} exists with the app name: wavi and device name: ${one.deviceName} in approved state\n@`,
      ],
    ]);
  });

  item(209, "a semi-permanent passcode admits several", async () => {
    await converse(owner, [["otp:put:ABC123", data("ok")]]);
    const line = await alice.open();
    for (const otp of ["ABC123", "abc123"]) {
      await converse(line, [
        [request(parameters({ wavi: "rw" }, { otp })), /^data:.*"status":"pending"\}\n@$/],
      ]);
    }
  });

  item(210, "revoking oneself", async () => {
    const one = await approved({ wavi: "rw", __manage: "rw" });
    const { line } = await one.login(alice);
    await line.ask(`from:@alice:clientConfig:{"version":"${JSON_VERSION}"}`);
    await converse(line, [
      [
        `enroll:revoke:${deciding(one.id)}`,
        error(
          "AT0031",
          "Cannot revoke self enrollment : Current client cannot revoke its own enrollment",
        ),
      ],
    ]);
  });

  item(211, "revoking oneself by force", async () => {
    const one = await approved({ wavi: "rw", __manage: "rw" });
    const { line } = await one.login(alice);
    const message = "Enrollment is revoked. Closing the connection in 10 seconds";
    await converse(line, [
      [
        `enroll:revoke:force:${deciding(one.id)}`,
        data(JSON.stringify({ status: "revoked", enrollmentId: one.id, message })),
      ],
    ]);
    expect(await one.refusal(alice)).toBe(`error:AT0027:enrollment_id: ${one.id} is revoked\n@`);
  });

  item(212, "revoking another closes its connections", async () => {
    const one = await approved({ wavi: "rw" });
    const { line } = await one.login(alice);
    const connections = async (): Promise<number> => {
      const [{ value }] = payloadOf(await owner.ask("stats:1")) as [{ value: string }];
      return Number(value);
    };
    const before = await connections();
    expect(await owner.ask(`enroll:revoke:${deciding(one.id)}`)).toBe(decided("revoked", one.id));
    expect(await line.closed()).toBe("");
    await expect.poll(connections).toBe(before - 1);
  });

  item(213, "unrevoke", async () => {
    const one = await approved({ wavi: "rw" });
    await owner.ask(`enroll:revoke:${deciding(one.id)}`);
    await converse(owner, [[`enroll:unrevoke:${deciding(one.id)}`, decided("approved", one.id)]]);
    expect(await one.refusal(alice)).toBe(data("success"));
    await converse(owner, [
      [
        `enroll:unrevoke:${deciding(one.id)}`,
        failure(
          "AT0011",
          "Cannot un-revoke a approved enrollment. Only revoked enrollments can be un-revoked",
        ),
      ],
    ]);
  });

  item(214, "decisions that don't fit the state", async () => {
    const one = await applicant(owner, { wavi: "rw" });
    const refused = (operation: string, rest: string): RegExp =>
      failure("AT0011", `Failed to ${operation} enrollment id: ${one.id}. Cannot ${rest}`);
    const onlyApproved = "Only approved enrollments can be revoked";
    const onlyPending = "Only pending enrollments can be approved";
    await converse(owner, [
      [
        `enroll:revoke:${deciding(one.id)}`,
        refused("revoke", `revoke a pending enrollment. ${onlyApproved}`),
      ],
      [`enroll:deny:${deciding(one.id)}`, decided("denied", one.id)],
      [approval(one.id), refused("approve", `approve a denied enrollment. ${onlyPending}`)],
      [
        `enroll:revoke:${deciding(one.id)}`,
        refused("revoke", `revoke a denied enrollment. ${onlyApproved}`),
      ],
    ]);
    const other = await approved({ wavi: "rw" });
    await owner.ask(`enroll:revoke:${deciding(other.id)}`);
    await converse(owner, [
      [
        approval(other.id),
        failure(
          "AT0011",
          `Failed to approve enrollment id: ${other.id}. Cannot approve a revoked enrollment. ${onlyPending}`,
        ),
      ],
    ]);
  });

  item(215, "requests of one connection are limited in time", async () => {
    const place = await world.start("@slow", {
      now: () => now,
      enrollmentMaxRequests: 1,
      enrollmentTimeFrameMillis: 100,
    });
    const line = await place.owner();
    const asked = (): string => request(parameters({ wavi: "rw" }));
    const pending = /^data:.*"status":"pending"\}\n@slow@$/;
    await converse(line, [
      [asked(), pending],
      [
        asked(),
        "error:AT0011-Internal server exception : Enrollment requests have exceeded the limit within the specified time frame\n@slow@",
      ],
    ]);
    await converse(await place.owner(), [[asked(), pending]]);
    now += 110;
    await converse(line, [[asked(), pending]]);
  });

  item(216, "list by state", async () => {
    const ids = {
      pending: (await applicant(owner, { wavi: "rw" })).id,
      approved: (await approved({ wavi: "rw" })).id,
      denied: (await applicant(owner, { wavi: "rw" })).id,
      revoked: (await approved({ wavi: "rw" })).id,
    };
    await owner.ask(`enroll:deny:${deciding(ids.denied)}`);
    await owner.ask(`enroll:revoke:${deciding(ids.revoked)}`);
    for (const [state, id] of Object.entries(ids)) {
      const listed = payloadOf(
        await owner.ask(`enroll:list:{"enrollmentStatusFilter":["${state}"]}`),
      ) as Record<string, { status: string }>;
      expect(Object.keys(listed)).toContain(`${id}.new.enrollments.__manage@alice`);
      expect(new Set(Object.values(listed).map(({ status }) => status))).toEqual(new Set([state]));
    }
  });

  item(217, "an enrollment decides about namespaces it holds only", async () => {
    const manager = await approved({ wavi: "rw", __manage: "rw" });
    const { line } = await manager.login(alice);
    const one = await applicant(owner, { buzz: "rw" });
    const refused = (operation: string, id: string): RegExp =>
      new RegExp(
        `^error:AT0011-.*Failed to ${operation} enrollment id: ${id}\\. Client is not authorized for namespaces in the enrollment request\\n@alice@$`,
      );
    await converse(line, [
      [approval(one.id), refused("approve", one.id)],
      [`enroll:deny:${deciding(one.id)}`, refused("deny", one.id)],
    ]);
    await one.approve(owner);
    await converse(line, [[`enroll:revoke:${deciding(one.id)}`, refused("revoke", one.id)]]);
  });

  item(218, "an enrollment that lived its time", async () => {
    const one = await approved({ wavi: "rw" }, { apkamKeysExpiryInMillis: 1 });
    now += 2;
    expect(await one.refusal(alice)).toBe(
      `error:AT0028:enrollment_id: ${one.id} is expired or invalid\n@`,
    );
  });

  item(219, "an enrollment that ends while its client is connected", async () => {
    const one = await approved({ wavi: "rw" }, { apkamKeysExpiryInMillis: 30_000 });
    const { line } = await one.login(alice);
    await converse(line, [["noop:0", data("ok")]]);
    now += 30_001;
    line.send("scan\n");
    expect(await line.closed()).toBe("");
  });

  item(220, "delete what was denied or revoked, nothing else", async () => {
    const pending = await applicant(owner, { wavi: "rw" });
    const live = await approved({ wavi: "rw" });
    const refused = (id: string, state: string): RegExp =>
      failure(
        "AT0011",
        `Failed to delete enrollment id: ${id} | Cause: Cannot delete ${state} enrollments. Only denied and revoked enrollments can be deleted`,
      );
    const deleted = (id: string): string =>
      data(JSON.stringify({ enrollmentId: id, status: "deleted" }));
    await converse(owner, [
      [`enroll:delete:${deciding(pending.id)}`, refused(pending.id, "pending")],
      [`enroll:delete:${deciding(live.id)}`, refused(live.id, "approved")],
      [`enroll:deny:${deciding(pending.id)}`, decided("denied", pending.id)],
      [`enroll:delete:${deciding(pending.id)}`, deleted(pending.id)],
      [`enroll:revoke:${deciding(live.id)}`, decided("revoked", live.id)],
      [`enroll:delete:${deciding(live.id)}`, deleted(live.id)],
      ["enroll:list", hides(pending.id, live.id)],
    ]);
  });
});
