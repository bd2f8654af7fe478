// SPDX-License-Identifier: BSD-3-Clause
import { afterEach, describe, expect, it } from "vitest";
import { AtClient } from "../../client/atClient.ts";
import { Monitor, type MonitorOptions, type MonitorTiming } from "../../client/monitor.ts";
import type { ReceivedNotification } from "../../client/notifications.ts";
import { openLoggedIn } from "../../client/session.ts";
import { readVectors } from "../crypto/vectors.ts";
import { bravo } from "./identities.ts";
import {
  type Connection,
  challenge,
  loggedIn,
  type Script,
  ScriptedWorld,
} from "./scriptedServer.ts";

const vector = readVectors<{ monitorLineAtReceiver: string; expectedPlaintext: string }>(
  "10-notification",
);
const line = `${vector.monitorLineAtReceiver.trimEnd()}\n`;

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function start(script: Script): Promise<ScriptedWorld> {
  const world = await ScriptedWorld.start(script);
  opened.push(world);
  return world;
}

/** The vector's notification with other members. */
function notification(members: Record<string, unknown>): string {
  const json: Record<string, unknown> = JSON.parse(line.slice(line.indexOf("{")));
  return `notification: ${JSON.stringify({ ...json, ...members })}\n`;
}

/** Collects what a listener gets, and tells when there is so much. */
class Inbox<T> {
  readonly items: T[] = [];
  private waiting: { count: number; resolve: () => void }[] = [];

  readonly put = (item: T): void => {
    this.items.push(item);
    for (const { count, resolve } of this.waiting) if (this.items.length >= count) resolve();
  };

