// SPDX-License-Identifier: BSD-3-Clause
// A device's life against the scripted atServer of core/test/session, written down line by line: what the board asks of
// the core and what the core asks of the board, so that replay.c can have it again on another interpreter.
//   P name            a phase begins
//   C name args…      a call begins                = result   it returned, or ! text: it trapped
//   W ptr hex         the board writes             R ptr hex  the board reads, and this is there
//   T ms   E hex   G result hex   S result         now_ms, entropy, store_read, store_write during a call

import type { Engine, EngineFactory } from "../../../core/test/engine/engine.ts";
import { v8 } from "../../../core/test/engine/v8.ts";
import { approve } from "../../../core/test/session/approval.ts";
import { Device, Kind, State } from "../../../core/test/session/device.ts";
import { counting } from "../../../core/test/session/entropy.ts";
import { alpha, encryptValue, World, wrapKey } from "../../../core/test/session/world.ts";
import notification from "../../../core/test/vectors/interop/10-notification.json" with {
  type: "json",
};

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function recorded(engine: Engine, lines: string[]): Engine {
  return {
    name: "recorded",
    call(name, ...args) {
      lines.push(["C", name, ...args].join(" "));
      const result = engine.call(name, ...args);
      lines.push(`= ${result}`);
      return result;
    },
    read(ptr, len) {
      const bytes = engine.read(ptr, len);
      if (len > 0) lines.push(`R ${ptr} ${hex(bytes)}`);
      return bytes;
    },
    write(ptr, bytes) {
      if (bytes.length > 0) lines.push(`W ${ptr} ${hex(bytes)}`);
      engine.write(ptr, bytes);
    },
    close: () => engine.close(),
  };
}

/** V8, with everything that crosses the boundary written to `lines`. */
function recorder(lines: string[], entropy: (len: number) => Uint8Array): EngineFactory {
  return {
    name: "recorder",
    async open(hal = () => ({})) {
      let outer: Engine | undefined;
      const inner = await v8.open((engine) => {
        outer = recorded(engine, lines);
        const board = hal(engine);
        return {
          ...board,
          now_ms() {
            const now = board.now_ms?.() ?? 0n;
            lines.push(`T ${now}`);
            return now;
          },
          entropy(out, len) {
            const bytes = entropy(len);
            engine.write(out, bytes);
            lines.push(`E ${hex(bytes)}`);
            return 0;
          },
          store_read(id, out, cap) {
            const result = board.store_read?.(id, out, cap) ?? 0;
            lines.push(`G ${result} ${hex(engine.read(out, Math.max(0, result)))}`);
            return result;
          },
          store_write(id, x, len) {
            const result = board.store_write?.(id, x, len) ?? 0;
            lines.push(`S ${result}`);
            return result;
          },
        };
      });
      return outer ?? inner;
    },
  };
}

const fromBravo = {
  id: "fee60638-8581-4829-af14-0806790626ec",
  from: "@bravo",
  to: "@alpha",
  key: "@alpha:temp.demo@bravo",
  value: encryptValue(
    "temperature=21.5",
    notification.sharedAesKeyBase64,
    notification.ivNonceBase64,
  ),
  operation: "update",
  messageType: "MessageType.key",
  isEncrypted: true,
  epochMillis: 1_732_000_000_000,
};

function expectDone(status: number, what: string): void {
  if (status !== 0) throw new Error(`${what} ended with ${status}`);
}

/** Boot to steady state, of a device that enrolls itself. */
export async function recordLife(): Promise<string[]> {
  const lines: string[] = [];
  const phase = (name: string) => lines.push(`P ${name}`);
  const world = new World();
  world.passcodes.add("ABC123");
  phase("boot");
  const device = await Device.open(recorder(lines, counting()), world);
  device.init();
  device.configure();
  phase("enroll");
  expectDone(device.start(true), "session_start");
  device.until(() => device.state() === State.approval);
  approve(world);
  device.until(() => device.state() === State.ready);
  device.settle();
  await restarted(device, world, lines, phase);
  return lines;
}

/** The second boot: the keys are in the store. */
async function restarted(
  first: Device,
  world: World,
  lines: string[],
  phase: (name: string) => void,
): Promise<void> {
  lines.push("X");
  phase("second boot");
  const device = await Device.open(recorder(lines, counting()), world, { store: first.store });
  device.init();
  device.configure("");
  phase("login");
  expectDone(device.start(true), "session_start");
  device.until(() => device.state() === State.ready);
  device.settle();
  phase("put");
  expectDone(device.finish(Kind.put, "note.demo@alpha", "21.5").status, "put");
  phase("get");
  expectDone(device.finish(Kind.get, "note.demo@alpha").status, "get");
  phase("shared key");
  expectDone(device.finish(Kind.put, "@bravo:temp.demo@alpha", "21.5").status, "shared put");
  phase("notify");
  expectDone(device.finish(Kind.notify, "@bravo:temp.demo@alpha", "21.5").status, "notify");
  phase("monitor");
  const { ivNonceBase64: ivNonce, sharedAesKeyBase64 } = notification;
  const sharedKeyEnc = wrapKey(sharedAesKeyBase64, alpha);
  world.notify({ ...fromBravo, metadata: { ivNonce, sharedKeyEnc } });
  device.until(() => device.of("notification").length === 1);
  phase("steady state");
  for (let i = 0; i < 20; i++) {
    device.advance(10_000);
    expectDone(device.finish(Kind.notify, "@bravo:temp.demo@alpha", `${i}`).status, "notify");
    world.notify({
      ...fromBravo,
      id: `fee60638-8581-4829-af14-0806790626${10 + i}`,
      epochMillis: fromBravo.epochMillis + i + 1,
      metadata: { ivNonce, sharedKeyEnc },
    });
    device.until(() => device.of("notification").length === 2 + i);
  }
}
