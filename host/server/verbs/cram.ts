// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import { keyNotFound } from "../records.ts";
import { resetLogin } from "../session.ts";
import { cramDigest, sameSecret } from "../signatures.ts";
import { data, type Verb } from "../verb.ts";

const SECRET = "privatekey:at_secret";

/** First login with the shared secret (atProtocol, the cram verb). */
export const cram: Verb = {
  name: "cram",
  accepts: (command) => command.startsWith("cram:"),
  auth: "none",
  grammar: /^cram:(?<digest>.+)$/is,
  usage: "cram:<digest>",
  run(args, session, services) {
    const secret = services.records.get(SECRET)?.value;
    if (typeof secret !== "string") throw keyNotFound(SECRET);
    const name = `${session.id}${services.atSign}`;
    const uuid = services.challenges.demand(`private:${name}`);
    if (!sameSecret(cramDigest(secret, `${name}:${uuid}`), args.digest ?? "")) {
      resetLogin(session);
      throw new AtError("AT0401", "Authentication Failed");
    }
    services.challenges.remove(`private:${name}`);
    resetLogin(session);
    session.owner = true;
    session.authType = "cram";
    services.records.logAccess(services.atSign, "cram");
    return data("success");
  },
};
