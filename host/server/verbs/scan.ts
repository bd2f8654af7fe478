// SPDX-License-Identifier: BSD-3-Clause
import type { CommitEntry } from "../../store/store.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { decidingNamespace } from "../authorization.ts";
import { visitCommitsAfter } from "../commitLog.ts";
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

/** The commit log's entries of keys the owner's scan shows, deleted ones too, ascending. */
async function listCommits(
  session: Session,
  showHidden: boolean,
  regex: string | undefined,
  services: Services,
): Promise<Record<string, unknown>[]> {
  const namespaces = services.authorization.namespaces(session);
  const entries = new Map<string, CommitEntry>();
  await visitCommitsAfter(services.records.store, -1, (entry) => {
    const { key } = entry;
    const seen = namespaces === undefined || isEnrolled(key, namespaces);
    if (seen && isListed(key, showHidden)) entries.set(key, entry);
    return true;
  });
  const keys = [...entries.keys()];
  const matching = new Set(regex === undefined ? keys : await filterKeys(keys, regex));
  return [...entries.values()]
    .filter(({ key }) => matching.has(key))
    .map(({ key, operation, commitId, time }) => ({
      atKey: key,
      operation,
      commitId,
      opTime: new Date(time).toISOString(),
    }));
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
    /^scan(?<cl>:cl)?(?::showhidden:(?<showhidden>true|false))?(?::(?<forAtSign>@[^:@\s]+))?(?::page:(?<page>\d+))?(?: +(?<regex>\S+))?$/is,
  usage: "scan[:cl][:showhidden:<true|false>][:@<atSign>][ <regex>]",
  async run(args, session, services) {
    const showHidden = args.showhidden?.toLowerCase() === "true";
    const peer = args.forAtSign === undefined ? undefined : normalizeAtSign(args.forAtSign);
    const away = peer !== undefined && peer !== services.atSign;
    if (args.cl !== undefined) {
      if (!session.owner) {
        throw new AtError("AT0401", "Scan of the commit log cannot be performed without auth");
      }
      if (away) throw new AtError("AT0003", "Invalid syntax. scan:cl lists the own commit log");
      const entries = await listCommits(session, showHidden, args.regex, services);
      return data(JSON.stringify(entries));
    }
    if (away) {
      return data(await scanPeer(peer, args.regex, session, services));
    }
    return data(JSON.stringify(await listKeys(session, showHidden, args.regex, services)));
  },
};
