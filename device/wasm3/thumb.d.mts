// SPDX-License-Identifier: BSD-3-Clause
export class BadOperations extends Error {}
export function declareOperations(preprocessed: string): string;
export function finishOperations(assembly: string): string;