  has(count: number): Promise<void> {
    if (this.items.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }
}

const quick: MonitorTiming = {
  heartbeatMillis: 20,
  silenceMillis: 10_000,
  backOffMillis: 1,
  maxBackOffMillis: 5,
};

/** A monitor whose notifications are not decrypted: their ciphertext is the value. */
function openMonitor(
  { network }: Pick<ScriptedWorld, "network">,
  options: Partial<MonitorOptions>,
  timing: Partial<MonitorTiming> = {},
): { monitor: Monitor; inbox: Inbox<ReceivedNotification>; errors: Inbox<Error> } {
  const inbox = new Inbox<ReceivedNotification>();
  const errors = new Inbox<Error>();
  const monitor = new Monitor(
    (listeners) => openLoggedIn("@bravo", bravo, network, listeners),
    async ({ ciphertext, isEncrypted: encrypted, isText: _t, metadata: _m, ...rest }) => ({
      ...rest,
      value: ciphertext,
      encrypted,
    }),
    { onNotification: inbox.put, onError: errors.put, ...options },
    { ...quick, ...timing },
  );
  opened.push(monitor);
  return { monitor, inbox, errors };
}

function monitorLines(world: ScriptedWorld): string[] {
  return world.server.lines.filter((text) => text.startsWith("monitor"));
}

describe("the monitor", () => {
  it("decrypts the vector's notification, whatever the prompt before it", async () => {
    const world = await start(
      loggedIn((_, connection) => {
        connection.write(`${line}@bravo@${notification({ id: "second" })}`);
        return "silence";
      }, "@bravo"),
    );
    const client = await AtClient.connect({ ...world.network, keys: bravo });
    opened.push(client);
    const inbox = new Inbox<ReceivedNotification>();
    const monitor = client.monitor({ onNotification: inbox.put, regex: "\\.demo@" });
    await monitor.ready;
    await inbox.has(2);
    expect(monitorLines(world)).toEqual(["monitor \\.demo@"]);
    expect(inbox.items[0]).toEqual({
      id: "fee60638-8581-4829-af14-0806790626ec",
      from: "@alpha",
      to: "@bravo",
      key: "@bravo:temp.demo@alpha",
      operation: "update",
      epochMillis: expect.any(Number),
      value: vector.expectedPlaintext,
      encrypted: true,
    });
    expect(inbox.items[1]?.id).toBe("second");
  });

  it("reports what can't be decrypted and goes on; clear values and deletes need no key", async () => {
    const broken = { id: "1", value: "bm90IGFlcw==" };
    const clear = { id: "2", value: "clear", isEncrypted: "false", metadata: null };
    const deleted = { id: "3", operation: "delete", value: null };
    const world = await start(
      loggedIn((_, connection) => {
        for (const members of [broken, clear, deleted]) connection.write(notification(members));
        connection.write("notification: {\n");
        return "silence";
      }, "@bravo"),
    );
    const client = await AtClient.connect({ ...world.network, keys: bravo });
    opened.push(client);
    const inbox = new Inbox<ReceivedNotification>();
    const errors = new Inbox<Error>();
    const listeners = { onNotification: inbox.put, onError: errors.put };
    client.monitor({ ...listeners, acceptPlaintext: true });
    await Promise.all([inbox.has(2), errors.has(2)]);
    expect(inbox.items.map(({ id, value }) => ({ id, value }))).toEqual([
      { id: "2", value: "clear" },
      { id: "3", value: undefined },
    ]);
    expect(errors.items.map(({ message }) => message).sort()).toEqual([
      "the atServer's answer can't be read",
      expect.stringContaining("the value can't be decrypted"),
    ]);
  });

  it("leaves out statistics, shared keys and what it has seen", async () => {
    const world = await start(
      loggedIn((_, connection) => {
        connection.write(notification({ id: "-1", key: "statsNotification.@bravo" }));
        connection.write(notification({ id: "1", key: "@bravo:shared_key@alpha" }));
        connection.write(notification({ id: "9", key: "@bravo:__auth1.demo@alpha" }));
        for (const id of ["2", "2", "3", "2"]) connection.write(notification({ id }));
        return "silence";
      }, "@bravo"),
    );
    const { inbox } = openMonitor(world, { selfNotifications: true, since: 1000 });
    await inbox.has(2);
    expect(inbox.items.map(({ id }) => id)).toEqual(["2", "3"]);
    expect(monitorLines(world)).toEqual(["monitor:selfNotifications:999"]);
  });

  it("reconnects when the link breaks and resumes after the last notification", async () => {
    const world = await start(
      loggedIn((_, connection) => {
        if (connection.number === 1) {
          connection.write(notification({ id: "1", epochMillis: 5000 }));
          return "hang up";
        }
        connection.write(notification({ id: "1", epochMillis: 5000 }));
        connection.write(notification({ id: "2", epochMillis: 6000 }));
        return "silence";
      }, "@bravo"),
    );
    const { inbox, errors } = openMonitor(world, { since: 100 });
    await inbox.has(2);
    expect(inbox.items.map(({ id }) => id)).toEqual(["1", "2"]);
    expect(monitorLines(world)).toEqual(["monitor:99", "monitor:4999"]);
    expect(errors.items).toHaveLength(1);
  });

  it("sends heartbeats, and reconnects when one isn't answered", async () => {
    const deaf = new Set<Connection>();
    const world = await start((text, connection) => {
      if (text === "noop:0" && connection.number === 1) {
        // The first confirms the monitor command, the second is the heartbeat.
        if (deaf.has(connection)) return "silence";
        deaf.add(connection);
      }
      return loggedIn(() => "silence", "@bravo")(text, connection);
    });
    const network = { ...world.network, timeoutMillis: 50 };
    const { errors } = openMonitor({ network }, {});
    await errors.has(1);
    expect(errors.items[0]).toMatchObject({ code: "AT0023" });
    await world.server.next(/^monitor/);
  });

  it("gives up where another try can't help", async () => {
    const world = await start((text) =>
      text.startsWith("from:")
        ? `data:${challenge("@bravo")}\n@`
        : "error:AT0027:enrollment_id: 1 is revoked\n@",
    );
    const { monitor } = openMonitor(world, {});
    await expect(monitor.ready).rejects.toMatchObject({ code: "AT0027" });
    expect(await monitor.ended).toMatchObject({ code: "AT0027" });
    expect(world.server.connections).toHaveLength(1);
  });

  it("ends at once when closed, also between two tries", async () => {
    const world = await start(() => "hang up");
    const { monitor, errors } = openMonitor(
      world,
      {},
      { backOffMillis: 3_600_000, maxBackOffMillis: 3_600_000 },
    );
    await errors.has(1);
    await monitor.close();
    expect(await monitor.ended).toBeUndefined();
    await monitor.ready;
  });
});
