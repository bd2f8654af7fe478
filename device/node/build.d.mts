// SPDX-License-Identifier: BSD-3-Clause

export function ownFlags(folder: string): string[];
