// SPDX-License-Identifier: BSD-3-Clause
// Made vectors/eightSectors.json: flashes of a device that was provisioned, enrolled and commanded by the last version
// whose store had eight sectors (revision in the file). To make others, check that revision out and build it:
//   git worktree add ../old <revision>; (cd ../old; npm ci; npm run build; node boards/build.mjs posix)
//   node device/test/makeEightSectors.mjs ../old > device/test/vectors/eightSectors.json
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

const root = resolve(process.argv[2] ?? ".");
const { World } = await import(join(root, "build/host/cli/world/world.js"));
const { provisionedStore } = await import(join(root, "build/device/js/provisioning.js"));

const STORE_BYTES = 8 * 4096;
const DEVICE = "@greenhouse";
const PEER = "@alice";
/** Longer than the device needs, at its speed, until it has stored the watermark. */
const STORED_MS = 600;

const folder = mkdtempSync(join(tmpdir(), "atmicro-eight-"));
const world = await World.start({ folder: join(folder, "world"), atSigns: [DEVICE, PEER] });
const owner = await world.activate(DEVICE);
const peer = await world.activate(PEER);
const monitor = owner.monitor({
  selfNotifications: true,
  regex: "__manage",
  onNotification: ({ key }) => owner.approve(key.slice(0, key.indexOf("."))),
});
await monitor.ready;

const flash = join(folder, "flash");
const provisioned = Buffer.alloc(STORE_BYTES, 0xff);
provisionedStore({
  atSign: DEVICE,
  // Nobody listens there: what tries a device of these flashes sees it start and goes no further.
  directory: `localhost:${world.directory.port}`,
  app: "greenhouse",
  device: "eight",
  namespaces: { greenhouse: "rw" },
  passcode: await owner.otpGet(),
  peer: PEER,
  intervalMs: 2000,
  authorities: world.authority,
}).copy(provisioned);
writeFileSync(flash, provisioned, { mode: 0o600 });

/** Generation of a half, 0: none. */
function generation(bytes, half) {
  const at = (half * STORE_BYTES) / 2;
  return bytes.toString("latin1", at, at + 4) === "atms" ? bytes.readUInt32LE(at + 4) : 0;
}

function newestGeneration() {
  const bytes = readFileSync(flash);
  return Math.max(generation(bytes, 0), generation(bytes, 1));
}

/** Runs the device with commands until its store has the generation and a few records beside it. */
async function runUntil(wanted) {
  const device = spawn(join(root, "build/posix/atmicro-device"), [flash, "--speed", "20"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: device.stdout });
  await new Promise((/** @type {(value?: unknown) => void} */ done) =>
    lines.on("line", (line) => /reading sent/.test(line) && done()),
  );
  for (let more = 3; more > 0; ) {
    await peer.notify(`${DEVICE}:command.greenhouse${PEER}`, '{"id":1,"set":"interval","ms":2000}');
    await sleep(STORED_MS);
    if (newestGeneration() >= wanted) more--;
  }
  device.kill("SIGKILL");
  await once(device, "close");
  return readFileSync(flash);
}

const images = { provisioned };
for (const [name, wanted] of Object.entries({ enrolled: 1, secondHalf: 2, firstHalf: 3 })) {
  images[name] = await runUntil(wanted);
}
await monitor.close();
await peer.close();
await owner.close();
await world.close();
rmSync(folder, { recursive: true });

const revision = execFileSync("git", ["-C", root, "rev-parse", "HEAD"], {
  encoding: "utf8",
}).trim();
const packed = Object.entries(images).map(([name, x]) => [name, gzipSync(x).toString("base64")]);
process.stdout.write(
  `${JSON.stringify({ source: "device/test/makeEightSectors.mjs", revision, encoding: "gzip, base64", images: Object.fromEntries(packed) }, null, 1)}\n`,
);
process.exit(0);
