// SPDX-License-Identifier: BSD-3-Clause
export interface Limits {
  readonly callDepth: number;
  readonly blockNesting: number;
  readonly brTable: number;
}
export interface Use extends Limits {
  readonly functions: number;
  readonly frameSlots: number;
  readonly valueStackBytes: number;
  /** Of the functions that call each other, on a 32-bit chip. */
  readonly codeBytes: number;
  /** Functions in which an i64 local is set while it lies on the operand stack twice. */
  readonly preservedTwice: readonly number[];
}
export class UnfitModule extends Error {}
export const PROGRAM: string;
export function limits(): Limits;
export function used(path: string, program?: string): Use;
export function describe(path: string, use: Use): string;
export function expectNoneTwice(path: string, use: Use): void;
