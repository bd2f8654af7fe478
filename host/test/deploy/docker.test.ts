// SPDX-License-Identifier: BSD-3-Clause
// What the Dockerfile says, carried out without Docker: its copies and its commands in folders of this machine, and the
// server it makes started from there.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { Line } from "../server/line.ts";
import { deployed, ROOT } from "./commandLine.ts";

const BUILD_MILLIS = 400_000;
/** A registry that can't be reached makes npm wait for long. */
const COMMAND_MILLIS = 120_000;
/** What npm says when the registry can't be reached. */
const AWAY = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH)|network/i;

interface Instruction {
  name: string;
  text: string;
}

/** The stages of the Dockerfile: the instructions behind each FROM. */
const stages = deployed("Dockerfile")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line): Instruction => {
    const [, name = "", text = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return { name, text };
  })
  .reduce<Instruction[][]>((all, instruction) => {
    if (instruction.name === "FROM") all.push([]);
    all.at(-1)?.push(instruction);
    return all;
  }, []);

const of = (stage: readonly Instruction[] | undefined, name: string): string[] =>
  (stage ?? []).filter((instruction) => instruction.name === name).map(({ text }) => text);

const [build, final] = stages;
const folder = mkdtempSync(join(tmpdir(), "atmicro-docker-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Lines of the ignore file: what goes into the build at all, and what of it stays out. */
const ignored = deployed("Dockerfile.dockerignore").trim().split("\n");
const allowed = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
const leftOut = ignored.filter((line) => !line.startsWith("!"));

function copyFromContext(text: string, to: string): void {
  const words = text.split(/\s+/);
  const target = words.at(-1) ?? "";
  for (const source of words.slice(0, -1)) {
    expect(allowed, `${source} is not left out of the build`).toContain(source);
    const place = target.endsWith("/") ? join(to, target, source) : join(to, target);
    cpSync(join(ROOT, source), place, {
      recursive: true,
      filter: (path) => !leftOut.includes(relative(ROOT, path)),
    });
  }
}

function copyFromBuild(text: string, from: string, to: string): void {
  const [, source = "", target = ""] = /^--from=build \/atmicro\/(\S+) (\S+)$/.exec(text) ?? [];
  const place = target.endsWith("/") ? join(to, target, source) : join(to, target);
  mkdirSync(dirname(place), { recursive: true });
  cpSync(join(from, source), place, { recursive: true, verbatimSymlinks: true });
}

describe("the Dockerfile", () => {
  it("has two stages, and ends as a user who is not root", () => {
    expect(stages).toHaveLength(2);
    expect(of(build, "FROM")).toEqual([`node:$\{NODE_VERSION}-slim AS build`]);
    expect(of(final, "FROM")).toEqual([`node:$\{NODE_VERSION}-slim`]);
    expect(of(final, "USER")).toEqual(["node"]);
    expect(leftOut[0]).toBe("*");
  });

  it("copies files that are there", () => {
    const sources = [...of(build, "COPY"), ...of(final, "COPY")]
      .filter((text) => !text.startsWith("--from"))
      .flatMap((text) => text.split(/\s+/).slice(0, -1));
    expect(sources).toContain("host");
    for (const source of sources) expect(existsSync(join(ROOT, source)), source).toBe(true);
  });
});

/** Carries out the build's stage. False when the registry can't be reached. */
function carryOutBuild(work: string): boolean {
  for (const { name, text } of build ?? []) {
    if (name === "COPY") copyFromContext(text, work);
    if (name !== "RUN") continue;
    const done = spawnSync("sh", ["-c", text], {
      cwd: work,
      encoding: "utf8",
      env: { ...process.env, npm_config_prefer_offline: "true", npm_config_fetch_retries: "0" },
      timeout: COMMAND_MILLIS,
    });
    if (done.status === 0) continue;
    const isAway = done.error !== undefined || AWAY.test(done.stderr);
    if (text.startsWith("npm install") && isAway) return false;
    throw new Error(`${text}: ${done.stdout}${done.stderr}`);
  }
  return true;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return address !== null && typeof address === "object" ? address.port : 0;
}

describe("the image, made in a folder", () => {
  const image = join(folder, "image");
  const program = join(folder, "bin", "atmicro");
  let made = false;

  beforeAll(() => {
    const work = join(folder, "build");
    mkdirSync(work);
    made = carryOutBuild(work);
    if (!made) {
      console.log("the npm registry is not reached: the image's server is not started");
      return;
    }
    for (const text of of(final, "COPY")) {
      if (text.startsWith("--from")) copyFromBuild(text, work, image);
      else copyFromContext(text, image);
    }
    // As the last stage's first RUN does, which reaches outside of the folder.
    expect(of(final, "RUN")[0]).toBe(
      "chmod +x build/host/cli/main.js && ln -s /atmicro/build/host/cli/main.js /usr/local/bin/atmicro",
    );
    chmodSync(join(image, "build/host/cli/main.js"), 0o755);
    mkdirSync(dirname(program));
    symlinkSync(join(image, "build/host/cli/main.js"), program);
  }, BUILD_MILLIS);

  it("has what runs, and not what builds", (context) => {
    context.skip(!made);
    expect(of(final, "ENTRYPOINT")).toEqual(['["atmicro"]']);
    const { stdout, status } = spawnSync(program, ["server", "--help"], { encoding: "utf8" });
    expect(stdout).toContain("run the atServer of one atSign");
    expect(status).toBe(0);
    const packages = readdirSync(join(image, "node_modules"));
    for (const name of ["typescript", "assemblyscript", "binaryen", "rp2040js", "vitest"]) {
      expect(packages).not.toContain(name);
    }
    expect(existsSync(join(image, "build/host/test"))).toBe(false);
  });

  it("starts a server that is healthy, and ends it in order", async (context) => {
    context.skip(!made);
    const authority = await createAuthority({ name: "test" });
    const tls = await issueCertificate(authority, { hosts: ["localhost"] });
    const secrets = join(folder, "secrets");
    mkdirSync(secrets);
    writeFileSync(join(secrets, "certificate.pem"), tls.certificate);
    writeFileSync(join(secrets, "private.key"), tls.privateKey, { mode: 0o600 });
    writeFileSync(join(secrets, "secret"), "0".repeat(128), { mode: 0o600 });
    const metrics = String(await freePort());
    const server = spawn(
      program,
      [
        ...["server", "@alice", "--host", "127.0.0.1", "--port", "0"],
        ...["--store", join(folder, "data", "alice")],
        ...["--certificate", join(secrets, "certificate.pem")],
        ...["--private-key", join(secrets, "private.key")],
        ...["--secret-file", join(secrets, "secret")],
        ...["--metrics-port", metrics, "--log-level", "warn", "--exit-with-parent"],
      ],
      { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, NODE_ENV: "production" } },
    );
    const gone = once(server, "close");
    const early = gone.then(([code]) => Promise.reject(new Error(`it ended with ${code}`)));
    const [listening] = await Promise.race([once(server.stdout, "data"), early]);
    early.catch(() => undefined);
    const { port } = JSON.parse(String(listening));
    const line = await Line.open(port, authority.certificate);
    expect(await line.ask("info:brief")).toContain("version");
    line.close();

    const [check = ""] = of(final, "HEALTHCHECK");
    const [command, ...args] = JSON.parse(check.slice(check.indexOf("CMD ") + "CMD ".length));
    expect(command).toBe("node");
    const asked = (at: string) =>
      spawnSync(process.execPath, args, { env: { ...process.env, METRICS_PORT: at } }).status;
    expect(asked(metrics)).toBe(0);
    expect(asked(String(await freePort()))).toBe(1);

    server.kill("SIGTERM");
    expect((await gone)[0]).toBe(0);
  });
});
