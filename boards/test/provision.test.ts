// SPDX-License-Identifier: BSD-3-Clause
// The program that makes a posix device's flash, from the compiled build that `npm test` makes first.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { provisionedStore } from "../../device/js/provisioning.ts";
import { createAuthority } from "../../host/crypto/certificates.ts";
import { FLASH_BYTES } from "./posixDevice.ts";

const PROGRAM = fileURLToPath(new URL("../../build/boards/provision.js", import.meta.url));
const CONFIGURATION = {
  atSign: "@greenhouse",
  directory: "localhost:64",
  app: "greenhouse",
  device: "one",
  namespaces: { greenhouse: "rw" },
  peer: "@alice",
  intervalMs: 1000,
} as const;

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-provision-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const provision = (input: string, ...flags: string[]) =>
  spawnSync(
    process.execPath,
    [PROGRAM, join(folder, "configuration.json"), join(folder, "flash"), ...flags],
    {
      input,
      encoding: "utf8",
    },
  );

/** Writes a configuration; the certificate it trusts. */
async function configure(): Promise<string> {
  const { certificate } = await createAuthority({ name: "test" });
  writeFileSync(join(folder, "ca.pem"), certificate);
  writeFileSync(
    join(folder, "configuration.json"),
    JSON.stringify({ ...CONFIGURATION, ca: "ca.pem", store: "store" }),
  );
  return certificate;
}

it("makes a flash, once, from a configuration and a passcode", async () => {
  const certificate = await configure();
  expect(provision("")).toMatchObject({
    status: 2,
    stderr: "atmicro: standard input has no one-time passcode\n",
  });
  expect(provision("Q7X2ZK\n")).toMatchObject({ status: 0, stderr: "" });
  const flash = readFileSync(join(folder, "flash"));
  const start = provisionedStore({
    ...CONFIGURATION,
    passcode: "Q7X2ZK",
    authorities: certificate,
  });
  expect(flash.length).toBe(FLASH_BYTES);
  expect(flash.subarray(0, start.length)).toEqual(start);
  expect(flash.subarray(start.length).every((byte) => byte === 0xff)).toBe(true);
  expect(statSync(join(folder, "flash")).mode & 0o777).toBe(0o600);
  expect(provision("Q7X2ZK\n").status).toBe(1);
  expect(readFileSync(join(folder, "flash"))).toEqual(flash);
});

it("lets a device accept an answer without IVs, and says what that costs", async () => {
  const authorities = await configure();
  const { status, stderr } = provision("Q7X2ZK\n", "--accept-legacy-answer");
  expect(status).toBe(0);
  expect(stderr).toMatch(/^atmicro: warning: .*one keystream.*self key/);
  const flash = readFileSync(join(folder, "flash"));
  const told = { ...CONFIGURATION, passcode: "Q7X2ZK", authorities };
  const start = provisionedStore({ ...told, acceptLegacyAnswer: true });
  expect(flash.subarray(0, start.length)).toEqual(start);
  expect(start).not.toEqual(provisionedStore(told));
});

it("refuses options it doesn't know, and writes nothing", async () => {
  await configure();
  const { status, stderr } = provision("Q7X2ZK\n", "--accept-everything");
  expect(status).toBe(2);
  expect(stderr).toMatch(/^atmicro: usage: /);
  expect(existsSync(join(folder, "flash"))).toBe(false);
});
