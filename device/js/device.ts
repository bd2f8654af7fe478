// SPDX-License-Identifier: BSD-3-Clause
// The device: enrols if need be, then serves its application until it is stopped.
import type { App, Device } from "./app.ts";
import {
  type Core,
  type CoreEvent,
  CoreRefusal,
  EVENT,
  type StateName,
  stateName,
} from "./core.ts";
import type { Link, LinkEvents } from "./link.ts";
import { BoardLoop } from "./loop.ts";
import { Operations, type Outcome, outcomeText, type Request } from "./operations.ts";
import { earlierPinsText, type Pin, pinsText } from "./pins.ts";
import { STATUS, statusName, statusText } from "./status.ts";

/** Who the device is and what it asks for; configuration.ts explains the fields. */
export interface Identity {
  readonly atSign: string;
  readonly directory: string;
  readonly app: string;
  readonly device: string;
  readonly namespaces: Readonly<Record<string, string>>;
  /** The atSign that receives readings and may command. */
  readonly peer: string;
  /** Whose values are believed; absent: as before there were pins (pins.ts). */
  readonly pins?: readonly Pin[];
  /** An approving client's answer may come without IVs. */
  readonly acceptLegacyAnswer?: boolean;
}

export interface DeviceOptions {
  readonly core: Core;
  readonly identity: Identity;
  readonly app: App;
  readonly openLink: (address: string, events: LinkEvents) => Link;
  readonly report: (event: Readonly<Record<string, unknown>>) => void;
  /** Figures that every stats event carries besides the traffic. */
  readonly figures: () => Readonly<Record<string, unknown>>;
  /** Waits for the one-time passcode, null: there will be none. Asked only when the device has no identity. */
  readonly passcode: () => Promise<string | null>;
  /** The device cannot go on. */
  readonly onFailed: () => void;
}

export class SimulatedDevice implements Device {
  readonly #options: DeviceOptions;
  readonly #operations: Operations;
  readonly #loop: BoardLoop;
  #serving = false;
  #stopped = false;
  #ended = false;
  /** The core is not called again. */
  #faulted = false;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#operations = new Operations(options.core);
    this.#loop = new BoardLoop({
      core: options.core,
      openLink: options.openLink,
      onTurn: () => this.#operations.startNext(),
      onEvent: (event) => this.#take(event),
      onLinkLost: (address, reason) => this.#error(`link to ${address}: ${reason}`),
      onFault: (error) => {
        this.#faulted = true;
        this.#fail(`the core stopped: ${error.message}`);
      },
    });
  }

  get atSign(): string {
    return this.#options.identity.atSign;
  }

  /** Starts the session, enrolling first when nothing is stored. Failures are reported. */
  async run(): Promise<void> {
    const { core } = this.#options;
    const status = core.init();
    if (status < 0 && status !== STATUS.NotEnrolled) {
      this.#fail(`starting the core: ${statusName(status)}`);
      return;
    }
    this.#configure();
    this.reportStats();
    if (!(await this.#startSession())) return;
    this.#loop.wake();
    if (status === STATUS.NotEnrolled) await this.#enroll();
    else this.#serve();
  }

  submit(request: Request): Promise<Outcome> {
    const outcome = this.#operations.submit(request);
    this.#loop.wake();
    return outcome;
  }

  /** After the last figures nothing more is reported. */
  report(event: Readonly<Record<string, unknown>>): void {
    if (!this.#ended) this.#options.report(event);
  }

  reportStats(): void {
    this.report({
      event: "stats",
      ...this.#options.figures(),
      linesSent: this.#loop.linesSent,
      linesReceived: this.#loop.linesReceived,
    });
  }

  /** Ends the session, closes the link and reports the last figures. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#options.app.stop();
    if (!this.#faulted && this.#options.core.state() !== "stopped") this.#options.core.stop();
    this.#loop.end();
    this.reportStats();
    this.#ended = true;
  }

  #configure(): void {
    const { app, core, identity } = this.#options;
    core.configure("atSign", identity.atSign);
    core.configure("directory", identity.directory);
    core.configure("app", identity.app);
    core.configure("device", identity.device);
    core.configure("namespaces", JSON.stringify(identity.namespaces));
    core.configure(
      "peers",
      identity.pins ? pinsText(identity.pins) : earlierPinsText(identity.peer),
    );
    if (identity.acceptLegacyAnswer) core.configure("legacyAnswer", "1");
    if (app.takesPlain) core.configure("plaintext", "1");
  }

  /** False when the device cannot go on. An enrolment that waits for approval needs no new passcode. */
  async #startSession(): Promise<boolean> {
    const { core } = this.#options;
    try {
      core.start(true);
      return true;
    } catch (error) {
      if (!(error instanceof CoreRefusal) || error.status !== STATUS.NotEnrolled) throw error;
    }
    const passcode = await this.#options.passcode();
    if (this.#stopped) return false;
    if (!passcode) {
      this.#fail("the device is not enrolled and was given no one-time passcode");
      return false;
    }
    core.configure("passcode", passcode);
    core.start(true);
    return true;
  }

  async #enroll(): Promise<void> {
    const outcome = await this.submit({ kind: "enroll", key: "", value: "" });
    if (this.#stopped || outcome.status >= 0) return;
    this.#fail(`enrolling: ${outcomeText(outcome)}`);
  }

  #serve(): void {
    const { app, core } = this.#options;
    this.#serving = true;
    app.start(this);
    app.stateChanged(core.state());
  }

  #take(event: CoreEvent): void {
    switch (event.kind) {
      case EVENT.state:
        this.#stateChanged(stateName(event.status), event.op);
        break;
      case EVENT.operation:
        if (!this.#operations.finished(event)) {
          this.#error(`an operation ${event.op} ended that was not started`);
        }
        this.#loop.wake();
        break;
      case EVENT.notification:
        this.#notified(event);
        break;
      case EVENT.notice:
        this.#error(`notification ${event.id}: ${statusText(event.status)}`);
        break;
      default:
        throw new Error(`the core raised an event ${event.kind} that is not known here`);
    }
  }

  /** A state event carries in place of an operation's number why the session is there: 0 or a status. */
  #stateChanged(state: StateName, reason: number): void {
    this.report({ event: "state", state, ...(reason < 0 ? { reason: statusName(reason) } : {}) });
    if (state === "ready") this.reportStats();
    if (state === "ready" && !this.#serving) {
      this.report({ event: "enrolled" });
      this.#serve();
    } else if (this.#serving) this.#options.app.stateChanged(state);
    // The enrolment's own outcome says more than the state.
    const enrolling = !this.#serving && this.#operations.isRunning;
    if (state === "stopped" && !this.#stopped && !enrolling) {
      this.#fail(`the session ended: ${statusText(reason)}`);
    }
    this.#loop.wake();
  }

  #notified({ key, value, from, id, operation, verdict }: CoreEvent): void {
    if (!this.#serving) return;
    this.#options.app.notified({ key, value, from, id, operation, verdict });
  }

  #error(message: string): void {
    this.report({ event: "error", message });
  }

  #fail(message: string): void {
    this.#error(message);
    this.#options.onFailed();
  }
}
