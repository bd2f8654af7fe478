// SPDX-License-Identifier: BSD-3-Clause
// The board loop: asks the core what to do, does it, and sleeps until bytes, a timer or the application wake it.
import { ACTION, type Core, type CoreEvent } from "./core.ts";
import type { Link, LinkEvents } from "./link.ts";

/** Actions done before other work of this process gets its turn. */
const BURST = 64;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const LINE_FEED = 0x0a;

export interface LoopOptions {
  readonly core: Core;
  readonly openLink: (address: string, events: LinkEvents) => Link;
  /** Every turn begins with it: the place to start operations. */
  readonly onTurn: () => void;
  /** Takes an event, whose buffers in the core are still occupied: it must not start operations. */
  readonly onEvent: (event: CoreEvent) => void;
  /** Why a link could not be opened or was lost. */
  readonly onLinkLost: (address: string, reason: string) => void;
  /** The core trapped or broke its contract: the loop has ended. */
  readonly onFault: (error: Error) => void;
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === LINE_FEED) lines++;
  return lines;
}

export class BoardLoop {
  readonly #options: LoopOptions;
  #link: Link | null = null;
  #timer: NodeJS.Timeout | null = null;
  #turn: NodeJS.Immediate | null = null;
  #ended = false;
  #linesSent = 0;
  #linesReceived = 0;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  get linesSent(): number {
    return this.#linesSent;
  }

  get linesReceived(): number {
    return this.#linesReceived;
  }

  /** Something changed: the core is polled soon. Safe to call at any time, also from an event. */
  wake(): void {
    if (this.#ended || this.#turn) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#turn = setImmediate(() => {
      this.#turn = null;
      this.#guarded(() => this.#run());
    });
  }

  /** Does what the core asks for now, then closes the link and ends: for use after the session was stopped. */
  end(): void {
    if (!this.#ended) this.#guarded(() => this.#finish());
    this.#release();
  }

  #release(): void {
    this.#ended = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#turn) clearImmediate(this.#turn);
    this.#link?.close();
    this.#link = null;
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#release();
      this.#options.onFault(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #finish(): void {
    for (let i = 0; i < BURST; i++) {
      const action = this.#options.core.poll();
      if (action === ACTION.idle || action === ACTION.open || !this.#act(action)) return;
    }
  }

  #run(): void {
    this.#options.onTurn();
    for (let i = 0; i < BURST; i++) {
      if (this.#ended) return;
      const received = this.#receive();
      const action = this.#options.core.poll();
      if (action === ACTION.idle ? !received : !this.#act(action)) {
        this.#sleep();
        return;
      }
    }
    this.wake();
  }

  /** Moves received bytes into the core; false when there were none or there is no room. */
  #receive(): boolean {
    const room = this.#link ? this.#options.core.receiveRoom() : 0;
    const bytes = room > 0 ? this.#link?.read(room) : undefined;
    if (!bytes || bytes.length === 0) return false;
    this.#linesReceived += countLines(bytes);
    this.#options.core.receive(bytes);
    return true;
  }

  /** False when the action has to wait for the link. */
  #act(action: number): boolean {
    const { core } = this.#options;
    switch (action) {
      case ACTION.open:
        this.#open(core.address());
        return true;
      case ACTION.close:
        this.#link?.close();
        this.#link = null;
        return true;
      case ACTION.event:
        this.#options.onEvent(core.event());
        core.eventDone();
        return true;
      case ACTION.send:
        return this.#send();
      default:
        throw new Error(`the core asked for an action ${action} that is not known here`);
    }
  }

  #open(address: string): void {
    const { core, openLink, onLinkLost } = this.#options;
    this.#link?.close();
    const told = (run: () => void) => {
      if (this.#ended) return;
      this.#guarded(run);
      this.wake();
    };
    const lost = (tell: () => void, reason: string) =>
      told(() => {
        while (this.#receive()) core.poll();
        this.#link = null;
        tell();
        onLinkLost(address, reason);
      });
    this.#link = openLink(address, {
      opened: () => told(() => core.linkOpened()),
      failed: (reason) => lost(() => core.linkFailed(), reason),
      closed: (reason) => lost(() => core.linkClosed(), reason),
      ready: () => this.wake(),
    });
  }

  #send(): boolean {
    const bytes = this.#options.core.transmit();
    const taken = this.#link?.write(bytes) ?? 0;
    if (taken === 0) return false;
    this.#linesSent += countLines(bytes.subarray(0, taken));
    this.#options.core.transmitted(taken);
    return true;
  }

  #sleep(): void {
    if (this.#ended || this.#turn) return;
    if (this.#timer) clearTimeout(this.#timer);
    const delay = Math.max(1, Math.min(this.#options.core.pollDelayMs(), LONGEST_TIMER_MS));
    this.#timer = setTimeout(() => this.wake(), delay);
  }
}
