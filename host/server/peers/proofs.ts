// SPDX-License-Identifier: BSD-3-Clause
import type { PeerCertificate } from "node:tls";
import { CHALLENGE_TTL_MILLIS, type Tuning } from "../config/config.ts";
import { certificateNames } from "./peerCertificate.ts";

/** The signature this server shows a peer so that the peer lets it in. */
export interface Proof {
  /** Base64. */
  readonly text: string;
  /** Host of the peer it was made for; undefined where no directory says it. */
  readonly host: string | undefined;
  /** Whether the challenge named the peer, so that the proof is of use to no other one. */
  readonly bound: boolean;
}

/**
 * Proofs for pol, by the name they are looked up by (`public:<session>@me`): for 60 s, or until they are shown or taken
 * away. They are kept in memory: no later process may ever show them.
 */
export class Proofs {
  private readonly held = new Map<string, Proof & { until: number }>();
  private readonly tuning: Tuning;
  private readonly now: () => number;

  constructor(tuning: Tuning, now: () => number) {
    this.tuning = tuning;
    this.now = now;
  }

  put(name: string, proof: Proof): void {
    const now = this.now();
    for (const [old, { until }] of this.held) {
      if (until < now) this.held.delete(old);
    }
    this.held.set(name, { ...proof, until: now + CHALLENGE_TTL_MILLIS });
  }

  /**
   * The text for a connection with this certificate; undefined when there is none or it is not for whoever asks. It is
   * shown once.
   */
  take(name: string, certificate: () => PeerCertificate | undefined): string | undefined {
    const found = this.held.get(name);
    if (found === undefined || found.until < this.now()) return undefined;
    if (!this.mayShow(found, certificate())) return undefined;
    this.held.delete(name);
    return found.text;
  }

  remove(name: string): void {
    this.held.delete(name);
  }

  private mayShow({ host, bound }: Proof, certificate: PeerCertificate | undefined): boolean {
    if (certificate === undefined) return !bound && this.tuning.proofWithoutCertificate;
    return host === undefined || certificateNames(certificate, host);
  }
}
