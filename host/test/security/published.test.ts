// SPDX-License-Identifier: BSD-3-Clause
// No key, no world and no flash image gets into a commit or a package by accident.
import { execFileSync, type StdioOptions } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { World } from "../../cli/world/world.ts";
import { formatAddress } from "../../net/address.ts";
import { backUpStore } from "../../store/backup.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "atmicro-published-"));
const repository = join(folder, "repository");

/** Folders and files of the repository that are committed. */
const FOLDERS = ["bench", "boards", "core", "device", "host", "setup"];

function filesOf(place: string, name = ""): string[] {
  return readdirSync(join(place, name), { withFileTypes: true }).flatMap((entry) => {
    const path = join(name, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesOf(place, path);
    return [path];
  });
}

/** Which of these paths a commit leaves out. */
function ignored(paths: readonly string[]): string[] {
  const git = ["-C", repository, "check-ignore", "--no-index", "--stdin", "-z"];
  try {
    const found = execFileSync("git", git, { input: paths.join("\0"), encoding: "utf8" });
    return found.split("\0").filter((path) => path !== "");
  } catch (error) {
    // 1: none of them.
    if (error instanceof Error && "status" in error && error.status === 1) return [];
    throw error;
  }
}

beforeAll(() => {
  mkdirSync(repository);
  execFileSync("git", ["init", "-q", repository]);
  copyFileSync(join(root, ".gitignore"), join(repository, ".gitignore"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the README, the help and the guides call what they make; what copies and editors make of it. */
const NAMED = [
  "world/authority.pem",
  "world/keys/@alice_key.atKeys",
  "world/anything",
  "keys/anything",
  "laptop.atKeys",
  ".laptop.atKeys.4f7c",
  "laptop.atKeys.bak",
  "alice.pem",
  "alice.key",
  "private.key",
  "privkey.pem",
  "fullchain.pem",
  "certificate.pem",
  ".private-key.pem.4f7c",
  "secret",
  "alice.secret",
  "cram-secret",
  "passcode",
  ".env",
  ".env.local",
  "alice/data.mdb",
  "alice/lock.mdb",
  "alice/store.lock",
  "alice/ticket-keys.json",
  "alice.mdb",
  "alice-2026-01-31.mdb",
  "build/rp2040/atmicro.uf2",
  "atmicro.uf2",
  "atmicro.bin",
  "atmicro.elf",
  "greenhouse.flash",
  "flash.bin",
  "flash.img",
  "store/slot-0",
  "atmicro-0.1.0.tgz",
  "npm-debug.log",
];

describe("a commit", () => {
  it.each(["", "somewhere/", "host/", "host/deploy/", "boards/posix/"])(
    "leaves out what is secret, in %j",
    (place) => {
      const paths = NAMED.filter(
        (path) => place === "" || !/^(?:world|keys)\/anything$/.test(path),
      );
      const asked = paths.map((path) => `${place}${path}`);
      expect(asked.filter((path) => !ignored(asked).includes(path))).toEqual([]);
    },
  );

  it("leaves out nothing of the sources", () => {
    const sources = [
      ...FOLDERS.flatMap((name) => filesOf(root, name)),
      ...readdirSync(root).filter((name) => /^[A-Za-z.]+\.(?:md|json|ts)$/.test(name)),
    ];
    expect(sources.length).toBeGreaterThan(500);
    expect(ignored(sources)).toEqual([]);
  });

  it("leaves out all that a world, its backup and its devices consist of, wherever they are", async () => {
    const place = join(folder, "made");
    const world = await World.start({ folder: join(place, "mine"), atSigns: ["@alice"] });
    const alice = await world.activate("@alice");
    await alice.close();
    await backUpStore(join(place, "mine", "@alice", "store"), join(place, "alice.mdb"), {});
    const configuration = {
      atSign: "@alice",
      directory: formatAddress(world.directory),
      ca: "mine/authority.pem",
      store: "slots",
      app: "a",
      device: "d",
      namespaces: { a: "rw" },
      peer: "@bob",
      intervalMs: 1000,
    };
    writeFileSync(join(place, "device.json"), JSON.stringify(configuration));
    const provision = [
      join(root, "build/boards/provision.js"),
      "device.json",
      "new.flash",
      "--first-use",
    ];
    execFileSync(process.execPath, provision, { cwd: place, input: "ABC123\n" });
    await world.close();
    const made = filesOf(place).filter((file) => file !== "device.json");
    expect(made.length).toBeGreaterThan(10);
    expect(made.filter((file) => !ignored(made).includes(file))).toEqual([]);
  });
});

type Packed = { readonly files: { readonly path: string }[] };

/** What `npm pack` of a folder would put into the package. */
function packed(place: string): string[] {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts", "--offline"];
  const text = execFileSync("npm", args, {
    cwd: place,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, npm_config_cache: join(folder, "cache") },
  });
  const [found]: Packed[] = JSON.parse(text);
  return (found?.files ?? []).map(({ path }) => path);
}

describe("a package", () => {
  let files: readonly string[] = [];
  beforeAll(() => {
    files = packed(root);
  });

  it("has what a user needs, and nothing else", () => {
    for (const file of [
      "package.json",
      "README.md",
      "LICENSE",
      "SECURITY.md",
      "CHANGELOG.md",
      "build/core.wasm",
      "build/host/cli/main.js",
      "build/host/cli/terminal/secret.js",
      "build/host/cli/commands/keys.js",
      "build/host/crypto/keyFile.js",
      "build/boards/simulated/main.js",
      "build/boards/provision.js",
      "host/deploy/Dockerfile",
      "host/deploy/systemd/atmicro-server@.service",
    ]) {
      expect(files).toContain(file);
    }
    const kinds =
      /^(?:build\/(?:host|boards|device\/(?:js|node))\/.*\.js|build\/core\.wasm|boards\/simulated\/board\.json|host\/deploy\/.*)$/;
    const others = files.filter((file) => !kinds.test(file)).sort();
    expect(others).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"]);
  });

  it("has no test, no image, no cache of the build", () => {
    expect(
      files.filter((file) => /test|\.(?:uf2|elf|bin|wat|map|node|tsbuildinfo|stamp)$/.test(file)),
    ).toEqual([]);
  });

  it("has every file of ours that one of its files imports", () => {
    const missing = files
      .filter((file) => file.endsWith(".js"))
      .flatMap((file) => {
        const text = readFileSync(join(root, file), "utf8");
        const imports = text.matchAll(/(?:from|import\(|import)\s*["'](\.[^"']+)["']/g);
        return [...imports].map(([, target = ""]) => normalize(join(dirname(file), target)));
      })
      .filter((target) => !files.includes(target));
    expect(missing).toEqual([]);
  });

  it("runs alone: servers, a device, a reading", () => {
    const place = join(folder, "installed");
    for (const file of files) {
      mkdirSync(dirname(join(place, file)), { recursive: true });
      copyFileSync(join(root, file), join(place, file));
    }
    symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
    const args = ["build/host/cli/main.js", "demo", "--readings", "1", "--json"];
    const stdio: StdioOptions = ["ignore", "pipe", "ignore"];
    const text = execFileSync(process.execPath, args, { cwd: place, encoding: "utf8", stdio });
    expect(JSON.parse(text)).toMatchObject({ readings: 1, commandsConfirmed: 1 });
  });

  it("has nothing secret, wherever it lies", () => {
    const place = join(folder, "package");
    mkdirSync(place);
    for (const name of ["package.json", ".gitignore", "README.md", "LICENSE"]) {
      copyFileSync(join(root, name), join(place, name));
    }
    const write = (file: string): void => {
      mkdirSync(dirname(join(place, file)), { recursive: true });
      if (!existsSync(join(place, file))) writeFileSync(join(place, file), "x");
    };
    const good = ["build/host/cli/main.js", "build/core.wasm", "host/deploy/README.md"];
    for (const file of good) write(file);
    const folders = [
      "",
      "build/",
      "build/host/",
      "build/boards/simulated/",
      "host/deploy/",
      "host/deploy/alice/",
    ];
    for (const one of folders) for (const name of NAMED) write(`${one}${name}`);
    expect(packed(place).sort()).toEqual([...good, "LICENSE", "README.md", "package.json"].sort());
  });

  it("can't be published by accident", () => {
    expect(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).private).toBe(true);
  });
});
