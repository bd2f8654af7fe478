// SPDX-License-Identifier: BSD-3-Clause
// An application outside the clone: a copy of the template, built for the boards and run on the one that is a process.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GPIOPinState } from "rp2040js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { provisionedStore } from "../../device/js/provisioning.ts";
import { createAuthority } from "../../host/crypto/certificates.ts";
import { FLASH_BYTES, Flash, SECTOR_BYTES } from "../emulator/flash.ts";
import { Network } from "../emulator/network.ts";
import { Rp2040Emulator } from "../emulator/rp2040/rp2040Emulator.ts";
import { W5500 } from "../emulator/w5500.ts";
import { DEVICE, PEER, PosixWorld } from "./posixWorld.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

let folder = "";
let app = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro own app "));
  app = join(folder, "soil-probe");
  cpSync(path("boards/app/template"), app, { recursive: true });
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the build as a maker does, from his own folder; what it printed and its exit code. */
function build(board: string, place: string) {
  const program = [path("boards/build.mjs"), board, "--app", place];
  const { stdout, stderr, status } = spawnSync(process.execPath, program, {
    cwd: folder,
    encoding: "utf8",
  });
  return { stdout, stderr, status };
}

describe("an own application", () => {
  it("sends readings the peer decrypts and obeys it, as a process", async () => {
    const { stdout, stderr } = build("posix", "soil-probe");
    expect(stderr).toBe("");
    const place = path("build/posix/apps/soil-probe");
    expect(stdout.trimEnd()).toMatch(new RegExp(`, in ${place}$`));
    const world = await PosixWorld.start();
    try {
      const received: unknown[] = [];
      await world.readings((reading) => received.push(reading));
      await world.approveAll();
      const pins = join(folder, "pins.txt");
      writeFileSync(pins, "# the probe\nadc 0 1234\n");
      const flash = await world.flash("own");
      const options = [flash, "--peripherals", pins, "--speed", "10", "--system-stack"];
      const device = world.start(join(place, "atmicro-device"), options);
      await device.until("reading sent");
      writeFileSync(pins, "adc 0 987\n");
      await device.until("reading sent", 3);
      expect(received[0]).toEqual({ moistureVolts: 1.234 });
      expect(received.at(-1)).toEqual({ moistureVolts: 0.987 });
      await world.peer.notify(`${DEVICE}:command.greenhouse${PEER}`, '{"lamp":true}');
      await device.until("gpio 25 = 1");
      await world.peer.notify(`${DEVICE}:command.greenhouse${PEER}`, '{"lamp":"on"}');
      await world.peer.notify(`${DEVICE}:command.greenhouse${PEER}`, '{"lamp":false}');
      await device.until("gpio 25 = 0", 2);
      expect(device.count("gpio 25 = 1")).toBe(1);
    } finally {
      await world.close();
    }
  }, 300_000);

  it("is an image for the RP2040, beside the greenhouse's", () => {
    const { stderr, status } = build("rp2040", app);
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    const place = path("build/rp2040/apps/soil-probe");
    expect(readFileSync(join(place, "atmicro.uf2")).length % 512).toBe(0);
    const symbols = JSON.parse(readFileSync(join(place, "atmicro.symbols.json"), "utf8"));
    expect(symbols).toMatchObject({ hal_adc_read: expect.any(Number) });
    expect(symbols).not.toHaveProperty("bme280_read");
  }, 300_000);

  it("starts on the emulated Pico, with its lamp off and its board looking for the directory", async () => {
    build("rp2040", app);
    const flash = new Flash(readFileSync(path("build/rp2040/apps/soil-probe/atmicro.bin")));
    const store = provisionedStore({
      ...{ atSign: DEVICE, directory: "directory.test:64", app: "soil", device: "probe" },
      ...{ namespaces: { soil: "rw" }, passcode: "ABC123", peer: PEER, intervalMs: 1_000 },
      authorities: (await createAuthority({ name: "nobody's" })).certificate,
    });
    flash.write(FLASH_BYTES - 16 * SECTOR_BYTES, store);
    const lines: string[] = [];
    const emulator = new Rp2040Emulator({
      flash,
      attachments: [new W5500(new Network({ names: {}, routes: {} }))],
      onLine: (line) => lines.push(line),
    });
    const isLooking = () => lines.includes("state: directory");
    expect(await emulator.run({ until: isLooking, deviceMs: 10_000 })).toEqual({ kind: "until" });
    expect(emulator.chip?.gpio[25]?.value).toBe(GPIOPinState.Low);
    emulator.powerOff();
  }, 300_000);

  it("may be one file, may have several, and its warnings are shown without stopping the build", () => {
    const several = join(folder, "several");
    mkdirSync(several);
    writeFileSync(join(several, "pause.h"), "int pause_ms(void);\n");
    writeFileSync(
      join(several, "pause.c"),
      '#include "pause.h"\nint pause_ms(void) { int unused; return 7; }\n',
    );
    const template = readFileSync(join(app, "template.c"), "utf8");
    writeFileSync(
      join(several, "main.c"),
      `#include "pause.h"\n${template.replace("10000", "(uint64_t)pause_ms()")}`,
    );
    const built = build("posix", several);
    expect(built.status).toBe(0);
    expect(built.stderr).toContain("unused variable");
    expect(build("posix", join(app, "template.c")).status).toBe(0);
    expect(existsSync(path("build/posix/apps/template/atmicro-device"))).toBe(true);
  }, 120_000);
});

describe("an application that can't be built ends with a sentence", () => {
  const message = (place: string) => {
    const { stderr, status } = build("posix", place);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^atmicro: /);
    return stderr;
  };

  it("when there is none", () => {
    expect(message("nowhere")).toContain(`there is no application ${join(folder, "nowhere")}`);
    writeFileSync(join(folder, "notes.txt"), "");
    expect(message("notes.txt")).toContain("notes.txt is no C file");
    mkdirSync(join(folder, "empty"));
    expect(message("empty")).toContain("holds no .c file; an application needs one");
  });

  it("when it has no entry, or two", () => {
    const file = join(folder, "noEntry.c");
    writeFileSync(file, "int main_of_mine(void) { return 0; }\n");
    expect(message(file)).toContain(
      "defines no function at_application; device/at.h says what it is",
    );
    const twice = join(folder, "twice");
    cpSync(app, twice, { recursive: true });
    cpSync(join(twice, "template.c"), join(twice, "again.c"));
    expect(message(twice)).toContain("defines more than once the function at_application");
  }, 60_000);

  it("when it does not compile, with what the compiler says and where", () => {
    const file = join(folder, "broken.c");
    writeFileSync(file, "int broken(void) { return nothing; }\n");
    expect(message(file)).toMatch(/broken\.c:1:27: error: .nothing. undeclared/);
  });

  it("when its name can't be a folder's", () => {
    const file = join(folder, "my app.c");
    writeFileSync(file, "");
    expect(message(file)).toContain("the application's name \"my app\" becomes a folder's");
  });
});
