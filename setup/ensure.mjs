// SPDX-License-Identifier: BSD-3-Clause
// Makes a clone ready to run: dependencies, core.wasm, the compiled host and the wasm3 binding.
// Each step runs only when what it is made from changed, and says what it does.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiler } from "./compiler.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));

const say = (text) => process.stderr.write(`${text}\n`);

/** Ends the program with one sentence: cause and remedy. */
export function fail(text) {
  say(`atmicro: ${text}`);
  process.exit(1);
}

/** Runs a program in the repository's root; on failure shows what it printed and ends. */
function run(what, command, args, env = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  if (done.error) fail(`${what}: ${command} could not be started (${done.error.message}).`);
  if (done.status !== 0) {
    say(`${done.stdout}${done.stderr}`);
    fail(`${what} failed; its output is above.`);
  }
  return done.stdout;
}

/** Files below a folder (or the file itself), sorted, without tests and build output. */
function filesOf(path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (statSync(full).isFile()) return [path];
  return readdirSync(full)
    .filter((name) => name !== "test" && name !== "node_modules" && name !== "build")
    .sort()
    .flatMap((name) => filesOf(join(path, name)));
}

function hashOf(paths) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap(filesOf)) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/** Runs `make` unless its inputs are the same as when it last succeeded and its output is there. */
function step(name, text, inputs, output, make) {
  const stamp = join(root, "build", `.${name}.stamp`);
  const hash = hashOf(inputs);
  const same = existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
  if (same && existsSync(join(root, output))) return;
  const started = Date.now();
  say(`atmicro: ${text} …`);
  make();
  mkdirSync(join(root, "build"), { recursive: true });
  writeFileSync(stamp, hash);
  say(`atmicro: ${text} took ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function checkNode() {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    fail(`Node ${process.versions.node} is too old; install Node 20 or later.`);
  }
}

function installDependencies() {
  const lock = readFileSync(join(root, "package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex");
  const stamp = join(root, "node_modules", ".atmicro.stamp");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  say("atmicro: installing dependencies from the npm registry (first run only) …");
  // Not `npm ci`: the lock file names the native packages of the platforms it was made for, and `npm ci` refuses
  // one that leaves out others. The versions are the lock file's all the same, and it is not written.
  run("npm install", "npm", [
    "install",
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ]);
  writeFileSync(stamp, hash);
}

function buildBinding() {
  const cc = compiler();
  if (cc === null) {
    say(
      "atmicro: no C compiler found (install gcc or clang, or set CC): the device runs under V8 instead of wasm3.",
    );
    return;
  }
  step(
    "binding",
    "compiling the wasm3 binding",
    ["device/node", "device/wasm3", "device/compilerFlags.mjs", "package-lock.json"],
    "build/device/node/wasm3.node",
    () => run("The wasm3 binding", process.execPath, ["device/node/build.mjs"], { CC: cc }),
  );
}

/** Compiles core.wasm with the interpreter: it has to keep within its limits, and not to hold what device/figures looks for. */
function checkCore() {
  if (compiler() === null) return;
  step(
    "figures",
    "compiling the interpreter that tells what a module needs",
    [
      "device/figures",
      "device/node",
      "device/wasm3",
      "device/compilerFlags.mjs",
      "package-lock.json",
    ],
    "build/device/figures/figures",
    () => run("The figures", process.execPath, ["device/figures/build.mjs"]),
  );
  step(
    "margins",
    "checking core.wasm against the interpreter's limits",
    ["build/core.wasm", "device/figures", "device/wasm3"],
    "build/core.wasm",
    () => {
      const margins = ["device/figures/margins.mjs", "build/core.wasm"];
      say(`atmicro: ${run("core.wasm", process.execPath, margins).trim()}`);
    },
  );
}

/** Makes everything that `npm start` and `npm test` need. */
export function ensure() {
  checkNode();
  installDependencies();
  step(
    "core",
    "compiling core.wasm",
    ["core", "asconfig.json", "setup/core.mjs", "package-lock.json"],
    "build/core.wasm",
    () => run("The core", process.execPath, ["setup/core.mjs"]),
  );
  step(
    "host",
    "compiling the host",
    ["host", "boards", "device", "bench", "tsconfig.json", "package-lock.json"],
    "build/host/cli/main.js",
    () => run("The host", process.execPath, ["node_modules/typescript/bin/tsc"]),
  );
  buildBinding();
  checkCore();
}
