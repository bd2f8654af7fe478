// SPDX-License-Identifier: BSD-3-Clause
// The emulated Pico before an atServer that lies: boards/test/hostile.test.ts has the other devices, and more of the lies.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { HostileWorld } from "../../boards/test/hostileWorld.ts";
import { DEVICE, PEER, PicoWorld } from "../../emulate/picoWorld.ts";
import { flipBit, type Json } from "../../host/test/security/hostileServer.ts";

const YEAR_2096 = 3_976_214_400_000;
const DAY_MS = 86_400_000;
const A = "f5e00971-3c6b-4d86-b507-2df48a004765";

const isNote = ({ key }: Json) => /:note\.greenhouse@alice$/.test(String(key));
const isCommand = ({ key }: Json) => /:command\.greenhouse@alice$/.test(String(key));

const LIES: ((json: Json) => Json)[] = [
  (json) => {
    const value = String(json.value);
    return { ...json, value: flipBit(value, 8 * (Buffer.from(value, "base64").length - 1) + 7) };
  },
  (json) => ({ ...json, value: "no base64" }),
  (json) => ({ ...json, isEncrypted: false, value: "clear" }),
  (json) => ({
    ...json,
    metadata: {
      ...(json.metadata as Json),
      sharedKeyEnc: Buffer.alloc(256, 17).toString("base64"),
    },
  }),
  (json) => ({ ...json, epochMillis: YEAR_2096 }),
];

it("tells nothing, obeys nothing unencrypted, isn't made deaf, and signs no other challenge", async () => {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  execFileSync(process.execPath, ["boards/build.mjs", "rp2040"], { cwd });
  const folder = await mkdtemp(join(tmpdir(), "atmicro-hostile-pico-"));
  let hostile: HostileWorld | undefined;
  const pico = await PicoWorld.start({
    folder: join(folder, "world"),
    directory: async (world) => {
      hostile = await HostileWorld.before(world, DEVICE);
      return hostile.directory;
    },
  });
  try {
    if (!hostile) throw new Error("nobody lies");
    const { server } = hostile;
    await pico.untilReceived("reading");
    await pico.command("first", 3000);
    expect(JSON.parse(await pico.untilReceived("reply"))).toMatchObject({ id: "first" });
    const before = hostile.requests;

    const lies = [...LIES];
    server.onNotification((json) => (isNote(json) ? (lies.shift()?.(json) ?? json) : json));
    for (const _ of LIES) await pico.peer.notify(`${DEVICE}:note.greenhouse${PEER}`, "something");
    await pico.command("second", 3100);
    expect(JSON.parse(await pico.untilReceived("reply"))).toMatchObject({ id: "second" });
    expect(lies).toEqual([]);
    expect(hostile.requests).toEqual(before);

    const clear = '{"id":"clear","set":"interval","ms":300}';
    server.onNotification((json) =>
      isCommand(json) ? { ...json, isEncrypted: false, value: clear } : json,
    );
    await pico.command("third", 3200);
    await pico.untilLine("warning: it was not encrypted: anybody on its way may have written it");
    server.beHonest();
    expect(hostile.requests).toEqual(before);

    server.hangUp();
    await pico.command("fourth", 3300);
    expect(JSON.parse(await pico.untilReceived("reply"))).toMatchObject({ id: "fourth" });
    const asked = server.lines.filter((line) => line.startsWith("monitor:")).at(-1) ?? "";
    expect(Number(asked.split(":").at(-1))).toBeLessThan(Date.now() + DAY_MS);

    const logins = server.count(/^pkam:/);
    server.onReply(/^from:/, () => `data:_${A}${PEER}:${A}`);
    server.hangUp();
    await pico.untilLine("state: stopped");
    expect(server.count(/^pkam:/)).toBe(logins);
  } finally {
    await pico.close();
    await hostile?.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 900_000);
