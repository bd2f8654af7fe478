// SPDX-License-Identifier: BSD-3-Clause

/**
 * What is known of a value. What may be obeyed at all the core decides, by the pins the device has; the rest is reported and
 * not delivered.
 */
export interface Verdict {
  /** Nobody on its way has read it. false: it came in plain text, or there is none; never to be obeyed. */
  readonly encrypted: boolean;
  /** The sender itself wrote this value for this key. false: anybody on its way may have written it. */
  readonly authenticated: boolean;
  /** Newer than every notification of the sender before it. Never with the value of a get. */
  readonly fresh: boolean;
  /** How the sender's public key is known; null: it isn't. */
  readonly pin: "provisioned" | "first use" | null;
}

/** Bits of the core's event_verdict (core/README.md). */
const BIT = { encrypted: 1, authenticated: 2, fresh: 4, pinned: 8, provisioned: 16 } as const;

function pinOf(bits: number): Verdict["pin"] {
  if (bits & BIT.provisioned) return "provisioned";
  return bits & BIT.pinned ? "first use" : null;
}

export function verdictOf(bits: number): Verdict {
  return {
    encrypted: (bits & BIT.encrypted) !== 0,
    authenticated: (bits & BIT.authenticated) !== 0,
    fresh: (bits & BIT.fresh) !== 0,
    pin: pinOf(bits),
  };
}
