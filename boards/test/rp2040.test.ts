// SPDX-License-Identifier: BSD-3-Clause
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEnd } from "../emulator/emulator.ts";
import { Flash } from "../emulator/flash.ts";
import { Network } from "../emulator/network.ts";
import { Rp2040Emulator, type Rp2040Options } from "../emulator/rp2040/rp2040Emulator.ts";
import { W5500 } from "../emulator/w5500.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const STORE = 2 * 1024 * 1024 - 16 * 4096;

let image: Buffer;
let server: Server;
const sockets = new Set<Socket>();

beforeAll(async () => {
  const program = path("boards/test/rp2040/selfTest.c");
  execFileSync(process.execPath, [path("boards/build.mjs"), "rp2040", "--program", program]);
  image = readFileSync(path("build/rp2040/selfTest.bin"));
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      if (bytes.toString("latin1").endsWith("end")) socket.end();
      else socket.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** The board with the echo server as "echo.test"; its port 7 is wherever the server listens. */
function board(options: Partial<Rp2040Options> = {}) {
  const lines: string[] = [];
  const { port } = server.address() as AddressInfo;
  const network = new Network({
    names: { "echo.test": "10.0.0.2" },
    routes: { "10.0.0.2:7": `127.0.0.1:${port}` },
  });
  const emulator = new Rp2040Emulator({
    flash: new Flash(image),
    attachments: [new W5500(network)],
    temperature: () => 21.5,
    idleSpeed: 100,
    onLine: (line) => lines.push(line),
    ...options,
  });
  return { lines, network, emulator };
}

describe("the RP2040 board in the emulator", () => {
  it("boots from the second stage and uses every part of the board", async () => {
    const { emulator, lines } = board();
    const end: RunEnd = await emulator.run({ deviceMs: 60_000 });
    expect({ end, lines }).toEqual({
      end: { kind: "stopped", code: 250 },
      lines: [
        "reset 0",
        "hello",
        expect.stringMatching(/^above 21\d{3}$/),
        "entropy",
        "sectors 16",
        "flash good",
        "nowhere 3",
        "warning: the W5500 knows no IPv6 address",
        "IPv6 0",
        "link open",
        "echoed 5000",
        "peer closed",
        "closed 0",
        "waited 250",
        expect.stringMatching(/^stack \d{3,4}$/),
        "reset 2",
        "waiting for the watchdog",
        "reset 1",
      ],
    });
    expect(emulator.chip?.clkSys).toBe(125e6);
    expect(emulator.flash.log).toEqual([
      { kind: "erase", offset: STORE + 4096 },
      { kind: "program", offset: STORE + 4096 + 512 },
    ]);
  });

  it.each<[string, (network: Network) => void]>([
    ["one byte at a time", (network) => Object.assign(network, { segmentBytes: 1 })],
    ["every byte late", (network) => Object.assign(network, { delayMs: 20 })],
  ])("gets everything back from the echo server: %s", async (_, disturb) => {
    const { emulator, lines, network } = board();
    disturb(network);
    expect(await emulator.run({ deviceMs: 120_000 })).toEqual({ kind: "stopped", code: 250 });
    expect(lines.slice(lines.indexOf("link open"), lines.indexOf("closed 0"))).toEqual([
      "link open",
      "echoed 5000",
      "peer closed",
    ]);
  });

  it("says that there is no link while the cable is out", async () => {
    const { emulator, lines, network } = board();
    network.isLinkUp = false;
    await emulator.run({ until: () => lines.includes("reset 2"), deviceMs: 60_000 });
    expect(lines.slice(lines.indexOf("flash good") + 1, -2)).toEqual([
      "warning: the W5500 knows no IPv6 address",
      "IPv6 0",
      "no link",
      "waited 250",
      expect.stringMatching(/^stack /),
    ]);
  });

  it("sees a connection that is reset in the middle of a transfer", async () => {
    const { emulator, lines, network } = board();
    network.segmentBytes = 1;
    await emulator.run({ until: () => lines.includes("link open"), deviceMs: 60_000 });
    network.reset();
    await emulator.run({ until: () => lines.includes("closed 0"), deviceMs: 60_000 });
    const [echoed, closed] = lines.slice(lines.indexOf("link open") + 1);
    expect(Number(/^echoed (\d+)$/.exec(echoed ?? "")?.[1])).toBeLessThan(5000);
    expect(closed).toBe("peer closed");
  });

  it("has no entropy when the ring oscillator's bit stands still", async () => {
    const { emulator, lines } = board({ entropy: () => 1 });
    await emulator.run({ until: () => lines.includes("sectors 16"), deviceMs: 60_000 });
    expect(lines).toContain("no entropy");
  });

  it("starts again after power was cut while a page was programmed", async () => {
    const { emulator, lines } = board();
    emulator.flash.arm({ operation: 2, bytes: 17 });
    expect(await emulator.run({ deviceMs: 60_000 })).toEqual({ kind: "powerCut" });
    expect(lines.at(-1)).toBe("sectors 16");
    expect([...emulator.flash.bytes.subarray(STORE + 4608 + 16, STORE + 4608 + 18)]).toEqual([
      (16 * 7) & 0xff,
      0xff,
    ]);
    await emulator.run({ until: () => lines.includes("flash good"), deviceMs: 60_000 });
    expect(lines.slice(-3)).toEqual(["entropy", "sectors 16", "flash good"]);
  });

  // A step of the converter is 0.47 °C.
  it.each([-12.25, -0.2, 21.5, 84])("reads the chip's temperature: %d °C", async (celsius) => {
    const { emulator, lines } = board({ temperature: () => celsius });
    await emulator.run({ until: () => lines.includes("sectors 16"), deviceMs: 60_000 });
    const [, side, milli] = /^(above|below) (\d+)$/.exec(lines[2] ?? "") ?? [];
    const measured = (Number(milli) / 1000) * (side === "below" ? -1 : 1);
    expect(Math.abs(measured - celsius)).toBeLessThan(0.5);
  });
});
