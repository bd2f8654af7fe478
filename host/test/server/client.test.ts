// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { activate } from "../../client/activation.ts";
import { AtClient } from "../../client/atClient.ts";
import { awaitApproval, requestEnrollment } from "../../client/enrollment.ts";
import type { Monitor } from "../../client/monitor.ts";
import type { ReceivedNotification } from "../../client/notifications.ts";
import type { NetworkOptions } from "../../client/session.ts";
import { SECRET, World } from "./world.ts";

describe("the client against the atServer", () => {
  let world: World;
  let network: NetworkOptions;
  const clients: AtClient[] = [];
  beforeAll(async () => {
    world = await World.create();
    network = {
      directory: { host: "localhost", port: world.directory.port },
      authority: world.authority.certificate,
    };
    await world.start("@alice");
    await world.start("@bob");
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await world.close();
  });

  async function connect(atSign: string, keyAlgorithm: "p256" | "rsa2048"): Promise<AtClient> {
    const save = (): Promise<void> => Promise.resolve();
    const keys = await activate({ atSign, cramSecret: SECRET, keyAlgorithm, save }, network);
    const client = await AtClient.connect({ ...network, keys });
    clients.push(client);
    return client;
  }

  it("activates, enrols a device, shares both ways and notifies", async () => {
    const alice = await connect("@alice", "rsa2048");
    const bob = await connect("@bob", "p256");

    const pending = await requestEnrollment(
      {
        atSign: "@alice",
        appName: "sensor",
        deviceName: "d1",
        namespaces: { demo: "rw" },
        otp: await alice.otpGet(),
      },
      network,
    );
    await alice.approve(pending.enrollmentId);
    const device = await AtClient.connect({
      ...network,
      keys: await awaitApproval(pending, network),
    });
    clients.push(device);

    await device.put("note.demo@alice", "to myself");
    expect((await alice.get("note.demo@alice")).value).toBe("to myself");
    await device.put("@bob:temp.demo@alice", "21.5 °C");
    expect((await bob.get("temp.demo@alice")).value).toBe("21.5 °C");
    await bob.put("@alice:target.demo@bob", "22");
    expect((await device.get("target.demo@bob")).value).toBe("22");
    await alice.put("public:name.demo@alice", "Greenhouse");
    expect((await bob.get("public:name.demo@alice")).value).toBe("Greenhouse");
    await expect(device.put("note.other@alice", "x")).rejects.toMatchObject({ code: "AT0009" });

    const heard: ReceivedNotification[] = [];
    let monitor: Monitor | undefined;
    const arrived = new Promise<void>((resolve, reject) => {
      monitor = bob.monitor({
        regex: "wet.demo",
        since: 0,
        onNotification: (notification) => {
          heard.push(notification);
          resolve();
        },
        onError: reject,
      });
    });
    await device.notify("@bob:wet.demo@alice", "soaked");
    await arrived;
    expect(heard).toMatchObject([{ from: "@alice", value: "soaked" }]);
    await monitor?.close();
  });
});
