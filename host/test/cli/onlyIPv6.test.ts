// SPDX-License-Identifier: BSD-3-Clause
// A machine that has ::1 and no 127.0.0.1, made by namespaces of the kernel.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, it } from "vitest";
import { atmicroProgram } from "../../cli/process/program.ts";

const folder = mkdtempSync(join(tmpdir(), "atmicro-ipv6-"));
afterAll(() => rmSync(folder, { recursive: true }));

const hosts = join(folder, "hosts");
writeFileSync(hosts, "::1 localhost\n");
const prepare = `mount --bind ${hosts} /etc/hosts && ip link set lo up && ip addr del 127.0.0.1/8 dev lo`;
const withNamespaces = (command: string): string[] => [
  ...["--map-root-user", "--net", "--mount"],
  ...["sh", "-c", `${prepare} && ip addr show dev lo to ::1 | grep -q ::1 && ${command}`],
];
const possible = spawnSync("unshare", withNamespaces("true")).status === 0;
if (!possible) console.log("no namespaces here: a machine with IPv6 alone is not tried");

describe.skipIf(!possible)("where only the IPv6 loopback exists", () => {
  it("`atmicro up` starts a world, and activates its atSigns", async () => {
    const world = join(folder, "world");
    const command = `exec ${process.execPath} ${atmicroProgram()} up @alice --json --folder ${world}`;
    const child = spawn("unshare", withNamespaces(command), { stdio: ["ignore", "pipe", "pipe"] });
    let complaints = "";
    child.stderr.on("data", (text) => {
      complaints += text;
    });
    const gone = once(child, "close");
    const [line] = await Promise.race([once(createInterface(child.stdout), "line"), gone]);
    expect(`${line}${complaints}`).toMatch(/^\{"event":"ready",.*"atSign":"@alice"/);
    child.kill("SIGTERM");
    expect((await gone)[0]).toBe(0);
  });
});
