// SPDX-License-Identifier: BSD-3-Clause
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { nodeFlags } from "../../cli/process/nodeFlags.ts";
import { deployed, mistakes } from "./commandLine.ts";

/** Of 100; a unit without any measure has 96. */
const MOST_EXPOSURE = 20;
const units = ["atmicro-server@.service", "atmicro-directory.service"];
const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
if (!hasAnalyze) console.log("systemd-analyze is not there: the units are not verified by it");

const folder = mkdtempSync(join(tmpdir(), "atmicro-units-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Values of a setting in a unit. */
function settings(unit: string, name: string): string[] {
  const lines = deployed(`systemd/${unit}`).split("\n");
  return lines.filter((line) => line.startsWith(`${name}=`)).map((l) => l.slice(name.length + 1));
}

/** The unit in a folder of its own, with the Node of this machine. */
function placed(unit: string): string {
  const path = join(folder, unit);
  writeFileSync(path, deployed(`systemd/${unit}`).replaceAll("/usr/bin/node", process.execPath));
  return path;
}

describe.each(units)("%s", (unit) => {
  it("starts atmicro with flags it has", async () => {
    const [start, ...others] = settings(unit, "ExecStart");
    expect(others).toEqual([]);
    const words = start?.split(/\s+/) ?? [];
    const program = ["/usr/bin/node", ...nodeFlags, "/opt/atmicro/build/host/cli/main.js"];
    expect(words.slice(0, program.length)).toEqual(program);
    expect(await mistakes(words.slice(program.length))).toEqual([]);
  });

  it("names no secret on the command line and keeps each in a file of the service's own", () => {
    const [start] = settings(unit, "ExecStart");
    for (const credential of settings(unit, "LoadCredential")) {
      const [name, source] = credential.split(":");
      expect(source).toMatch(/^\/etc\/atmicro/);
      expect(start).toContain(`$\{CREDENTIALS_DIRECTORY}/${name}`);
    }
    expect(settings(unit, "LoadCredential")).toHaveLength(1);
    expect(settings(unit, "Environment").join()).not.toMatch(/secret/i);
  });

  it("keeps the store in the folder systemd makes for it", () => {
    const [start] = settings(unit, "ExecStart");
    expect(start).toContain(`--store %S/${settings(unit, "StateDirectory")}`);
    expect(settings(unit, "StateDirectoryMode")).toEqual(["0700"]);
  });

  it("sets the variables its command line uses", () => {
    const [start = ""] = settings(unit, "ExecStart");
    const variables = ["HOST", "PORT", "FLAGS"];
    const used = [...start.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name);
    const set = settings(unit, "Environment").map((setting) => setting.split("=")[0]);
    expect(used.filter((name) => name !== "CREDENTIALS_DIRECTORY")).toEqual(variables);
    expect(set).toEqual(expect.arrayContaining(variables));
    // Without a host a server is reached by its own machine only.
    expect(start).toContain(` --host $\{HOST} `);
    expect(settings(unit, "Environment")).toContain("HOST=0.0.0.0");
  });

  it.skipIf(!hasAnalyze)("has nothing systemd complains of", () => {
    const { stdout, stderr, status } = spawnSync("systemd-analyze", ["verify", placed(unit)], {
      encoding: "utf8",
    });
    expect(`${stdout}${stderr}`).toBe("");
    expect(status).toBe(0);
  });

  it.skipIf(!hasAnalyze)("is hardened", () => {
    const { stdout, stderr, status } = spawnSync(
      "systemd-analyze",
      [
        ...["security", "--offline=true", `--threshold=${MOST_EXPOSURE}`, "--no-pager"],
        placed(unit),
      ],
      { encoding: "utf8" },
    );
    expect(stderr).toBe("");
    expect(stdout).toContain("Overall exposure level");
    expect(status).toBe(0);
  });
});

it("ends later than the atServer needs", () => {
  expect(settings("atmicro-server@.service", "TimeoutStopSec")).toEqual(["15"]);
  expect(settings("atmicro-server@.service", "ExecReload")).toEqual(["/bin/kill -HUP $MAINPID"]);
});
