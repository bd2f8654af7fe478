// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";

const HEADER_BYTES = 5;

/** A TLS record on the wire (RFC 8446 §5.1): its content type, and the bytes behind its header. */
export interface WireRecord {
  type: number;
  length: number;
}

/** Cuts a byte stream into TLS records, however it arrives. */
class RecordReader {
  private held = Buffer.alloc(0);
  private readonly found: WireRecord[];

  constructor(found: WireRecord[]) {
    this.found = found;
  }

  push(chunk: Buffer): void {
    this.held = Buffer.concat([this.held, chunk]);
    while (this.held.length >= HEADER_BYTES) {
      const length = this.held.readUInt16BE(3);
      if (this.held.length < HEADER_BYTES + length) return;
      this.found.push({ type: this.held.readUInt8(0), length });
      this.held = this.held.subarray(HEADER_BYTES + length);
    }
  }
}

/** A TCP relay in front of one server that keeps the sizes of the TLS records the server sends. */
export class RecordProxy {
  readonly port: number;
  /** From the server, in order, of all connections. */
  readonly records: WireRecord[];
  private readonly server: Server;

  private constructor(server: Server, records: WireRecord[]) {
    this.server = server;
    this.records = records;
    this.port = (server.address() as AddressInfo).port;
  }

  static async listen(target: number): Promise<RecordProxy> {
    const records: WireRecord[] = [];
    const server = createServer((client) => {
      const reader = new RecordReader(records);
      const upstream = connect(target, "127.0.0.1");
      upstream.on("data", (chunk) => reader.push(chunk));
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.pipe(to);
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RecordProxy(server, records);
  }

  /** The longest record so far, of one content type or of all. */
  longest(type?: number): number {
    const fitting = this.records.filter((record) => type === undefined || record.type === type);
    return Math.max(...fitting.map(({ length }) => length));
  }

  close(): void {
    this.server.close();
  }
}
