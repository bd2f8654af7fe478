// SPDX-License-Identifier: BSD-3-Clause
import type { CommitEntry, StoredRecord } from "../../store/store.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { lists } from "../access/rights.ts";
import { type Session, standing } from "../access/session.ts";
import { KeyFilter } from "../records/keyFilter.ts";
import { fromPortions, jsonArray, portions } from "../records/portions.ts";
import { isActive } from "../records/records.ts";
import { limited } from "./concurrencyLimit.ts";
import type { Services } from "./services.ts";
import { type Arguments, data, type Verb } from "./verb.ts";

function isListed(key: string, showHidden: boolean): boolean {
  if (/^(?:private:|privatekey:)/.test(key)) return false;
  if (key.startsWith("public:__") || key.startsWith("_")) return showHidden;
  return !key.startsWith("public:_");
}

type Shown = (key: string) => string | undefined;

/** Where the keys that a connection may list begin, and the form it gets one in, undefined for one it doesn't get. */
function listedTo(
  session: Session,
  showHidden: boolean,
  services: Services,
): { prefix: string; shown: Shown } {
  switch (standing(session)) {
    case "owner":
      return { prefix: "", shown: ownersKey(session, showHidden, services) };
    case "peer": {
      const prefix = `${session.peer}:`;
      return { prefix, shown: (key) => key.slice(prefix.length) };
    }
    case "anonymous": {
      const prefix = "public:";
      return {
        prefix,
        shown: (key) => (key[prefix.length] === "_" ? undefined : key.slice(prefix.length)),
      };
    }
  }
}

function ownersKey(session: Session, showHidden: boolean, services: Services): Shown {
  const rights = services.authorization.rights(session);
  return (key) => {
    const isSeen = rights === undefined || lists(rights, key);
    return isSeen && isListed(key, showHidden) ? key : undefined;
  };
}

/** The active keys a connection may list, each filtered by its stored form. */
function keysFor(
  session: Session,
  showHidden: boolean,
  filter: KeyFilter | undefined,
  services: Services,
): AsyncGenerator<string, void, undefined> {
  const { store } = services.records;
  const { prefix, shown } = listedTo(session, showHidden, services);
  const now = services.now();
  function* listed(portion: Iterable<[string, StoredRecord]>): Iterable<string> {
    for (const [key, { metadata }] of portion) {
      const form = isActive(metadata, now) ? shown(key) : undefined;
      if (form !== undefined && filter?.test(key) !== false) yield form;
    }
  }
  const stored = portions(
    (after: string) => store.records(prefix, after),
    ([key]) => key,
    "",
  );
  return jsonArray(fromPortions(session, stored, listed));
}

/** The commit log's entries of keys the owner's scan shows, deleted ones too, ascending. */
function commitsFor(
  session: Session,
  showHidden: boolean,
  filter: KeyFilter | undefined,
  services: Services,
): AsyncGenerator<string, void, undefined> {
  const { store } = services.records;
  const shown = ownersKey(session, showHidden, services);
  function* listed(portion: Iterable<CommitEntry>): Iterable<unknown> {
    for (const { key, operation, commitId, time } of portion) {
      if (shown(key) === undefined || filter?.test(key) === false) continue;
      yield { atKey: key, operation, commitId, opTime: new Date(time).toISOString() };
    }
  }
  const entries = portions(
    (id: number) => store.commitsAfter(id),
    ({ commitId }) => commitId,
    -1,
  );
  return jsonArray(fromPortions(session, entries, listed));
}

async function filterOf({ regex }: Arguments): Promise<KeyFilter | undefined> {
  return regex === undefined ? undefined : await KeyFilter.parse(regex);
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
      return { pieces: commitsFor(session, showHidden, await filterOf(args), services) };
    }
    if (away) {
      return data(await scanPeer(peer, args.regex, session, services));
    }
    const pieces = keysFor(session, showHidden, await filterOf(args), services);
    return { pieces: limited(session, pieces, services.lists) };
  },
};
