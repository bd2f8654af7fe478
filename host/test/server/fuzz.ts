// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { pino } from "pino";
import { expect } from "vitest";
import { normalizeCommand } from "../../wire/command.ts";
import type { Random } from "../random.ts";
import { fuzzLine } from "./fuzzLines.ts";
import type { Line } from "./line.ts";
import { identity, type Place, pkamLine, World } from "./world.ts";

/** A line whose answer nothing else has, sent behind every line to see that it was answered. */
const MARK = "noop:?";
const MARKED = /^(?:@[^:]*)?error:.*AT0003.*noop/;

/** Logs at and above this level mean that something unexpected happened. */
const ERROR_LEVEL = 50;

/** An atServer that is sent anything, by nobody, by its owner and by an enrolled client. */
export class Fuzz {
  readonly world: World;
  readonly errors: string[] = [];
  lines = 0;
  private readonly place: Place;
  private readonly enrolled: string;

  private constructor(world: World, place: Place, errors: string[], enrolled: string) {
    this.world = world;
    this.place = place;
    this.errors = errors;
    this.enrolled = enrolled;
  }

  static async start(): Promise<Fuzz> {
    const world = await World.create();
    const errors: string[] = [];
    const log = pino(
      {},
      {
        write(text: string): void {
          if (JSON.parse(text).level >= ERROR_LEVEL) errors.push(text);
        },
      },
    );
    const place = await world.start("@alice", {
      log,
      otpDelayThresholdMillis: 2,
      enrollmentMaxRequests: 1_000_000,
    });
    return new Fuzz(world, place, errors, await enroll(place));
  }

  readonly open = {
    anonymous: (): Promise<Line> => this.place.open(),
    owner: (): Promise<Line> => this.place.owner("3.0.40"),
    enrolled: (): Promise<Line> => this.openEnrolled(),
  };

  /** Sends lines until `until` says so; every one is answered, and the server has nothing to be sorry for. */
  async run(
    who: keyof Fuzz["open"],
    random: Random,
    until: () => boolean,
    next: (random: Random) => Buffer = fuzzLine,
  ): Promise<void> {
    let line = await this.open[who]();
    while (!until()) {
      const bytes = next(random);
      if (/^\s*n\s*o\s*o\s*p/i.test(bytes.toString())) continue;
      this.lines += 1;
      const goesOn = await this.answered(line, bytes);
      expect(this.errors, shown(bytes)).toEqual([]);
      if (goesOn) continue;
      line.close();
      line = await this.open[who]();
    }
    line.close();
  }

  /** Sends one line; true when the connection is as it was. */
  private async answered(line: Line, bytes: Buffer): Promise<boolean> {
    line.send(Buffer.concat([bytes, Buffer.from(`\n${MARK}\n`)]));
    try {
      const reply = await answerLine(line);
      if (MARKED.test(reply)) {
        expect(mayBeSilent(bytes), `no answer to ${shown(bytes)}`).toBe(true);
        return false;
      }
      expect(reply, shown(bytes)).not.toContain("Internal server error");
      const mark = await answerLine(line);
      expect(mark, shown(bytes)).toMatch(MARKED);
      return true;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("hung up")) throw error;
      if (bytes.toString().trim() === "@exit") return false;
      // Whoever is hung up on was told why, in the reply before.
      expect(line.received, `hung up without an answer to ${shown(bytes)}`).toMatch(
        /error:[^\n]*\n/,
      );
      return false;
    }
  }

  private async openEnrolled(): Promise<Line> {
    const line = await this.place.open();
    const pkam = await pkamLine(line, "@alice", identity("@bravo").privateKey);
    const login = pkam.replace("pkam:", `pkam:enrollmentId:${this.enrolled}:`);
    expect(await line.ask(login)).toBe("data:success\n@alice@");
    return line;
  }
}

/** The next line, behind the prompt of the one before, that isn't a notification. */
async function answerLine(line: Line): Promise<string> {
  for (;;) {
    const text = await line.line();
    if (!/^(?:@[^:]*)?notification: /.test(text)) return text;
  }
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.toString().slice(0, 500));
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}

/** Nothing is said to what isn't text, and by monitor and stream when they succeed. */
function mayBeSilent(bytes: Buffer): boolean {
  return !isUtf8(bytes) || /^(?:monitor|stream)/.test(normalizeCommand(bytes.toString()));
}

async function enroll(place: Place): Promise<string> {
  const owner = await place.owner();
  const request = {
    appName: "fuzz",
    deviceName: "fuzz",
    namespaces: { wavi: "rw" },
    apkamPublicKey: identity("@bravo").publicKey,
    encryptedAPKAMSymmetricKey: "SYM",
  };
  const reply = await owner.ask(`enroll:request:${JSON.stringify(request)}`);
  const { enrollmentId } = JSON.parse(reply.slice("data:".length, -"\n@alice@".length));
  const approval = {
    enrollmentId,
    encryptedDefaultEncryptionPrivateKey: "ENC",
    encryptedDefaultSelfEncryptionKey: "SELF",
  };
  expect(await owner.ask(`enroll:approve:${JSON.stringify(approval)}`)).toContain("approved");
  owner.close();
  return enrollmentId;
}
