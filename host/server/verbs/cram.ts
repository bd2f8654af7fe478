// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import { takeChallenge } from "../access/loginChallenge.ts";
import { resetLogin } from "../access/session.ts";
import { cramDigest, sameSecret } from "../access/signatures.ts";
import { keyNotFound } from "../records/records.ts";
import { data, type Verb } from "./verb.ts";

const SECRET = "privatekey:at_secret";

/** First login with the shared secret (atProtocol, the cram verb). */
export const cram: Verb = {
  name: "cram",
  accepts: (command) => command.startsWith("cram:"),
  auth: "none",
  grammar: /^cram:(?<digest>.+)$/is,
  usage: "cram:<digest>",
  run(args, session, services) {
    const { atSign, records } = services;
    const uuid = takeChallenge(session, atSign, services.now());
    const secret = records.get(SECRET)?.value;
    if (typeof secret !== "string") throw keyNotFound(SECRET);
    const expected = cramDigest(secret, `${session.id}${atSign}:${uuid}`);
    if (uuid === undefined || !sameSecret(expected, args.digest ?? "")) {
      resetLogin(session);
      throw new AtError("AT0401", "Authentication Failed");
    }
    resetLogin(session);
    session.owner = true;
    session.authType = "cram";
    services.fromRate.loggedIn(session, "own");
    records.logAccess(atSign, "cram");
    return data("success");
  },
};
