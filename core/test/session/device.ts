// SPDX-License-Identifier: BSD-3-Clause
import type { Engine, EngineFactory, HalFunctions } from "../engine/engine.ts";
import type { Connection, World } from "./world.ts";

export const Kind = { enroll: 1, put: 2, get: 3, delete: 4, scan: 5, notify: 6 } as const;
export const State = {
  stopped: 0,
  directory: 1,
  connecting: 2,
  login: 3,
  enrolling: 4,
  approval: 5,
  ready: 6,
  pausing: 7,
} as const;

/** An event as the board sees it: fields as text, by their name in the ABI. */
export type DeviceEvent = {
  kind: "state" | "operation" | "notification" | "notice";
  status: number;
  op: number;
  key: string;
  value: string;
  from: string;
  id: string;
  epoch: string;
  operation: string;
  error: string;
};

/** Bits of event_verdict(). */
export const Verdict = {
  encrypted: 1,
  authentic: 2,
  fresh: 4,
  pinned: 8,
  provisioned: 16,
} as const;

const KINDS = ["state", "operation", "notification", "notice"] as const;

export type DeviceOptions = {
  store?: Map<number, Uint8Array>;
  /** How the received bytes are cut; the default is whole lines as they were sent. */
  chunk?: number;
  hal?: Partial<HalFunctions>;
  /** Configuration values by their number, besides the ordinary ones. */
  config?: Readonly<Record<number, string>>;
  /** Power fails at this write to the store (counted from 0), before it takes effect. */
  cutAtWrite?: number;
};

/** The power was cut: the device object is of no more use, its store remains. */
export class PowerCut extends Error {}

/** A board: drives the Session ABI against a World, with a clock that moves only when told. */
export class Device {
  readonly store: Map<number, Uint8Array>;
  readonly events: DeviceEvent[] = [];
  /** The verdict on each event. */
  readonly verdicts = new Map<DeviceEvent, number>();
  writes = 0;
  now = 1000n;
  connection: Connection | undefined;
  /** How many links were opened, and to where. */
  opened: string[] = [];
  /** Refuse to open links. */
  offline = false;
  private queue = Buffer.alloc(0);
  readonly engine: Engine;
  readonly world: World;
  private readonly options: DeviceOptions;

  private constructor(engine: Engine, world: World, options: DeviceOptions) {
    this.engine = engine;
    this.world = world;
    this.options = options;
    this.store = options.store ?? new Map();
  }

  static async open(
    factory: EngineFactory,
    world: World,
    options: DeviceOptions = {},
  ): Promise<Device> {
    let device: Device | undefined;
    const engine = await factory.open((e) => ({
      now_ms: () => device?.now ?? 0n,
      store_read: (id, out, cap) => device?.storeRead(e, id, out, cap) ?? 0,
      store_write: (id, x, len) => device?.storeWrite(e, id, x, len) ?? -1,
      ...options.hal,
    }));
    device = new Device(engine, world, options);
    return device;
  }

  private storeRead(engine: Engine, id: number, out: number, cap: number): number {
    const value = this.store.get(id);
    if (!value) return 0;
    if (value.length > cap) return -5;
    engine.write(out, value);
    return value.length;
  }

  private storeWrite(engine: Engine, id: number, x: number, len: number): number {
    if (this.writes++ === this.options.cutAtWrite) throw new PowerCut();
    if (len === 0) this.store.delete(id);
    else this.store.set(id, engine.read(x, len));
    return 0;
  }

  init(): number {
    return this.engine.call("core_init");
  }

  config(field: number, text: string): number {
    const bytes = Buffer.from(text);
    this.engine.write(this.engine.call("config_ptr"), bytes);
    return this.engine.call("config_set", field, bytes.length);
  }

  /** Configures @alpha with everything an enrollment needs. */
  configure(passcode = "ABC123"): void {
    const values: [number, string][] = [
      [1, "@alpha"],
      [2, "root.example:64"],
      [3, "sensor"],
      [4, "kitchen"],
      [5, '{"demo":"rw"}'],
    ];
    if (passcode) values.push([12, passcode]);
    for (const [field, text] of values) {
      const status = this.config(field, text);
      if (status !== 0) throw new Error(`config_set(${field}) returned ${status}`);
    }
  }

  start(monitor = false): number {
    return this.engine.call("session_start", monitor ? 1 : 0);
  }

  operate(kind: number, key = "", value: string | Uint8Array = "", ttl = 0): number {
    const k = Buffer.from(key);
    const v = Buffer.from(value);
    this.engine.write(this.engine.call("op_key_ptr"), k);
    this.engine.write(this.engine.call("op_value_ptr"), v);
    if (ttl) this.engine.call("op_ttl", BigInt(ttl));
    return this.engine.call("op_start", kind, k.length, v.length);
  }

