// SPDX-License-Identifier: BSD-3-Clause
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { decidingNamespace } from "../authorization.ts";
import type { Namespaces } from "../enrollments.ts";
import { filterKeys } from "../keyFilter.ts";
import { isActive } from "../records.ts";
import { type Session, standing } from "../session.ts";
import { data, type Services, type Verb } from "../verb.ts";

/** What an enrollment's client sees: everything with `*`, otherwise public keys and those of its namespaces. */
function isEnrolled(key: string, namespaces: Namespaces): boolean {
  if ("*" in namespaces) return true;
  if (Object.keys(namespaces).length === 0) return false;
  if (key.startsWith("public:")) return true;
  const deciding = decidingNamespace(namespaces, key);
  return deciding !== undefined && deciding !== "__manage";
}

function isListed(key: string, showHidden: boolean): boolean {
  if (/^(?:private:|privatekey:)/.test(key)) return false;
  if (key.startsWith("public:__") || key.startsWith("_")) return showHidden;
  return !key.startsWith("public:_");
}

/** The active keys a connection may list, in the form it gets them, each filtered by its stored form. */
async function listKeys(
  session: Session,
  showHidden: boolean,
  regex: string | undefined,
  services: Services,
): Promise<string[]> {
  const now = services.now();
  const active: string[] = [];
  for (const [key, { metadata }] of services.records.store.records()) {
    if (isActive(metadata, now)) active.push(key);
  }
  const matching = async (keys: string[]): Promise<string[]> =>
    regex === undefined ? keys : filterKeys(keys, regex);
  switch (standing(session)) {
    case "owner": {
      const namespaces = services.authorization.namespaces(session);
      return matching(
        active.filter(
          (key) =>
            isListed(key, showHidden) && (namespaces === undefined || isEnrolled(key, namespaces)),
        ),
      );
    }
    case "peer": {
      const prefix = `${session.peer}:`;
      const shared = active.filter((key) => key.startsWith(prefix));
      return (await matching(shared)).map((key) => key.slice(prefix.length));
    }
    case "anonymous": {
      const shown = active.filter(
        (key) => key.startsWith("public:") && !key.startsWith("public:_"),
      );
      return (await matching(shown)).map((key) => key.slice("public:".length));
    }
  }
}

async function scanPeer(
  peer: string,
  regex: string | undefined,
  session: Session,
  services: Services,
): Promise<string> {
  if (standing(session) !== "owner") {
    throw new AtError("AT0401", "Scan to another atSign cannot be performed without auth");
  }
  const command = regex === undefined ? "scan" : `scan ${regex}`;
  const timeout = services.tuning.peerLookupTimeoutMillis;
  return services.peers.request(peer, "lookup", command, timeout);
}

/** Lists keys (atProtocol, the scan verb). */
export const scan: Verb = {
  name: "scan",
  accepts: (command) => command.startsWith("scan"),
  auth: "none",
  grammar:
    /^scan(?::showhidden:(?<showhidden>true|false))?(?::(?<forAtSign>@[^:@\s]+))?(?::page:(?<page>\d+))?(?: +(?<regex>\S+))?$/is,
  usage: "scan[:showhidden:<true|false>][:@<atSign>][ <regex>]",
  async run(args, session, services) {
    const peer = args.forAtSign === undefined ? undefined : normalizeAtSign(args.forAtSign);
    if (peer !== undefined && peer !== services.atSign) {
      return data(await scanPeer(peer, args.regex, session, services));
    }
    const showHidden = args.showhidden?.toLowerCase() === "true";
    return data(JSON.stringify(await listKeys(session, showHidden, args.regex, services)));
  },
};
