// SPDX-License-Identifier: BSD-3-Clause
import type { CoreModule } from "../../device/js/core.ts";

const ADDRESS_AT = 100;
const RX_AT = 300;
const TX_AT = 1000;
const KEY_AT = 4000;
const VALUE_AT = 5000;
const EVENT_AT = 9000;
/** Encrypted, authenticated, fresh, by the provisioned key. */
const VOUCHED_FOR = 31;
const FIELDS = ["", "key", "value", "from", "id", "epochMs", "operation", "error"];

interface RaisedEvent {
  readonly kind: number;
  readonly status?: number;
  readonly op?: number;
  readonly verdict?: number;
  readonly fields?: Readonly<Record<string, string>>;
}

/**
 * The session ABI over a made-up protocol of lines, to test a board's loop without the core. It sends "hello" when its
 * link opens and is ready at "welcome"; an operation is sent as a JSON line and answered by {"done":number,"status":n};
 * {"note":{…}} is a notification.
 */
export class ScriptedCore implements CoreModule {
  readonly calls: string[] = [];
  readonly configured = new Map<number, string>();
  enrolled = true;
  rxRoom = 64;
  /** The next poll throws, as a trap does. */
  trapNext = false;
  polls = 0;
  state = 0;
  link: "none" | "wanted" | "opening" | "open" | "unwanted" = "none";

  readonly #memory = new Uint8Array(16_384);
  readonly #events: RaisedEvent[] = [];
  #event: RaisedEvent | null = null;
  #received = "";
  #toSend = "";
  #ttl = 0n;
  #operation = 0;
  #running = false;

  read(ptr: number, len: number): Uint8Array {
    return this.#memory.slice(ptr, ptr + len);
  }

  write(ptr: number, bytes: Uint8Array): void {
    this.#memory.set(bytes, ptr);
  }

  call(name: string, ...args: (number | bigint)[]): number {
    const [first = 0, second = 0, third = 0] = args.map(Number);
    const fixed = this.#fixed(name, first);
    if (fixed !== undefined) return fixed;
    switch (name) {
      case "core_init":
        return this.enrolled ? 0 : -21;
      case "config_set":
        this.configured.set(first, this.#textAt(VALUE_AT, second));
        return 0;
      case "session_start":
        return this.#start();
      case "session_stop":
        return this.#stop();
      case "session_poll":
        return this.#poll();
      case "link_opened":
        return this.#opened();
      case "link_failed":
      case "link_closed":
        return this.#lost(name);
      case "rx_push":
        return this.#push(first);
      case "tx_pop":
        this.#toSend = this.#toSend.slice(first);
        return 0;
      case "op_ttl":
        this.#ttl = BigInt(args[0] ?? 0);
        return 0;
      case "op_start":
        return this.#operate(first, this.#textAt(KEY_AT, second), this.#textAt(VALUE_AT, third));
      case "event_done":
        this.#event = null;
        return 0;
      default:
        throw new Error(`the module exports no function ${name}`);
    }
  }

  #fixed(name: string, first: number): number | undefined {
    const values: Record<string, () => number> = {
      config_ptr: () => VALUE_AT,
      config_cap: () => 2048,
      poll_delay_ms: () => 60_000,
      address_ptr: () => this.#put(ADDRESS_AT, "somewhere:64"),
      address_len: () => "somewhere:64".length,
      rx_ptr: () => RX_AT,
      rx_room: () => this.rxRoom,
      tx_ptr: () => this.#put(TX_AT, this.#toSend),
      tx_len: () => this.#toSend.length,
      op_key_ptr: () => KEY_AT,
      op_key_cap: () => 255,
      op_value_ptr: () => VALUE_AT,
      op_value_cap: () => 2048,
      event_kind: () => this.#event?.kind ?? 0,
      event_status: () => this.#event?.status ?? 0,
      event_verdict: () => this.#event?.verdict ?? 0,
      event_op: () => this.#event?.op ?? 0,
      event_ptr: () => this.#put(EVENT_AT, this.#field(first)),
      event_len: () => Buffer.byteLength(this.#field(first)),
      state: () => this.state,
    };
    return values[name]?.();
  }

  #put(at: number, text: string): number {
    this.#memory.set(Buffer.from(text), at);
    return at;
  }

  #textAt(at: number, len: number): string {
    return Buffer.from(this.read(at, len)).toString();
  }

  #field(field: number): string {
    return this.#event?.fields?.[FIELDS[field] ?? ""] ?? "";
  }

  #enter(state: number, reason = 0): void {
    this.state = state;
    this.#events.push({ kind: 1, status: state, op: reason });
  }

  #start(): number {
    if (!this.enrolled && !this.configured.has(12)) return -21;
    this.link = "wanted";
    this.#enter(2);
    return 0;
  }

  #stop(): number {
    this.calls.push("session_stop");
    if (this.link === "open" || this.link === "opening") this.link = "unwanted";
    this.#enter(0);
    return 0;
  }

  #poll(): number {
    this.polls++;
    if (this.trapNext) throw new Error("session_poll: [trap] unreachable executed");
    this.#event ??= this.#events.shift() ?? null;
    if (this.#event) return 3;
    if (this.link === "unwanted") {
      this.link = "none";
      return 2;
    }
    if (this.link === "wanted") {
      this.link = "opening";
      return 1;
    }
    return this.#toSend !== "" && this.link === "open" ? 4 : 0;
  }

  #opened(): number {
    this.calls.push("link_opened");
    this.link = "open";
    this.#toSend = `hello\n${this.#toSend}`;
    return 0;
  }

  #lost(name: string): number {
    this.calls.push(name);
    this.link = "none";
    this.#enter(7);
    return 0;
  }

  #push(len: number): number {
    if (len > this.rxRoom) return -5;
    this.#received += this.#textAt(RX_AT, len);
    const lines = this.#received.split("\n");
    this.#received = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
    return 0;
  }

  #line(line: string): void {
    if (line === "welcome") {
      this.#enter(6);
      return;
    }
    const { done, status, error, note, verdict = VOUCHED_FOR } = JSON.parse(line);
    if (note) this.#events.push({ kind: 3, status: status ?? 0, verdict, fields: note });
    if (done === undefined) return;
    this.#running = false;
    this.#events.push({ kind: 2, status, op: done, fields: { error: error ?? "" } });
  }

  #operate(kind: number, key: string, value: string): number {
    if (this.#event) throw new Error("an operation was started while an event was being taken");
    if (this.#running) return -2;
    this.#running = true;
    const number = ++this.#operation;
    const ttl = Number(this.#ttl);
    this.#toSend += `${JSON.stringify({ number, kind, key, value, ttl })}\n`;
    return number;
  }
}
