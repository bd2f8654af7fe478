// SPDX-License-Identifier: BSD-3-Clause
import { afterEach } from "vitest";
import { AtClient, type AtClientOptions } from "../../client/atClient.ts";
import { alpha } from "./identities.ts";
import { type Script, ScriptedWorld } from "./scriptedServer.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** Starts a scripted world, closed after the test. */
export async function start(script: Script): Promise<ScriptedWorld> {
  const world = await ScriptedWorld.start(script);
  opened.push(world);
  return world;
}

/** Connects a client, of @alpha unless told otherwise, closed after the test. */
export async function connect(
  world: ScriptedWorld,
  options: Partial<AtClientOptions> = {},
): Promise<AtClient> {
  const client = await AtClient.connect({ ...world.network, keys: alpha, ...options });
  opened.push(client);
  return client;
}

/** The lines after the login and its heartbeat. */
export function requests(world: ScriptedWorld): string[] {
  return world.server.lines.filter((line) => !/^(?:from:|pkam:|noop:)/.test(line));
}

/** The reply of a look-up with `all`. */
export function record(key: string, data: string, metaData: Record<string, unknown>): string {
  return `data:${JSON.stringify({ key, data, metaData })}`;
}
