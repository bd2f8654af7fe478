// SPDX-License-Identifier: BSD-3-Clause
// Compiles units into objects, only those whose text, headers or flags changed.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { BuildFailure } from "./failure.mjs";

/** Runs a program; its standard output. Fails with what it printed. `tell` gets what else it said when it went well. */
export function run(command, args, { timeoutMs = 600_000, tell = (_) => {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
    let [out, err] = ["", ""];
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err += text;
    });
    child.on("error", (error) => {
      reject(new BuildFailure(`${command} could not be started (${error.message})`));
    });
    child.on("close", (code) => {
      if (code === 0) {
        tell(err);
        resolve(out);
      } else reject(new BuildFailure(`${command} failed on ${args.at(-1)}:\n${out}${err}`));
    });
  });
}

/** The files an object was made from, out of the make rule the compiler wrote; null when there is none. */
function dependencies(rule) {
  if (!existsSync(rule)) return null;
  const text = readFileSync(rule, "utf8").replaceAll("\\\n", " ");
  return text
    .slice(text.indexOf(":") + 1)
    .split(/(?<!\\)\s+/)
    .filter(Boolean)
    .map((name) => name.replaceAll("\\ ", " "));
}

function keyOf(command, files) {
  const hash = createHash("sha256").update(command.join("\0"));
  for (const file of files) {
    if (!existsSync(file)) return null;
    hash.update(`\0${file}\0`).update(readFileSync(file));
  }
  return hash.digest("hex");
}

/** Whether the object is of these files and this command. */
function isCurrent(object, command, inputs) {
  const files = dependencies(`${object}.d`);
  if (!files || !existsSync(object) || !existsSync(`${object}.key`)) return false;
  return readFileSync(`${object}.key`, "utf8") === keyOf(command, [...files, ...inputs]);
}

/**
 * One unit: { cc, flags, source, object }; inputs: files it reads that the compiler does not list (.incbin);
 * tellsWarnings: the compiler's are shown.
 */
async function compileUnit({ cc, flags, source, object, inputs = [], tellsWarnings = false }) {
  const command = [cc, ...flags, "-c", source];
  if (isCurrent(object, command, inputs)) return;
  mkdirSync(dirname(object), { recursive: true });
  // Another build may be at work in the same folder: a file is whole or not there.
  const own = `${object}.${process.pid}`;
  const tell = tellsWarnings ? (text) => process.stderr.write(text) : undefined;
  const rule = ["-MD", "-MF", `${own}.d`, "-MT", "x"];
  await run(cc, [...flags, ...rule, "-o", own, "-c", source], { tell });
  const key = keyOf(command, [...(dependencies(`${own}.d`) ?? []), ...inputs]);
  renameSync(own, object);
  renameSync(`${own}.d`, `${object}.d`);
  writeFileSync(`${object}.key`, key ?? "");
}

/** Compiles units, as many at a time as there are processors; the objects in the units' order. */
export async function compileAll(units) {
  const waiting = [...units];
  const worker = async () => {
    for (let unit = waiting.shift(); unit; unit = waiting.shift()) await compileUnit(unit);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return units.map(({ object }) => object);
}
