// SPDX-License-Identifier: BSD-3-Clause

/** The firmware did what real silicon would punish or ignore: the run ends with this message. */
export class Fault extends Error {}

/** Power was cut as asked, in the middle of a flash operation. */
export class PowerCut extends Error {}

export const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, "0")}`;
