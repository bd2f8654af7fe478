// SPDX-License-Identifier: BSD-3-Clause

/** The build can't go on; the message is one sentence for the person at the terminal. */
export class BuildFailure extends Error {}
