// SPDX-License-Identifier: BSD-3-Clause
// The runtime in C on bad links and in front of wrong servers.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAuthority } from "../../host/crypto/certificates.ts";
import { CERTIFICATE, FaultyProxy, SERVER_HELLO } from "./faultyProxy.ts";
import { buildDevice, FLASH_BYTES, type PosixDevice } from "./posixDevice.ts";
import { DEVICE, PosixWorld, type Reading } from "./posixWorld.ts";

const NOT_TRUSTED = "not connected: its certificate is not for this host or not trusted";

let program = "";
let world: PosixWorld;

beforeAll(async () => {
  program = buildDevice("plain");
  world = await PosixWorld.start();
  await world.approveAll();
}, 300_000);

afterAll(() => world.close());

describe("the device in C refuses", () => {
  it("a server of another authority", async () => {
    const other = await createAuthority({ name: "somebody else" });
    const device = world.start(program, [
      await world.flash("ca", { authorities: other.certificate }),
    ]);
    await device.until(NOT_TRUSTED);
    expect(device.count("state: connecting")).toBe(0);
    await device.kill();
  });

  it("a certificate for another host name", async () => {
    const directory = `127.0.0.1:${world.world.directory.port}`;
    const device = world.start(program, [await world.flash("host", { directory })]);
    await device.until(NOT_TRUSTED);
    expect(device.count("state: connecting")).toBe(0);
    await device.kill();
  });

  it("a flash that was never provisioned", async () => {
    const flash = join(world.folder, "blank");
    writeFileSync(flash, Buffer.alloc(FLASH_BYTES, 0xff));
    const device = world.start(program, [flash]);
    expect(await device.ended).toBe(1);
    expect(device.lines.at(-1)).toBe("the device is not provisioned");
  });
});

describe("the device in C whose core traps", () => {
  it("restarts, and tells the owner at the next login", async () => {
    const flash = await world.flash("trapped");
    const shallow = world.start(buildDevice("shallow"), [flash, "--speed", "20"]);
    await shallow.until("core stopped: [trap] value stack overflow");
    await shallow.until("start after reboot");
    await shallow.kill();

    const mended = world.start(program, [flash, "--speed", "20"]);
    await mended.until("reading sent");
    await mended.kill();
    expect(mended.count(/^telling of the last crash: /)).toBe(1);
    const { value } = await world.owner.get("crash.trapped.greenhouse@greenhouse");
    expect(JSON.parse(String(value))).toEqual({
      cause: "power",
      reason: "[trap] value stack overflow",
      function: expect.any(Number),
    });

    const again = world.start(program, [flash, "--speed", "20"]);
    await again.until("reading sent");
    expect(again.count(/^telling of the last crash: /)).toBe(0);
    await again.kill();
  });
});

describe("the device in C behind a bad link", () => {
  let proxy: FaultyProxy;
  let device: PosixDevice;
  let arrived: number[] = [];
  let wake: () => void = () => undefined;
  let devices = 0;

  beforeEach(async () => {
    proxy = await FaultyProxy.listen(world.world.server(DEVICE).port);
    await world.world.register(DEVICE, proxy.port);
    arrived = [];
    const collect = ({ n }: Reading) => {
      arrived.push(n);
      wake();
    };
    const monitor = await world.readings(collect);
    const flash = await world.flash(`link${devices++}`, { intervalMs: 3000 });
    device = world.start(program, [flash, "--speed", "20"]);
    await device.until("reading sent", 2);
    return async () => {
      await device.kill();
      await monitor.close();
    };
  });

  afterEach(() => proxy.close());

  /** Every reading that was sent arrives once, in order, and later ones follow. */
  async function expectAll(): Promise<void> {
    const last = device.count("reading sent") + 2;
    while (!arrived.includes(last)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    expect(arrived).toEqual(Array.from({ length: arrived.length }, (_, index) => index + 1));
  }

  it("reads segments of one byte, through a full handshake too", async () => {
    proxy.fault = "bytes";
    await device.until("reading sent", 4);
    proxy.cut();
    await device.until("state: ready", 2);
    await expectAll();
  });

  it("comes back after resets", async () => {
    for (let times = 2; times <= 5; times++) {
      proxy.cut();
      await device.until("state: ready", times);
    }
    await expectAll();
    expect(device.count("state: pausing")).toBeGreaterThanOrEqual(4);
  });

  it("resumes its TLS session after a reset: no certificate is sent again", async () => {
    expect(proxy.handshakes[0]).toContain(CERTIFICATE);
    proxy.cut();
    await device.until("state: ready", 2);
    expect(proxy.handshakes.at(-1)).toEqual([SERVER_HELLO]);
  });

  it("notices silence and connects again", async () => {
    proxy.fault = "silence";
    await device.until("state: pausing");
    proxy.fault = "pass";
    await device.until("state: ready", 2);
    await expectAll();
  });

  it("follows the directory to another place", async () => {
    const moved = await FaultyProxy.listen(world.world.server(DEVICE).port);
    await world.world.register(DEVICE, moved.port);
    await proxy.close();
    await device.until("state: ready", 2);
    await expectAll();
    expect(moved.accepted).toBeGreaterThan(0);
    await device.kill();
    proxy = moved;
  });
});
