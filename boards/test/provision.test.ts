// SPDX-License-Identifier: BSD-3-Clause
// The program that makes a posix device's flash, from the compiled build that `npm test` makes first.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Provisioning, provisionedStore } from "../../device/js/provisioning.ts";
import { valuesOf } from "../../device/test/eightSectors.ts";
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
  expect(provision("", "--first-use")).toMatchObject({
    status: 2,
    stderr: "atmicro: standard input has no one-time passcode\n",
  });
  expect(provision("Q7X2ZK\n", "--first-use")).toMatchObject({ status: 0, stderr: "" });
  const flash = readFileSync(join(folder, "flash"));
  const start = provisionedStore({
    ...CONFIGURATION,
    passcode: "Q7X2ZK",
    pins: [{ atSign: "@alice" }],
    authorities: certificate,
  });
  expect(flash.length).toBe(FLASH_BYTES);
  expect(flash.subarray(0, start.length)).toEqual(start);
  expect(flash.subarray(start.length).every((byte) => byte === 0xff)).toBe(true);
  expect(statSync(join(folder, "flash")).mode & 0o777).toBe(0o600);
  expect(provision("Q7X2ZK\n", "--first-use").status).toBe(1);
  expect(readFileSync(join(folder, "flash"))).toEqual(flash);
});

it("lets a device accept an answer without IVs, and says what that costs", async () => {
  const authorities = await configure();
  const { status, stderr } = provision("Q7X2ZK\n", "--first-use", "--accept-legacy-answer");
  expect(status).toBe(0);
  expect(stderr).toMatch(/^atmicro: warning: .*one keystream.*self key/);
  const flash = readFileSync(join(folder, "flash"));
  const told = {
    ...{ ...CONFIGURATION, passcode: "Q7X2ZK", authorities },
    pins: [{ atSign: "@alice" }],
  };
  const start = provisionedStore({ ...told, acceptLegacyAnswer: true });
  expect(flash.subarray(0, start.length)).toEqual(start);
  expect(start).not.toEqual(provisionedStore(told));
});

const PRINT = "5m63-60tn-mf51-ccq0-rv4g";

/** The field of the made flash's configuration; undefined: it isn't there. */
function fieldOf(number: number): string | undefined {
  const bytes = valuesOf(readFileSync(join(folder, "flash"))).get(16) ?? Buffer.alloc(0);
  for (let at = 0; at < bytes.length; at += 3 + bytes.readUInt16BE(at + 1)) {
    if (bytes[at] !== number) continue;
    return bytes.toString("utf8", at + 3, at + 3 + bytes.readUInt16BE(at + 1));
  }
  return undefined;
}

describe("how the peer's key is known", () => {
  it.each([
    [["--first-use"], "@alice"],
    [["--fingerprint", `@alice=${PRINT}`], "@alice:5m6360tnmf51ccq0rv4g"],
    [["--fingerprint", "@ALICE=5M63 6OTN MF5I CCQ0 RV4G"], "@alice:5m6360tnmf51ccq0rv4g"],
    [["--accept-unauthenticated", "@alice"], "@alice+"],
    [["--first-use", "--accept-unauthenticated", "@alice"], "@alice+"],
    [
      ["--fingerprint", `@bob=${PRINT}`, "--accept-unauthenticated", "@bob", "--first-use"],
      "@bob:5m6360tnmf51ccq0rv4g+ @alice",
    ],
  ])("is in the store: %j", async (options, text) => {
    await configure();
    const { status, stderr } = provision("Q7X2ZK\n", ...options);
    expect(status).toBe(0);
    expect(fieldOf(15)).toBe(text);
    // What is given up is said.
    expect(/warning: whoever holds an atServer .* @(alice|bob)\n/.test(stderr)).toBe(
      options.includes("--accept-unauthenticated"),
    );
  });

  it.each([
    [[], "say how the key of @alice is known"],
    [["--fingerprint", `@bob=${PRINT}`], "say how the key of @alice is known"],
    [["--fingerprint", PRINT], "an atSign and its fingerprint"],
    [["--fingerprint", "@alice=5m63-60tn-mf51-ccq0-rv4h"], "one of these is wrong"],
    [["--fingerprint", "@alice=5m63-60tn"], "one of these is wrong"],
    [["--fingerprint", `@alice=${PRINT}`, "--first-use"], "--first-use would not look at it"],
    [["--fingerprint", `@alice=${PRINT}`, "--fingerprint", `@alice=${PRINT}`], "two fingerprints"],
    [["--first-use", "--accept-unauthenticated", "bob"], "a pin must be of an atSign"],
    [
      ["@b", "@c", "@d", "@e"].flatMap((peer) => ["--accept-unauthenticated", peer]),
      "say how the key of @alice is known",
    ],
    [
      ["--first-use", ...["@b", "@c", "@d", "@e"].flatMap((b) => ["--accept-unauthenticated", b])],
      "at most 4 atSigns",
    ],
  ])("is refused, and nothing written: %j", async (options, message) => {
    await configure();
    const { status, stderr } = provision("Q7X2ZK\n", ...options);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(join(folder, "flash"))).toBe(false);
  });
});

