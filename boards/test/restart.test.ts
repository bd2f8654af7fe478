// SPDX-License-Identifier: BSD-3-Clause
// The device program against real servers, killed at the worst moments: it goes on where it was.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { World } from "../../host/cli/world/world.ts";
import { activate } from "../../host/client/activation.ts";
import { AtClient } from "../../host/client/atClient.ts";
import { writeKeyFile } from "../../host/crypto/keyFile.ts";
import { formatAddress } from "../../host/net/address.ts";
import { SimulatedProcess } from "./simulatedProcess.ts";

let folder = "";
let world: World | undefined;
let clients: AtClient[] = [];
let running: SimulatedProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-restart-"));
});

afterEach(async () => {
  for (const device of running) await device.kill();
  for (const client of clients) await client.close();
  await world?.close();
  running = [];
  clients = [];
  rmSync(folder, { recursive: true });
});

/** The owner of an atSign, with fresh keys. */
async function activated(world: World, atSign: string): Promise<AtClient> {
  const { cramSecret } = world.server(atSign);
  const save = (keys: Parameters<typeof writeKeyFile>[1]) =>
    writeKeyFile(world.keyFile(atSign), keys);
  const keys = await activate({ atSign, cramSecret, save }, world.network);
  const client = await AtClient.connect({ ...world.network, keys });
  clients.push(client);
  return client;
}

function startDevice(configuration: string, ...more: string[]): SimulatedProcess {
  const device = new SimulatedProcess(configuration, ...more);
  running.push(device);
  return device;
}

/** The id of the next enrolment asked for (atProtocol, APKAM enrollment). */
async function enrolments(owner: AtClient): Promise<{ next: Promise<string> }> {
  let tell: (id: string) => void = () => {};
  const next = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const monitor = owner.monitor({
    selfNotifications: true,
    regex: "__manage",
    onNotification: ({ key }) => tell(key.slice(0, key.indexOf("."))),
    onError: (error) => tell(`none: ${error.message}`),
  });
  await monitor.ready;
  return { next };
}

it("outlives kill -9 while it waits for approval and while it serves", async () => {
  world = await World.start({ folder: join(folder, "world"), atSigns: ["@greenhouse", "@alice"] });
  const owner = await activated(world, "@greenhouse");
  const peer = await activated(world, "@alice");
  const configuration = join(folder, "configuration.json");
  writeFileSync(
    configuration,
    JSON.stringify({
      atSign: "@greenhouse",
      directory: formatAddress(world.directory),
      ca: world.authorityFile,
      store: join(folder, "store"),
      app: "greenhouse",
      device: "sim",
      namespaces: { greenhouse: "rw" },
      peer: "@alice",
      intervalMs: 200,
    }),
  );
  const asked = await enrolments(owner);

  const first = startDevice(configuration);
  first.child.stdin.write(`${await owner.otpGet()}\n`);
  const enrollment = await asked.next;
  await first.until({ event: "state", state: "waitingForApproval" });
  await first.kill();

  // No passcode any more: the enrolment that was asked for is the one that is approved.
  const second = startDevice(configuration);
  await second.until({ event: "state", state: "waitingForApproval" });
  await owner.approve(enrollment);
  await second.until({ event: "enrolled" });
  await second.until({ event: "reading", n: 2, notified: true, stored: true });
  await second.kill();

  const third = startDevice(configuration, "--accelerators");
  await third.until({ event: "reading", n: 1, notified: true, stored: true });
  expect(third.events.filter(({ event }) => event === "enrolled")).toEqual([]);
  const key = "@greenhouse:command.greenhouse@alice";
  await peer.notify(key, JSON.stringify({ id: 1, set: "interval", ms: 250 }));
  await third.until({ event: "command", id: 1, ok: true, intervalMs: 250 });
  const { value } = await peer.get("latest.greenhouse@greenhouse");
  expect(JSON.parse(String(value))).toMatchObject({ load: expect.any(Number) });
  third.child.kill("SIGTERM");
  expect(await third.ended).toBe(0);
  expect(third.events.at(-1)).toMatchObject({ event: "stats", interpreter: "wasm3" });
  expect(third.events.filter(({ event }) => event === "error")).toEqual([]);
});
