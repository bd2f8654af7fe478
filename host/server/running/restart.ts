// SPDX-License-Identifier: BSD-3-Clause
import { setTimeout as delay } from "node:timers/promises";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";
import { traceOf } from "../../wire/trace.ts";
import type { Session } from "../access/session.ts";
import type { CertificateSource, TlsIdentity, Tuning } from "../config/config.ts";
import { secureContext } from "./serverIdentity.ts";

/** Between two looks whether the connections are gone, ms. */
const LOOK_MILLIS = 1_000;

/** Whether an atServer is about to restart and takes no commands. */
export interface Pause {
  on: boolean;
}

export interface RestartOptions {
  source: CertificateSource;
  pause: Pause;
  tuning: Tuning;
  connections: Iterable<Session>;
  /** Ends the connections. */
  hangUp(): Promise<void>;
  useIdentity(identity: TlsIdentity): void;
  log: Logger;
}

/**
 * The restart that is asked for by a mark beside the certificate (atProtocol, certificate reload): no command is answered
 * until the connections are gone or their time is over, then the certificate is read anew. The process and its port stay.
 */
export class Restart {
  private readonly options: RestartOptions;
  private readonly closing = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(options: RestartOptions) {
    this.options = options;
  }

  /** Looks for the mark; resolves when the pause has begun, or nothing is to be done. */
  async check(): Promise<void> {
    const { source, pause, log } = this.options;
    if (!(await source.isRestartAsked())) return;
    const identity = await this.readIdentity();
    if (identity === undefined || pause.on || this.closing.signal.aborted) return;
    pause.on = true;
    log.info("paused: a restart is asked for");
    this.running = this.restart(identity)
      .catch((error: unknown) => log.error({ trace: traceOf(error) }, "restart failed"))
      .finally(() => {
        pause.on = false;
      });
  }

  /** Gives up a restart that waits; resolves when none is under way. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  private async restart(identity: TlsIdentity): Promise<void> {
    const { source, useIdentity, hangUp } = this.options;
    await this.connectionsGone();
    if (this.closing.signal.aborted) return;
    await hangUp();
    useIdentity(identity);
    await source.askRestart(false);
  }

  /** Undefined for files that can't be used: then everything stays, also the mark. */
  private async readIdentity(): Promise<TlsIdentity | undefined> {
    try {
      const identity = await this.options.source.read();
      createSecureContext(secureContext(identity));
      return identity;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.options.log.error({ reason }, "no restart: the certificate files can't be used");
      return undefined;
    }
  }

  private async connectionsGone(): Promise<void> {
    const { tuning, connections } = this.options;
    const { signal } = this.closing;
    for (let waited = 0; waited < tuning.restartWaitMillis; waited += LOOK_MILLIS) {
      const left = [...connections].some(({ monitor }) => monitor === undefined);
      if (!left || tuning.forceRestart || signal.aborted) return;
      await delay(LOOK_MILLIS, undefined, { signal }).catch(() => undefined);
    }
  }
}
