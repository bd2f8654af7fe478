// SPDX-License-Identifier: BSD-3-Clause
import { canonicalKey, namedKey } from "../../wire/atkey.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { metadataToJson } from "../../wire/metadata.ts";
import { data, recordPayload, type Verb } from "./verb.ts";

/** Reads another atSign's public record (atProtocol, the plookup verb). */
export const plookup: Verb = {
  name: "plookup",
  accepts: (command) => command.startsWith("plookup:"),
  auth: "owner",
  grammar:
    /^plookup:(?:bypassCache:(?<bypassCache>true|false):)?(?:(?<operation>meta|all):)?(?<atKey>[^@\s]+)@(?<atSign>[^:@\s]+)$/is,
  usage: "plookup:[bypassCache:<true|false>:][meta:|all:]<key>@<owner>",
  async run(args, _session, services) {
    const owner = normalizeAtSign(args.atSign ?? "");
    const name = canonicalKey(args.atKey ?? "");
    namedKey(`public:${name}${owner}`);
    const bypass = args.bypassCache?.toLowerCase() === "true";
    services.records.logAccess(owner, "plookup", `${name}${owner}`);
    const { key, record } = await services.remote.public(name, owner, bypass);
    return data(recordPayload(args.operation, key, record, metadataToJson(record.metadata)));
  },
};
