// SPDX-License-Identifier: BSD-3-Clause
import type { Engine, EngineFactory } from "../engine/engine.ts";

const RX_CAP = 4160;

/** The line reader of one engine: what a stream of bytes becomes. */
export class LineReader {
  private readonly engine: Engine;

  private constructor(engine: Engine) {
    this.engine = engine;
  }

  static async open(factory: EngineFactory): Promise<LineReader> {
    return new LineReader(await factory.open());
  }

  /** The lines that pieces received one after the other make; `null` is one that was too long. */
  read(pieces: readonly Uint8Array[], me = "@me"): (string | null)[] {
    const { engine } = this;
    const lines: (string | null)[] = [];
    const io = engine.call("io_ptr");
    // The atSign lies in the tx half of the I/O area, which framing leaves alone.
    engine.write(io + RX_CAP, Buffer.from(me));
    engine.call("line_reset");
    for (const piece of pieces) {
      let rest = piece;
      while (rest.length > 0) {
        const length = Math.min(rest.length, engine.call("rx_room"));
        if (length === 0) throw new Error("no room and no line");
        engine.write(engine.call("rx_ptr"), rest.subarray(0, length));
        engine.call("rx_push", length);
        rest = rest.subarray(length);
        for (;;) {
          const n = engine.call("line_next", io + RX_CAP, Buffer.byteLength(me));
          if (n === -1) break;
          lines.push(n < 0 ? null : Buffer.from(engine.read(io, n)).toString("utf8"));
          engine.call("line_done");
        }
      }
    }
    return lines;
  }
}
