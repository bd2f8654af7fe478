// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import { AtError } from "../../wire/errors.ts";
import { traceOf } from "../../wire/trace.ts";
import { takeChallenge } from "../access/loginChallenge.ts";
import type { Services } from "./services.ts";
import type { Verb } from "./verb.ts";

/** Nothing is shown, or nothing that can be read as key and signature. */
function isNoProof(error: unknown): boolean {
  if (error instanceof AtError) return error.code === "AT0015";
  return error instanceof Error && "code" in error;
}

async function proven(
  atSign: string,
  session: string,
  challenge: string,
  services: Services,
): Promise<boolean> {
  const timeout = services.tuning.peerHandshakeTimeoutMillis;
  const ask = async (command: string): Promise<string> => {
    services.blockList.demandWelcome(atSign);
    return services.peers.request(atSign, "anonymous", command, timeout);
  };
  try {
    const signature = await ask(`lookup:${session}${atSign}`);
    const publicKey = await ask(`lookup:signing_publickey${atSign}`);
    const key = createPublicKey({
      key: Buffer.from(publicKey, "base64"),
      format: "der",
      type: "spki",
    });
    const message = Buffer.from(challenge, "utf8");
    return verify("sha256", message, key, Buffer.from(signature, "base64"));
  } catch (error) {
    services.blockList.demandWelcome(atSign);
    if (!isNoProof(error)) throw error;
    services.log.debug({ atSign, trace: traceOf(error) }, "no proof of an atSign");
    return false;
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
    const challenge = takeChallenge(session, atSign, services.now());
    delete session.peer;
    services.blockList.demandWelcome(atSign);
    if (challenge === undefined || !(await proven(atSign, session.id, challenge, services))) {
      throw new AtError("AT0401", "Pol Authentication Failed");
    }
    // It may have been blocked while it was asked for its proof.
    services.blockList.demandWelcome(atSign);
    session.peer = atSign;
    services.fromRate.loggedIn(session, "others");
    services.records.logAccess(atSign, "pol");
    services.notifier.nudge(atSign);
    return { raw: `${atSign}@` };
  },
};
