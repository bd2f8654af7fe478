// SPDX-License-Identifier: BSD-3-Clause
// Requests for enrollments that wait for a decision: a client that asks again and again keeps nobody else out.
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  MAX_PENDING_BY_PASSCODE,
  MAX_PENDING_OF_ENROLLMENT,
} from "../../server/enrollment/request.ts";
import { parameters, request } from "../server/conformance/applicant.ts";
import { enrolled, loginEnrolled, payloadOf } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { dataOf } from "../server/notifications.ts";
import { type Place, World } from "../server/world.ts";

const APP = { wavi: "rw" };
const FULL = /^error:AT0028-.* enrollment requests wait to be approved or denied\n/;

let world: World;
let alice: Place;
let owner: Line;
beforeAll(async () => {
  world = await World.create();
  alice = await world.start("@alice", { enrollmentMaxRequests: 1_000 });
  owner = await alice.owner();
});
afterAll(() => world.close());

const ask = (line: Line, more = {}): Promise<string> => line.ask(request(parameters(APP, more)));
const withPasscode = async (otp: string): Promise<string> => ask(await alice.open(), { otp });

it("of an application have a limit of their own, on however many connections", async () => {
  const { id, keys } = await enrolled(alice, { notes: "r" });
  const other = await enrolled(alice, { notes: "r" });
  const ids: string[] = [];
  for (let count = 0; count < MAX_PENDING_OF_ENROLLMENT; count++) {
    const line = await loginEnrolled(alice, id, keys);
    ids.push((payloadOf(await ask(line)) as { enrollmentId: string }).enrollmentId);
    line.close();
  }
  const line = await loginEnrolled(alice, id, keys);
  expect(await ask(line)).toMatch(FULL);
  for (const asked of [
    await ask(other.line),
    await ask(owner),
    await withPasscode(dataOf(await owner.ask("otp:get"))),
  ]) {
    expect(asked).toMatch(/"status":"pending"/);
  }
  await owner.ask(`enroll:deny:${JSON.stringify({ enrollmentId: ids[0] })}`);
  expect(await ask(line)).toMatch(/"status":"pending"/);
});

it("of who knows a passcode have a limit, and use none up above it", async () => {
  await owner.ask("otp:put:PERMANENT1");
  const otp = dataOf(await owner.ask("otp:get"));
  const line = await alice.open();
  let asked = "";
  for (let count = 0; !FULL.test(asked); count++) {
    expect(count).toBeLessThanOrEqual(MAX_PENDING_BY_PASSCODE);
    asked = await ask(line, { otp: "PERMANENT1" });
  }
  expect(await withPasscode(otp)).toMatch(FULL);
  expect(await ask(owner)).toMatch(/"status":"pending"/);
  const [pending] = Object.entries(
    payloadOf(await owner.ask('enroll:list:{"enrollmentStatusFilter":["pending"]}')) as Record<
      string,
      { requestedBy?: string; sessionId: string }
    >,
  ).filter(([, { requestedBy }]) => requestedBy === "passcode");
  const enrollmentId = pending?.[0].split(".")[0];
  await owner.ask(`enroll:deny:${JSON.stringify({ enrollmentId })}`);
  expect(await withPasscode(otp)).toMatch(/"status":"pending"/);
});