  state(): number {
    return this.engine.call("state");
  }

  /** Polls until there is nothing to do before time passes or bytes arrive from outside. */
  settle(): void {
    for (let i = 0; i < 100_000; i++) {
      if (!this.turn()) return;
    }
    throw new Error("the session never came to rest");
  }

  /** Lets time pass in the steps the core asks for. */
  advance(milliseconds: number): void {
    const end = this.now + BigInt(milliseconds);
    this.settle();
    while (this.now < end) {
      const delay = BigInt(Math.max(1, this.engine.call("poll_delay_ms")));
      this.now = this.now + delay < end ? this.now + delay : end;
      this.settle();
    }
  }

  /** Lets time pass until the condition holds, at most ten simulated minutes. */
  until(condition: () => boolean): void {
    const end = this.now + 600_000n;
    this.settle();
    while (!condition()) {
      if (this.now > end) throw new Error(`never happened; state ${this.state()}`);
      this.now += BigInt(Math.max(1, this.engine.call("poll_delay_ms")));
      this.settle();
    }
  }

  /** Runs an operation to its end. */
  finish(kind: number, key = "", value: string | Uint8Array = "", ttl = 0): DeviceEvent {
    const op = this.operate(kind, key, value, ttl);
    if (op <= 0) throw new Error(`op_start returned ${op}`);
    return this.finished(op);
  }

  finished(op: number): DeviceEvent {
    const find = () => this.events.find((e) => e.kind === "operation" && e.op === op);
    this.until(() => find() !== undefined);
    const event = find();
    if (!event) throw new Error("unreachable");
    return event;
  }

  /** What is known of an event's value: bits of Verdict. */
  verdict(event: DeviceEvent | undefined): number {
    return (event && this.verdicts.get(event)) ?? 0;
  }

  of(kind: DeviceEvent["kind"]): DeviceEvent[] {
    return this.events.filter((e) => e.kind === kind);
  }

  /** The other side breaks the link. */
  cut(): void {
    if (!this.connection) return;
    this.connection.closed = true;
    this.connection = undefined;
    this.queue = Buffer.alloc(0);
    this.engine.call("link_closed");
  }

  // One poll and what it asks for. False when nothing is left to do.
  private turn(): boolean {
    const action = this.engine.call("session_poll");
    if (action === 1) this.openLink();
    else if (action === 2) this.closeLink();
    else if (action === 3) this.takeEvent();
    else if (action === 4) this.send();
    if (action !== 0) return true;
    return this.receive() || this.engine.call("poll_delay_ms") === 0;
  }

  private openLink(): void {
    const address = this.text(this.engine.call("address_ptr"), this.engine.call("address_len"));
    this.opened.push(address);
    if (this.offline) {
      this.engine.call("link_failed");
      return;
    }
    this.connection = this.world.open(address);
    this.queue = Buffer.alloc(0);
    this.engine.call("link_opened");
  }

  private closeLink(): void {
    if (this.connection) this.connection.closed = true;
    this.connection = undefined;
  }

  private send(): void {
    const length = this.engine.call("tx_len");
    const text = this.text(this.engine.call("tx_ptr"), length);
    this.engine.call("tx_pop", length);
    if (!this.connection) throw new Error("a line without a link");
    this.world.take(this.connection, text);
  }

  private receive(): boolean {
    const connection = this.connection;
    if (!connection) return false;
    for (const piece of connection.out.splice(0)) {
      this.queue = Buffer.concat([this.queue, Buffer.from(piece)]);
    }
    if (this.queue.length === 0) {
      if (!connection.closed) return false;
      this.connection = undefined;
      this.engine.call("link_closed");
      return true;
    }
    const room = this.engine.call("rx_room");
    const length = Math.min(room, this.queue.length, this.options.chunk ?? 4096);
    if (length === 0) return false;
    this.engine.write(this.engine.call("rx_ptr"), this.queue.subarray(0, length));
    this.engine.call("rx_push", length);
    this.queue = this.queue.subarray(length);
    return true;
  }

  private takeEvent(): void {
    const field = (n: number) =>
      this.text(this.engine.call("event_ptr", n), this.engine.call("event_len", n));
    const kind = KINDS[this.engine.call("event_kind") - 1];
    if (!kind) throw new Error("an event of no kind");
    const event: DeviceEvent = {
      kind,
      status: this.engine.call("event_status"),
      op: this.engine.call("event_op"),
      key: field(1),
      value: field(2),
      from: field(3),
      id: field(4),
      epoch: field(5),
      operation: field(6),
      error: field(7),
    };
    this.events.push(event);
    this.verdicts.set(event, this.engine.call("event_verdict"));
    this.engine.call("event_done");
  }

  private text(ptr: number, length: number): string {
    return Buffer.from(this.engine.read(ptr, length)).toString("utf8");
  }
}
