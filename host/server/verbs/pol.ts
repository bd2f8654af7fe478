// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import { AtError } from "../../wire/errors.ts";
import type { Services, Verb } from "../verb.ts";

async function proven(
  atSign: string,
  session: string,
  uuid: string,
  services: Services,
): Promise<boolean> {
  const timeout = services.tuning.peerHandshakeTimeoutMillis;
  const ask = (command: string): Promise<string> =>
    services.peers.request(atSign, "anonymous", command, timeout);
  try {
    const signature = await ask(`lookup:${session}${atSign}`);
    const publicKey = await ask(`lookup:signing_publickey${atSign}`);
    const key = createPublicKey({
      key: Buffer.from(publicKey, "base64"),
      format: "der",
      type: "spki",
    });
    const message = Buffer.from(uuid, "utf8");
    return verify("sha256", message, key, Buffer.from(signature, "base64"));
  } catch (cause) {
    if (cause instanceof AtError && cause.code !== "AT0015") throw cause;
    throw new AtError("AT0011", "Exception: Unable to verify signature", { cause, closes: true });
  }
}

/** Login of another atServer: its own atServer shows the signature of our challenge (atProtocol, the pol verb). */
export const pol: Verb = {
  name: "pol",
  accepts: (command) => command === "pol",
  auth: "none",
  grammar: /^pol$/i,
  usage: "pol",
  async run(_args, session, services) {
    const atSign = session.fromAtSign;
    if (atSign === undefined || atSign === services.atSign) {
      throw new AtError(
        "AT0011",
        "Exception: You must execute a 'from:' command before you may run the pol command",
        { closes: true },
      );
    }
    const name = `public:${session.id}${atSign}`;
    const uuid = services.challenges.get(name);
    if (uuid === undefined) {
      throw new AtError("AT0011", "Exception: Unable to verify signature", { closes: true });
    }
    services.challenges.remove(name);
    delete session.peer;
    if (!(await proven(atSign, session.id, uuid, services))) {
      throw new AtError("AT0401", "Pol Authentication Failed");
    }
    session.peer = atSign;
    services.records.logAccess(atSign, "pol");
    services.notifier.nudge(atSign);
    return { raw: `${atSign}@` };
  },
};