describe("the configuration's room", () => {
  const longest = (name: string) => `@${name.repeat(54)}`;
  const told = (authorities: string, peers: readonly string[]): Provisioning => ({
    ...{ atSign: longest("g"), peer: longest("a"), authorities, intervalMs: 3_600_000 },
    directory: `${"d".repeat(56)}.test:65535`,
    ...{
      app: "greenhouse",
      device: "greenhouse-north-3",
      namespaces: { greenhouse_automation: "rw" },
    },
    passcode: "AB12CDEF-g0v0-nggt-tegj-dp8c-7n4k",
    network: "192.168.100.101 255.255.255.0 192.168.100.1 192.168.100.1",
    pins: peers.map((atSign) => ({
      ...{ atSign, fingerprint: PRINT.replaceAll("-", ""), acceptUnauthenticated: true },
    })),
  });

  it("takes the longest of everything with one pinned peer, and says when it is too much", async () => {
    const authorities = await configure();
    expect(
      valuesOf(provisionedStore(told(authorities, [longest("a")])), 1).get(16)?.length,
    ).toBeLessThan(513);
    expect(() => provisionedStore(told(authorities, [longest("a"), longest("b")]))).toThrow(
      "the configuration is longer than 512 bytes",
    );
  });

  it("takes four peers of ordinary names", async () => {
    const authorities = await configure();
    const pins = ["@alice", "@greenhouse_owner", "@north_gate", "@weather"].map((atSign) => ({
      ...{ atSign, fingerprint: PRINT.replaceAll("-", ""), acceptUnauthenticated: true },
    }));
    const passcode = "AB12CD-g0v0-nggt-tegj-dp8c-7n4k";
    const store = provisionedStore({ ...CONFIGURATION, authorities, passcode, pins });
    expect(valuesOf(store, 1).get(16)?.length).toBeLessThan(513);
  });
});

describe("a passcode with its pairing code", () => {
  it.each([
    "AB12CD-g0v0-nggt-tegj-dp8c-7n4k",
    "AB12CDGOVONGGTTEGJDP8C7N4K-",
    " AB12CD g0v0 nggt tegj dp8c 7n4k ",
  ])("is kept in one form: %s", async (text) => {
    await configure();
    expect(provision(`${text}\n`, "--first-use")).toMatchObject({ status: 0, stderr: "" });
    expect(fieldOf(12)).toBe("AB12CD-g0v0-nggt-tegj-dp8c-7n4k");
  });

  it.each([
    "AB12CD-g0v0-nggt-tegj-dp8c-7n4x",
    "AB12CD-g0v0-nggt-tegj-dp8c",
    "g0v0-nggt-tegj-dp8c-7n4k",
    "AB12CD\u001b",
    "A".repeat(21),
    "AB12CDg0v0nggttegjdp8c7n4k",
  ])("is refused without being shown: %j", async (text) => {
    await configure();
    const { status, stderr } = provision(`${text}\n`, "--first-use");
    expect(status).toBe(2);
    expect(stderr).toMatch(/passcode/);
    expect(stderr).not.toContain(text.slice(0, 6));
    expect(existsSync(join(folder, "flash"))).toBe(false);
  });
});

it("shows nothing of a file that acts on a terminal", async () => {
  await configure();
  const evil = { ...CONFIGURATION, ca: "\u001b[2J\u202e\u2028.pem", store: "store" };
  writeFileSync(join(folder, "configuration.json"), JSON.stringify(evil));
  const { status, stderr } = provision("Q7X2ZK\n", "--first-use");
  expect(status).toBe(1);
  expect(stderr).toContain("\\u{1b}[2J\\u{202e}\\u{2028}.pem");
  expect(stderr.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028]/u);
});

it("refuses options it doesn't know, and writes nothing", async () => {
  await configure();
  const { status, stderr } = provision("Q7X2ZK\n", "--accept-everything");
  expect(status).toBe(2);
  expect(stderr).toMatch(/^atmicro: usage: /);
  expect(existsSync(join(folder, "flash"))).toBe(false);
});
