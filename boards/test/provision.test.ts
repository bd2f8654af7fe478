// SPDX-License-Identifier: BSD-3-Clause
// The program that makes a posix device's flash, from the compiled build that `npm test` makes first.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createAuthority } from "../../host/crypto/certificates.ts";
import { provisionedStore } from "../provisioning.ts";
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

const provision = (input: string) =>
  spawnSync(
    process.execPath,
    [PROGRAM, join(folder, "configuration.json"), join(folder, "flash")],
    {
      input,
      encoding: "utf8",
    },
  );

it("makes a flash, once, from a configuration and a passcode", async () => {
  const { certificate } = await createAuthority({ name: "test" });
  writeFileSync(join(folder, "ca.pem"), certificate);
  writeFileSync(
    join(folder, "configuration.json"),
    JSON.stringify({ ...CONFIGURATION, ca: "ca.pem", store: "store" }),
  );
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
