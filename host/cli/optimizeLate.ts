// SPDX-License-Identifier: BSD-3-Clause
// Imported before anything else, so that it holds while the rest is loaded. Most of what this program runs, a server with little
// to do or a command that soon ends, gains nothing from V8's optimizing compiler, which takes 10 MB: a function has to work seven
// times longer than by default before it is called in.
import { setFlagsFromString } from "node:v8";

/** First version of V8 that counts calls instead of bytes of code run. */
const COUNTS_CALLS = 12;

const major = Number(process.versions.v8.split(".")[0]);
setFlagsFromString(
  major < COUNTS_CALLS ? "--interrupt-budget=1000000" : "--invocation-count-for-turbofan=20000",
);
