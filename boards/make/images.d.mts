// SPDX-License-Identifier: BSD-3-Clause
export function secondStageChecksum(bytes: Uint8Array): number;
export function withSecondStageChecksum(stage: Uint8Array): Buffer;
export function uf2(
  image: Buffer,
  place: { readonly address: number; readonly family: number },
): Buffer;
