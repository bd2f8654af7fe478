// SPDX-License-Identifier: BSD-3-Clause
// The session ABI of core.wasm with types, as core/README.md describes it.
import { statusName } from "./status.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** The part of an interpreter the session needs; a test gives a scripted one. */
export interface CoreModule {
  call(name: string, ...args: (number | bigint)[]): number;
  read(ptr: number, len: number): Uint8Array;
  write(ptr: number, bytes: Uint8Array): void;
}

export const CONFIG = {
  atSign: 1,
  directory: 2,
  app: 3,
  device: 4,
  namespaces: 5,
  monitorRegex: 6,
  passcode: 12,
  legacyAnswer: 13,
  plaintext: 14,
  peers: 15,
} as const;

/** What session_poll asks of the board. */
export const ACTION = { idle: 0, open: 1, close: 2, event: 3, send: 4 } as const;

export const OPERATION = { enroll: 1, put: 2, get: 3, delete: 4, scan: 5, notify: 6 } as const;

export const STATE_NAMES = [
  "stopped",
  "directory",
  "connecting",
  "login",
  "enrolling",
  "waitingForApproval",
  "ready",
  "pausing",
] as const;

export type StateName = (typeof STATE_NAMES)[number];

export const EVENT = { state: 1, operation: 2, notification: 3, notice: 4 } as const;

const FIELD = { key: 1, value: 2, from: 3, id: 4, epochMs: 5, operation: 6, error: 7 } as const;

/** An event of the core; a field the event does not have is empty. */
export interface CoreEvent {
  readonly kind: number;
  /** A state event's state, otherwise a status: 0 done, 1 done with a value that came unencrypted, or negative. */
  readonly status: number;
  /** The operation's number. */
  readonly op: number;
  /** What is known of the value of a get or a notification. */
  readonly verdict: Verdict;
  readonly key: string;
  readonly value: Uint8Array;
  readonly from: string;
  readonly id: string;
  readonly epochMs: string;
  readonly operation: string;
  readonly error: string;
}

/** A call the core refused; the message names what was asked and the status. */
export class CoreRefusal extends Error {
  override readonly name = "CoreRefusal";
  readonly status: number;

  constructor(what: string, status: number) {
    super(`${what}: ${statusName(status)}`);
    this.status = status;
  }
}

export class Core {
  readonly #module: CoreModule;

  constructor(module: CoreModule) {
    this.#module = module;
  }

  /** 0 when an identity is stored, otherwise a status: NotEnrolled or a failure. */
  init(): number {
    return this.#module.call("core_init");
  }

  /** Sets a configuration value. Throws CoreRefusal. */
  configure(field: keyof typeof CONFIG, text: string): void {
    const len = this.#fill(`configuration ${field}`, "config_ptr", "config_cap", text);
    this.#checked(`configuration ${field}`, "config_set", CONFIG[field], len);
  }

  start(monitor: boolean): void {
    this.#checked("starting the session", "session_start", monitor ? 1 : 0);
  }

  stop(): void {
    this.#checked("stopping the session", "session_stop");
  }

  /** One of ACTION; throws CoreRefusal on a negative result. */
  poll(): number {
    return this.#checked("polling the session", "session_poll");
  }

  pollDelayMs(): number {
    return this.#module.call("poll_delay_ms");
  }

  /** "host:port" of an open action. */
  address(): string {
    return this.#text("address_ptr", "address_len");
  }

  linkOpened(): void {
    this.#module.call("link_opened");
  }

  linkFailed(): void {
    this.#module.call("link_failed");
  }

  linkClosed(): void {
    this.#module.call("link_closed");
  }

  /** How many received bytes the core can take now. */
  receiveRoom(): number {
    return this.#module.call("rx_room");
  }

  /** Hands over received bytes, at most receiveRoom() of them. */
  receive(bytes: Uint8Array): void {
    this.#module.write(this.#module.call("rx_ptr"), bytes);
    this.#checked("receiving", "rx_push", bytes.length);
  }

  /** A copy of the bytes to send. */
  transmit(): Uint8Array {
    return this.#module.read(this.#module.call("tx_ptr"), this.#module.call("tx_len"));
  }

  /** The link took `len` of the bytes to send. */
  transmitted(len: number): void {
    this.#checked("sending", "tx_pop", len);
  }

  /** Starts an operation: its number, or a negative status when the core cannot now. ttlMs 0: for ever. */
  startOperation(kind: keyof typeof OPERATION, key: string, value: string, ttlMs = 0): number {
    const keyLen = this.#fill("the atKey", "op_key_ptr", "op_key_cap", key);
    const valueLen = this.#fill("the value", "op_value_ptr", "op_value_cap", value);
    this.#module.call("op_ttl", BigInt(ttlMs));
    return this.#module.call("op_start", OPERATION[kind], keyLen, valueLen);
  }

  event(): CoreEvent {
    return {
      kind: this.#module.call("event_kind"),
      status: this.#module.call("event_status"),
      verdict: verdictOf(this.#module.call("event_verdict")),
      op: this.#module.call("event_op"),
      key: this.#field("key"),
      value: this.#bytes("event_ptr", "event_len", FIELD.value),
      from: this.#field("from"),
      id: this.#field("id"),
      epochMs: this.#field("epochMs"),
      operation: this.#field("operation"),
      error: this.#field("error"),
    };
  }

  eventDone(): void {
    this.#module.call("event_done");
  }

  state(): StateName {
    const state = this.#module.call("state");
    return stateName(state);
  }

  #field(name: keyof typeof FIELD): string {
    return this.#text("event_ptr", "event_len", FIELD[name]);
  }

  #bytes(ptr: string, len: string, ...args: number[]): Uint8Array {
    const length = this.#module.call(len, ...args);
    if (length === 0) return new Uint8Array();
    return this.#module.read(this.#module.call(ptr, ...args), length);
  }

  #text(ptr: string, len: string, ...args: number[]): string {
    return Buffer.from(this.#bytes(ptr, len, ...args)).toString("utf8");
  }

  #fill(what: string, ptr: string, cap: string, text: string): number {
    const bytes = Buffer.from(text, "utf8");
    const most = this.#module.call(cap);
    if (bytes.length > most) throw new RangeError(`${what} is longer than ${most} bytes`);
    this.#module.write(this.#module.call(ptr), bytes);
    return bytes.length;
  }

  #checked(what: string, name: string, ...args: number[]): number {
    const result = this.#module.call(name, ...args);
    if (result < 0) throw new CoreRefusal(what, result);
    return result;
  }
}

export function stateName(state: number): StateName {
  const name = STATE_NAMES[state];
  if (!name) throw new Error(`the core is in a state ${state} that is not known here`);
  return name;
}
