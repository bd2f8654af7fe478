// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChildProgram, LifeEvent } from "../../cli/process/childProgram.ts";
import { enrolDevice, startDevice } from "../../cli/world/simulatedDevice.ts";
import { World } from "../../cli/world/world.ts";
import type { AtClient } from "../../client/atClient.ts";
import { CuttingProxy } from "./cuttingProxy.ts";

const DEVICE = "@greenhouse";
const PEER = "@alice";
const READINGS = 20;

describe("a device whose link is cut", () => {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-cut-link-"));
  let world: World;
  let proxy: CuttingProxy;
  let device: ChildProgram | undefined;
  let owner: AtClient;
  let peer: AtClient;

  beforeEach(async () => {
    world = await World.start({ folder: join(folder, "world"), atSigns: [DEVICE, PEER] });
    proxy = await CuttingProxy.listen(world.server(DEVICE).port);
    await world.register(DEVICE, proxy.port);
    owner = await world.activate(DEVICE);
    peer = await world.activate(PEER);
  });

  afterEach(async () => {
    await device?.stop();
    await owner.close();
    await peer.close();
    await proxy.close();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("recovers, and every reading arrives once", async () => {
    const arrived: number[] = [];
    const states: unknown[] = [];
    let enough: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const monitor = peer.monitor({
      regex: "reading\\.greenhouse",
      onNotification: ({ key, value }) => {
        if (key !== `${PEER}:reading.greenhouse${DEVICE}`) return;
        arrived.push(JSON.parse(String(value)).n);
        if (arrived.length >= READINGS) enough();
      },
    });
    await monitor.ready;
    device = await startDevice({
      world,
      folder: join(folder, "device"),
      atSign: DEVICE,
      peer: PEER,
      namespace: "greenhouse",
      intervalMs: 300,
      onEvent: (event: LifeEvent) => {
        if (event.event === "state") states.push(event.state);
        // In the middle of its work: one operation has just ended, the next is under way.
        if (event.event === "reading" && (event.n === 3 || event.n === 9)) proxy.cut();
      },
    });
    await enrolDevice(device, owner);
    await done;
    // What is on its way twice would follow at once; a request behind it says that nothing does.
    await peer.get(`latest.greenhouse${DEVICE}`);
    expect([...new Set(arrived)].sort((a, b) => a - b).slice(0, READINGS)).toEqual(
      Array.from({ length: READINGS }, (_, index) => index + 1),
    );
    expect(arrived.length).toBe(new Set(arrived).size);
    expect(states.filter((state) => state === "pausing").length).toBeGreaterThanOrEqual(2);
  });
});
