// SPDX-License-Identifier: BSD-3-Clause
// Files with secrets are written for their owner alone, and others' access to one that is read is told.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../cli/atmicro.ts";
import { World } from "../../cli/world/world.ts";
import { createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { writeKeyFile } from "../../crypto/keyFile.ts";
import { createSecretFile, replaceSecretFile } from "../../crypto/secretFile.ts";
import { alpha } from "../client/identities.ts";

const PROGRAM = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-modes-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function atmicro(args: readonly string[]): Promise<{ code: number; err: string[] }> {
  const err: string[] = [];
  const io = {
    stdout: () => undefined,
    stderr: (line: string) => err.push(line),
    stdin: async () => "",
    env: { HOME: folder },
    signal: new AbortController().signal,
  };
  return { code: await run(args, io), err };
}

const modeOf = (file: string): number => statSync(file).mode & 0o777;

describe("a key file", () => {
  const open = [0o644, 0o640, 0o604, 0o620, 0o602, 0o666, 0o777];
  it.each(open.map((mode) => [mode.toString(8), mode] as const))(
    "that others may use (%s) is read with a warning",
    async (shown, mode) => {
      const file = join(folder, "alpha.atKeys");
      await writeKeyFile(file, alpha);
      chmodSync(file, mode);
      const { code, err } = await atmicro(["keys", "-a", "@alpha", "-k", file]);
      expect(code).toBe(0);
      const may = (mode & 0o044) === 0 ? "change" : "read";
      expect(err).toEqual([
        `warning: others may ${may} ${file}, which is secret (mode 0${shown}): chmod 600 it`,
      ]);
    },
  );

  it.each([0o600, 0o400, 0o700])("that is its owner's alone is read without", async (mode) => {
    const file = join(folder, "alpha.atKeys");
    await writeKeyFile(file, alpha);
    chmodSync(file, mode);
    expect(await atmicro(["keys", "-a", "@alpha", "-k", file])).toEqual({ code: 0, err: [] });
  });

  it("is written for its owner alone, whatever the umask", async () => {
    const before = process.umask(0);
    try {
      await writeKeyFile(join(folder, "new", "alpha.atKeys"), alpha);
      await createSecretFile(join(folder, "secret"), "x");
      await replaceSecretFile(join(folder, "secret"), "y");
    } finally {
      process.umask(before);
    }
    expect(modeOf(join(folder, "new"))).toBe(0o700);
    expect(modeOf(join(folder, "new", "alpha.atKeys"))).toBe(0o600);
    expect(modeOf(join(folder, "secret"))).toBe(0o600);
  });
});

describe("a file with a secret", () => {
  it("that others may read is used with a warning", async () => {
    const file = join(folder, "alpha.secret");
    const keys = join(folder, "alpha.atKeys");
    writeFileSync(file, "secret\n", { mode: 0o644 });
    chmodSync(file, 0o644);
    const away = ["--directory", "localhost:1"];
    const args = ["activate", "-a", "@alpha", "-k", keys, "--secret-file", file, ...away];
    const { err } = await atmicro(args);
    expect(err[0]).toMatch(/^warning: others may read .*alpha\.secret, which is secret/);
  });
});

describe("a server", () => {
  it.each([
    ["server", ["server", "@alpha"]],
    ["directory", ["directory", "serve"]],
  ])("%s logs that others may read its private key", async (_, command) => {
    const authority = await createAuthority({ name: "modes" });
    const issued = await issueCertificate(authority, { hosts: ["localhost"] });
    const privateKey = join(folder, "private.key");
    const certificate = join(folder, "certificate.pem");
    const secret = join(folder, "secret");
    for (const [file, text] of [
      [privateKey, issued.privateKey],
      [certificate, issued.certificate],
      [secret, "secret"],
    ] as const) {
      writeFileSync(file, text);
      chmodSync(file, 0o644);
    }
    const more = command[0] === "server" ? ["--secret-file", secret] : [];
    const files = ["--certificate", certificate, "--private-key", privateKey, ...more];
    const where = ["--store", join(folder, "store"), "--host", "127.0.0.1", "--port", "0"];
    const child = spawn(process.execPath, [
      PROGRAM,
      ...command,
      ...files,
      ...where,
      "--exit-with-parent",
    ]);
    const warnings: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      const { level, msg } = JSON.parse(line);
      if (level === 40) warnings.push(msg);
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("close", resolve));
    const expected = [privateKey, ...(more.length === 0 ? [] : [secret])];
    for (const file of expected) {
      expect(warnings).toContainEqual(expect.stringContaining(`others may read ${file}`));
    }
    expect(warnings.join("\n")).not.toContain(certificate);
  });

  it("of a local world has its secrets in files of the owner's alone, and warns of none", async () => {
    const before = process.umask(0);
    const place = join(folder, "world");
    let world: World | undefined;
    try {
      world = await World.start({ folder: place, atSigns: ["@alice"] });
      const alice = await world.activate("@alice");
      await alice.close();
      const files = readdirSync(place, { recursive: true, encoding: "utf8" });
      const secrets = files.filter((file) => /key|secret/i.test(file));
      const isFile = (file: string): boolean => statSync(join(place, file)).isFile();
      const open = secrets.filter(isFile).filter((file) => modeOf(join(place, file)) !== 0o600);
      expect(open).toEqual([]);
      const keys = await atmicro(["keys", "-a", "@alice", "-k", world.keyFile("@alice")]);
      expect(keys).toEqual({ code: 0, err: [] });
    } finally {
      process.umask(before);
      await world?.close();
    }
  });
});
