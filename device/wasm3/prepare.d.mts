// SPDX-License-Identifier: BSD-3-Clause
export interface PreparedWasm3 {
  readonly folder: string;
  readonly units: readonly string[];
  readonly flags: readonly string[];
}
export class Wasm3Unusable extends Error {}
export function prepareWasm3(folder: string): PreparedWasm3;
export function prepareThumbWasm3(
  folder: string,
  options: { readonly cc: string; readonly machine: readonly string[] },
): PreparedWasm3;
export function settingsFlags(): string[];
