// SPDX-License-Identifier: BSD-3-Clause
import type { StoredRecord } from "../../store/store.ts";
import { canonicalKey, namedKey } from "../../wire/atkey.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { metadataToJson } from "../../wire/metadata.ts";
import { type Session, standing } from "../access/session.ts";
import type { Services } from "./services.ts";
import { data, type Reply, recordPayload, type Verb } from "./verb.ts";

/** A value that names another record; spaces in front of it are not part of its name. */
const REFERENCE = /^\s*atsign:\/\/(.*)$/s;

/** Prefix of the records a connection reads: everybody's, the peer's, the owner's own. */
function prefixFor(session: Session, services: Services): string {
  switch (standing(session)) {
    case "anonymous":
      return "public:";
    case "peer":
      return `${session.peer}:`;
    case "owner":
      return `${services.atSign}:`;
  }
}

/** Follows values that name another record; null when they go on too long or lead nowhere the session may read. */
function resolve(
  value: string | null,
  prefix: string,
  session: Session,
  services: Services,
): string | null {
  const { authorization, records } = services;
  const read = (key: string): StoredRecord | undefined =>
    authorization.allows(session, key, "read") ? records.active(key) : undefined;
  let current = value;
  for (let depth = 0; ; depth++) {
    const [, reference] = REFERENCE.exec(current ?? "") ?? [];
    if (reference === undefined) return current;
    if (depth === services.tuning.lookupDepthOfResolution) return null;
    const name = canonicalKey(reference.trim());
    const found = read(prefix + name) ?? records.active(`public:${name}`);
    current = found?.value ?? null;
  }
}

function localReply(
  operation: string | undefined,
  key: string,
  record: StoredRecord | undefined,
  prefix: string,
  session: Session,
  services: Services,
): Reply {
  if (record === undefined) return data(null);
  const resolved = { ...record, value: resolve(record.value, prefix, session, services) };
  return data(recordPayload(operation, key, resolved, metadataToJson(record.metadata)));
}

/** Reads a record as the connection may see it: public, shared with the peer, or of another atSign (atProtocol, lookup). */
export const lookup: Verb = {
  name: "lookup",
  accepts: (command) => command.startsWith("lookup:"),
  auth: "none",
  grammar:
    /^lookup:(?:bypassCache:(?<bypassCache>true|false):)?(?:(?<operation>meta|all):)?(?<atKey>[^:].*)@(?<atSign>[^:@\s]+)$/is,
  usage: "lookup:[bypassCache:<true|false>:][meta:|all:]<key>@<owner>",
  async run(args, session, services) {
    const owner = normalizeAtSign(args.atSign ?? "");
    const name = canonicalKey(args.atKey ?? "");
    const prefix = prefixFor(session, services);
    const key = namedKey(`${prefix}${name}${owner}`);
    const isAnonymous = standing(session) === "anonymous" && owner === services.atSign;
    // A record comes first, whatever a peer wants a proof to be called.
    if (isAnonymous && services.records.get(key) === undefined) {
      const proof = services.proofs.take(key, () => session.peerCertificate());
      if (proof !== undefined) return data(proof);
    }
    services.authorization.demand(session, "lookup", key, "read");
    if (!name.startsWith("_")) services.records.logAccess(owner, "lookup", `${name}${owner}`);
    if (standing(session) === "owner" && owner !== services.atSign) {
      const bypass = args.bypassCache?.toLowerCase() === "true";
      const found = await services.remote.shared(name, owner, bypass);
      const metadata = metadataToJson(found.record.metadata);
      return data(recordPayload(args.operation, found.key, found.record, metadata));
    }
    return localReply(args.operation, key, services.records.demand(key), prefix, session, services);
  },
};
