// SPDX-License-Identifier: BSD-3-Clause
import { metadataToJson } from "../../wire/metadata.ts";
import { commandKey } from "./commandKey.ts";
import { data, recordPayload, type Verb } from "./verb.ts";

/** Reads a record of the own store exactly as named (atProtocol, the llookup verb). */
export const llookup: Verb = {
  name: "llookup",
  accepts: (command) => command.startsWith("llookup:"),
  auth: "owner",
  grammar:
    /^llookup(?::(?<operation>meta|all))?(?<cached>:cached)?(?::(?:(?<publicScope>public)|@(?<forAtSign>[^:@\s]+)))?:(?<atKey>[^:@](?:[^:@]|:(?!:))+|[^:@])@(?<atSign>[^:@\s]+)$/is,
  usage: "llookup[:meta|:all][:cached][:public|:@<atSign>]:<key>@<owner>",
  run(args, session, services) {
    const key = commandKey({
      cached: args.cached !== undefined,
      public: args.publicScope !== undefined,
      sharedWith: args.forAtSign,
      atKey: args.atKey ?? "",
      owner: args.atSign,
    });
    if (args.publicScope === undefined) {
      services.authorization.demand(session, "llookup", key, "read");
    }
    const record = services.records.demand(key);
    if (record === undefined) return data(null);
    return data(recordPayload(args.operation, key, record, metadataToJson(record.metadata)));
  },
};
