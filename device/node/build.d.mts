// SPDX-License-Identifier: BSD-3-Clause

export function wasm3Sources(): { folder: string; units: string[] };
export function wasm3Flags(folder: string): string[];
export function ownFlags(folder: string): string[];
