// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { openLmdbStore } from "../../store/lmdb.ts";
import { Random } from "../random.ts";
import { Confirmed, enrolls, notifies, type Work, writes } from "./killLoad.ts";
import type { Line } from "./line.ts";
import { ServerProcess } from "./serverProcess.ts";
import { type Place, World } from "./world.ts";

/** Most replies a server gives before it is killed; logins count. */
const MAX_REPLIES = 160;
const FROM_PEER = 8;
const LIFE_MILLIS = 86_400_000;

class Killing {
  readonly confirmed = new Confirmed();
  private readonly server: ServerProcess;
  private readonly bob: Place;
  private readonly random: Random;
  private readonly fromBob: string[] = [];
  private left = 0;
  private killed = false;

  constructor(server: ServerProcess, bob: Place, random: Random) {
    this.server = server;
    this.bob = bob;
    this.random = random;
  }

  /** Gives the owner a PKAM key, with which all later connections log in. */
  async activate(): Promise<void> {
    await this.server.start();
    await this.server.activate();
    await this.end();
  }

  /** One life of the server: started, worked, killed at a random moment, its store looked at. */
  async round(number: number): Promise<void> {
    await this.server.start();
    this.killed = false;
    this.left = this.random.below(MAX_REPLIES);
    const works = [
      ...["a", "b", "c"].map((writer) => writes(this.confirmed, writer, this.random)),
      notifies(this.confirmed, `own-${number}`),
      enrolls(this.confirmed, String(number)),
    ];
    const peer = this.notifyFromBob(number);
    await Promise.all(works.map((work) => this.run(work)));
    await peer;
    await this.end();
  }

  /** After a last start: everything is there over the wire too, and nothing of a peer's is missing or doubled. */
  async finish(): Promise<void> {
    await this.server.start();
    this.left = Number.POSITIVE_INFINITY;
    const owner = await this.owner();
    for (const [key, value] of this.confirmed.values()) {
      const found = await owner.ask(`llookup:${key}`);
      if (value === undefined) expect(found).toMatch(/^error:AT0015-/);
      else expect(found).toBe(`data:${value}\n@alice@`);
    }
    owner.send("monitor:strict:selfNotifications:0 load@\n");
    const expected = new Set(this.fromBob);
    for (const id of this.confirmed.notifications) {
      if (Number(id.split("-").at(-1)) % 2 === 0) expected.add(id);
    }
    const seen = new Set<string>();
    while ([...expected].some((id) => !seen.has(id))) {
      const { id } = JSON.parse((await owner.line()).slice("notification: ".length));
      expect(seen.has(id), `notification ${id} twice`).toBe(false);
      seen.add(id);
    }
    await this.end();
  }

  private async end(): Promise<void> {
    this.server.kill();
    await this.server.exit();
    const store = await openLmdbStore(this.server.store);
    this.confirmed.check(store);
    for (const id of this.fromBob) {
      if (this.bob.store.notification(id)?.status !== "delivered") continue;
      expect(store.notification(id)?.id, "a notification the peer was told is accepted").toBe(id);
    }
    await store.close();
  }

  private async run(work: Work): Promise<void> {
    try {
      await work(() => this.owner());
    } catch (error) {
      if (!this.killed || !(error instanceof Error) || !/^hung up/.test(error.message)) throw error;
    }
  }

  private async notifyFromBob(number: number): Promise<void> {
    const owner = await this.bob.owner();
    for (let i = 0; i < FROM_PEER; i++) {
      const id = `bob-${number}-${i}`;
      this.fromBob.push(id);
      const reply = await owner.ask(`notify:id:${id}:ttln:${LIFE_MILLIS}:@alice:x.load@bob:${i}`);
      expect(reply).toBe(`data:${id}\n@bob@`);
    }
    owner.close();
  }

  /** A connection logged in as the owner, whose replies bring the server's end nearer. */
  private owner(): Promise<Line> {
    return this.server.owner((line) => {
      const ask = line.ask.bind(line);
      line.ask = async (command) => {
        const reply = await ask(command);
        this.left -= 1;
        if (this.left < 0 && !this.killed) {
          this.killed = true;
          this.server.kill();
        }
        return reply;
      };
    });
  }
}

/** Starts, loads, kills and checks an atServer so many times. */
export async function killRounds(rounds: number, seed: number): Promise<Confirmed> {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-kill-"));
  const world = await World.create();
  const bob = await world.start("@bob", { directoryCacheMillis: 0, notificationMaxRetries: 1e9 });
  const server = new ServerProcess(world, "@alice", join(folder, "alice"));
  try {
    const killing = new Killing(server, bob, new Random(seed));
    await killing.activate();
    for (let round = 0; round < rounds; round++) await killing.round(round);
    await killing.finish();
    return killing.confirmed;
  } finally {
    server.kill();
    await server.exit();
    await world.close();
    rmSync(folder, { recursive: true });
  }
}
