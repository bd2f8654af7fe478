// SPDX-License-Identifier: BSD-3-Clause
type Flags = readonly string[];

export const OWN: Flags;
export const OWN_GNU: Flags;
export const WASM3: Flags;
export const MBEDTLS: Flags;
export const FOREIGN: Flags;
export const SANITIZERS: Flags;
export const TESTED: Flags;
export const SECTIONS: Flags;
