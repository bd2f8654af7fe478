// SPDX-License-Identifier: BSD-3-Clause
import { expect, it } from "vitest";
import { Authorization } from "../../server/access/authorization.ts";
import { Enrollments } from "../../server/access/enrollments.ts";
import type { Session } from "../../server/access/session.ts";
import { Monitors } from "../../server/notifications/monitors.ts";
import { Records } from "../../server/records/records.ts";
import { openMemoryStore } from "../../store/memory.ts";

it.each([
  [false, 1],
  [true, 0],
])("pushes to a connection that is closed: %s, %i lines", async (closed, lines) => {
  const now = (): number => 1_700_000_000_000;
  const store = openMemoryStore(now);
  const records = new Records(store, "@alice", now, (error) => expect.fail(String(error)));
  const authorization = new Authorization(new Enrollments(records, "@alice", now));
  const monitors = new Monitors("@alice", now, authorization, store, 0);
  const pushed: Buffer[] = [];
  const session = {
    closed,
    replay: () => undefined,
    push: (line: Buffer) => pushed.push(line),
  } as unknown as Session;
  const filter = {
    ...{ regex: { test: () => true }, selfNotifications: false },
    ...{ strict: false, multiplexed: false },
  };
  const kept = { async *stored() {}, *rest() {}, get: () => undefined };
  await monitors.watch(session, filter, undefined, kept);
  monitors.pushStats(7, "update");
  expect(pushed).toHaveLength(lines);
  // A line that waits keeps no other's memory.
  for (const line of pushed) expect(line.buffer.byteLength).toBe(line.length);
  monitors.close();
});
