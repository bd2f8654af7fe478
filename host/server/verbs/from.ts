// SPDX-License-Identifier: BSD-3-Clause
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";
import type { Session } from "../access/session.ts";
import { certificateNames } from "../peers/peerCertificate.ts";
import { boundChallenge } from "../peers/polChallenge.ts";
import type { Services } from "./services.ts";
import { data, type Verb } from "./verb.ts";

/** Versions of clients above this one understand errors as JSON. */
const LAST_PLAIN_VERSION = [3, 0, 37] as const;

function isNewer(version: string): boolean {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (match === null) return false;
  for (const [i, plain] of LAST_PLAIN_VERSION.entries()) {
    const part = Number(match[i + 1]);
    if (part !== plain) return part > plain;
  }
  return false;
}

function parseClientConfig(text: string): unknown {
  try {
    return parseJson(text, jsonLimits.clientConfig);
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    const detail = `FormatException: clientConfig ${cause.message}`;
    throw new AtError("AT0011", detail, { cause, closes: true });
  }
}

function wantsJson(clientConfig: string): boolean {
  const config = parseClientConfig(clientConfig);
  if (typeof config !== "object" || config === null) return false;
  const { version } = config as Record<string, unknown>;
  return typeof version === "string" && isNewer(version);
}

async function checkCertificate(
  atSign: string,
  session: Session,
  services: Services,
): Promise<void> {
  if (!services.tuning.clientCertificateRequired) return;
  const { directory } = services;
  const { host } = await directory.find(atSign, "stranger");
  const certificate = session.peerCertificate();
  if (certificate !== undefined) {
    if (certificateNames(certificate, host)) return;
    // The atSign may have moved to another host since the directory was asked.
    const latest = await directory.findAgain(atSign, "stranger");
    if (certificateNames(certificate, latest.host)) return;
  }
  throw new AtError("AT0401", "Certificate Verification Failed");
}

/** Announces who is there; the answer is the challenge for cram, pkam or pol (atProtocol, the from verb). */
export const from: Verb = {
  name: "from",
  accepts: (command) => command.startsWith("from:"),
  auth: "none",
  grammar: /^from:(?<atSign>@?[^:@\s]+)(?::clientConfig:(?<clientConfig>\{.+\}))?$/is,
  usage: "from:<atSign>[:clientConfig:<json>]",
  async run(args, session, services) {
    const atSign = normalizeAtSign(args.atSign ?? "");
    if (args.clientConfig !== undefined) session.jsonErrors = wantsJson(args.clientConfig);
    const own = atSign === services.atSign;
    services.fromRate.demand(session, own ? "own" : "others");
    if (!own) {
      services.blockList.demandWelcome(atSign);
      await services.fromRate.during(session, () => checkCertificate(atSign, session, services));
      services.blockList.demandWelcome(atSign);
    }
    const uuid = services.newId();
    const text = own ? uuid : boundChallenge(services.atSign, uuid);
    session.fromAtSign = atSign;
    session.challenge = { atSign, text, madeAt: services.now() };
    services.records.logAccess(atSign, "from");
    return data(`${own ? "" : "proof:"}${session.id}${atSign}:${text}`);
  },
};
