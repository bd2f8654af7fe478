// SPDX-License-Identifier: BSD-3-Clause
// Builds share folders (sources made ready, objects): one is at work at a time, of all processes.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const LOOK_AGAIN_MS = 100;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Whether the file names this process now; a file that a dead process left is removed. */
function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  let owner = "";
  try {
    owner = readFileSync(file, "utf8");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return false;
  }
  // Empty: its owner is just writing it.
  if (owner !== "" && !isAlive(Number(owner))) rmSync(file, { force: true });
  return false;
}

/** Runs the work while no other process has the file. */
export async function oneAtATime(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  while (!take(file)) await delay(LOOK_AGAIN_MS);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}
