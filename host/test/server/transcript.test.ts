// SPDX-License-Identifier: BSD-3-Clause
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { Line } from "./line.ts";
import { identity, type Place, World } from "./world.ts";

interface Step {
  conn: number | "root";
  at?: string;
  clientSends?: string;
  serverSends?: string;
}

function vector(name: string): { transcript: Step[]; cramSecret?: string } {
  const url = new URL(`../../../core/test/vectors/interop/${name}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8"));
}

/** An atServer whose next ids a test says; others are made up. */
class Playback {
  readonly ids: string[] = [];

  readonly newId = (): string => this.ids.shift() ?? randomUUID();
}

const dataOf = (reply: string): string => reply.slice("data:".length, reply.lastIndexOf("\n"));

/** What a recorded and a real answer have in common: commit ids, times and orders are the server's own. */
function comparable(reply: string): unknown {
  // The recording server began a new session with every from, so its second challenge is replayed on a new connection.
  if (reply.startsWith("data:_")) return reply.split("\n")[0];
  if (/^data:-?\d+\n/.test(reply)) return reply.replace(/-?\d+/, "n");
  if (reply.startsWith("data:[")) {
    const kept = (JSON.parse(dataOf(reply)) as string[]).filter(
      (key) => !key.includes("signing_") && !key.startsWith("cached:"),
    );
    return kept.sort();
  }
  if (!reply.startsWith("data:{")) return reply;
  const { key, data, metaData } = JSON.parse(dataOf(reply));
  const { dataSignature, isEncrypted, ivNonce } = metaData;
  return {
    key: key.replace("cached:", ""),
    data,
    dataSignature,
    isEncrypted,
    ivNonce: ivNonce ?? null,
  };
}

describe("a recorded client, word for word", () => {
  let world: World;
  afterEach(() => world.close());

  it("at_python: two atSigns, records, sharing, monitor and notification", async () => {
    world = await World.create();
    const { transcript } = vector("14-at_python-transcript.json");
    const recorded = new Map<string, Recorded>();
    for (const atSign of ["@alpha", "@bravo"] as const) {
      const playback = new Playback();
      const place = await world.start(atSign, { newId: playback.newId, autoNotify: false });
      await prepare(place, atSign);
      recorded.set(atSign, { place, playback });
    }
    await replay(transcript, recorded);
  });

  it("at_python: first activation with cram", async () => {
    world = await World.create();
    const { transcript, cramSecret = "" } = vector("15-at_python-onboarding.json");
    const playback = new Playback();
    const { newId } = playback;
    const place = await world.start("@charlie", { newId, sharedSecret: cramSecret });
    await replay(transcript, new Map([["@charlie", { place, playback }]]));
    expect(place.store.record("privatekey:at_secret")).toBeUndefined();
    expect(place.store.record("privatekey:at_secret_deleted")?.value).toBe("true");
  });
});

interface Recorded {
  place: Place;
  playback: Playback;
}

interface Challenge {
  session: string;
  uuid: string;
}

/** The challenge that answers a `from` at `index`. */
function challengeAfter(transcript: Step[], index: number, conn: Step["conn"]): Challenge {
  const reply = transcript
    .slice(index)
    .find((step) => step.conn === conn && step.serverSends?.startsWith("data:_"));
  const [, session = "", uuid = ""] =
    /^data:_([^@]+)@[^:]+:(\S+)\n/.exec(reply?.serverSends ?? "") ?? [];
  return { session, uuid };
}

async function replay(transcript: Step[], recorded: Map<string, Recorded>): Promise<void> {
  const lines = new Map<Step["conn"], { line: Line; session: string }>();
  for (const [index, step] of transcript.entries()) {
    if (step.conn === "root") continue;
    const from = /^from:(\S+)/.exec(step.clientSends ?? "")?.[1];
    if (from !== undefined) {
      const { place, playback } = recorded.get(from) ?? {};
      if (place === undefined || playback === undefined) throw new Error(`no atServer ${from}`);
      const { session, uuid } = challengeAfter(transcript, index, step.conn);
      if (lines.get(step.conn)?.session !== session) {
        playback.ids.push(session);
        lines.set(step.conn, { line: await place.open(), session });
      }
      playback.ids.push(uuid);
    }
    const line = lines.get(step.conn)?.line;
    if (line === undefined) continue;
    if (step.clientSends !== undefined) line.send(step.clientSends);
    else if (step.serverSends?.startsWith("notification: ")) {
      expect(await pushed(line)).toEqual(notificationOf(step.serverSends));
    } else {
      expect(comparable(await line.reply()), `step ${index}`).toEqual(
        comparable(step.serverSends ?? ""),
      );
    }
  }
}

async function prepare(place: Place, atSign: "@alpha" | "@bravo"): Promise<void> {
  const url = new URL("../../../core/test/vectors/interop/00-identities.json", import.meta.url);
  const found = JSON.parse(readFileSync(url, "utf8"))[atSign];
  await place.store.write((writer) => {
    const put = (key: string, value: string): void => {
      writer.put(key, { value, metadata: { createdAt: 0, updatedAt: 0 } });
    };
    put("privatekey:at_pkam_publickey", identity(atSign).publicKey);
    put(`public:publickey${atSign}`, found.encryption.publicKeySpkiBase64);
  });
}

function notificationOf(line: string): Record<string, unknown> {
  const { epochMillis: _time, metadata, ...rest } = JSON.parse(line.slice(line.indexOf("{")));
  return { ...rest, ivNonce: metadata?.ivNonce ?? null };
}

/** The next notification, statistics and what autoNotify sent left out. */
async function pushed(line: Line): Promise<Record<string, unknown>> {
  for (;;) {
    const found = notificationOf(await line.line());
    if (found.id !== "-1" && !String(found.id).startsWith("unrecorded-")) return found;
  }
}
