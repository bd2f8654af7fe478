// SPDX-License-Identifier: BSD-3-Clause
import { signWithServerKey } from "../../server/access/signatures.ts";
import type { Line } from "./line.ts";
import type { Place, World } from "./world.ts";

/** A pol connection to `to`, made by hand as the atServer of `from` makes it. */
export async function loginAsPeer(world: World, from: Place, to: Place): Promise<Line> {
  const { atSign } = from.server;
  const line = await world.connect(to.server.port, from.config.tls);
  const proof = await line.ask(`from:${atSign}`);
  const [, session = "", uuid = ""] = /^data:proof:([^:]+):(\S+)\n@$/.exec(proof) ?? [];
  const key = from.store.record(`${atSign}:signing_privatekey${atSign}`)?.value ?? "";
  await from.store.write((writer) =>
    writer.put(`public:${session}`, { value: signWithServerKey(key, uuid), metadata: {} }),
  );
  line.send("pol\n");
  const prompt = `${atSign}@`;
  const answer = await line.take(prompt.length);
  if (answer !== prompt) throw new Error(`pol: ${answer}`);
  return line;
}
