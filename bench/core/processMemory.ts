// SPDX-License-Identifier: BSD-3-Clause
// What wasm3 holds while the device does its job, against real servers on this machine.
import { join } from "node:path";
import type { ChildProgram, LifeEvent } from "../../host/cli/process/childProgram.ts";
import { enrolDevice, startDevice } from "../../host/cli/world/simulatedDevice.ts";
import { World } from "../../host/cli/world/world.ts";

/** Bytes in use at one moment of the device's life, on this 64-bit machine. */
export type MemoryFigure = { readonly phase: string; readonly wasm3HeapBytes: number };

const DEVICE = "@greenhouse";
const PEER = "@alice";
const STEADY_READINGS = 10;
const READINGS_MILLIS = 60_000;

/** Collects the figures a device reports, and tells when it has sent enough readings. */
class Figures {
  readonly seen: number[] = [];
  private readings = 0;
  private steady: () => void = () => undefined;
  readonly enough: Promise<void>;

  constructor(wanted: number) {
    this.enough = new Promise((resolve) => {
      this.steady = () => {
        if (this.readings >= wanted) resolve();
      };
    });
  }

  take(event: LifeEvent): void {
    if (event.event === "reading") this.readings += 1;
    if (event.event !== "stats") return;
    if (typeof event.wasm3HeapBytes !== "number") {
      throw new Error("the device does not run under wasm3; build its binding with a C compiler");
    }
    this.seen.push(event.wasm3HeapBytes);
    this.steady();
  }
}

async function within(promise: Promise<void>, device: ChildProgram): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error("the device sent too few readings")),
      READINGS_MILLIS,
    );
  });
  const died = device.ended.then((reason) => {
    throw reason ?? new Error("the device stopped");
  });
  try {
    await Promise.race([promise, late, died]);
  } finally {
    clearTimeout(timer);
  }
}

/** A device already enrolled: after its boot, after its login, and when it has sent ten readings. */
export async function measureMemory(folder: string): Promise<MemoryFigure[]> {
  const world = await World.start({ folder: join(folder, "world"), atSigns: [DEVICE, PEER] });
  try {
    const owner = await world.activate(DEVICE);
    const peer = await world.activate(PEER);
    await peer.close();
    const options = {
      world,
      folder: join(folder, "device"),
      atSign: DEVICE,
      peer: PEER,
      namespace: "greenhouse",
      intervalMs: 200,
    };
    const first = await startDevice(options);
    try {
      await enrolDevice(first, owner);
    } finally {
      await first.stop();
      await owner.close();
    }
    const figures = new Figures(STEADY_READINGS);
    const device = await startDevice({ ...options, onEvent: (event) => figures.take(event) });
    try {
      await within(figures.enough, device);
    } finally {
      await device.stop();
    }
    const [boot = 0, login = 0] = figures.seen;
    return [
      { phase: "after boot", wasm3HeapBytes: boot },
      { phase: "after login", wasm3HeapBytes: login },
      { phase: "steady state", wasm3HeapBytes: figures.seen.at(-1) ?? 0 },
    ];
  } finally {
    await world.close();
  }
}
