// SPDX-License-Identifier: BSD-3-Clause

/** Time one call takes, from batches long enough for the clock. */
export interface Timing {
  /** Median over the batches, in microseconds a call. */
  readonly microseconds: number;
  /** Calls measured, warm-up not counted. */
  readonly calls: number;
}

const BATCHES = 5;

function median(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/**
 * Times `operation`: one warm-up call fixes how many calls fill a batch of `batchMs`, then five batches are run
 * and their median is taken.
 */
export function measure(operation: () => void, batchMs = 60): Timing {
  operation();
  const warmUp = performance.now();
  operation();
  const once = Math.max(performance.now() - warmUp, 0.0005);
  const callsPerBatch = Math.max(1, Math.ceil(batchMs / once));
  const perCall: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = performance.now();
    for (let i = 0; i < callsPerBatch; i++) operation();
    perCall.push(((performance.now() - start) / callsPerBatch) * 1000);
  }
  perCall.sort((a, b) => a - b);
  return { microseconds: median(perCall), calls: BATCHES * callsPerBatch };
}
