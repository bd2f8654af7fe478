// SPDX-License-Identifier: BSD-3-Clause
import { METADATA_GRAMMAR, parseMetadataFragment } from "../../wire/metadata.ts";
import { commandKey, demandOwner } from "./commandKey.ts";
import type { Verb } from "./verb.ts";
import { writeRecord } from "./writeRecord.ts";

/** Changes a record's metadata and keeps its value (atProtocol, the update:meta verb). */
export const updateMeta: Verb = {
  name: "update:meta",
  accepts: (command) => command.startsWith("update:meta:"),
  auth: "owner",
  grammar: new RegExp(
    `^update:meta(?::(?:(?<publicScope>public)|@(?<forAtSign>[^:@\\s]+)))?:(?<atKey>[^:@][^:@]+)@(?<atSign>[^:@\\s]+)${METADATA_GRAMMAR}$`,
    "is",
  ),
  usage: "update:meta[:public|:@<atSign>]:<key>@<owner>:<metadata>",
  async run(args, session, services) {
    demandOwner(args.atSign, services.atSign);
    const options = parseMetadataFragment(args.metadata ?? "");
    const key = commandKey({
      public: args.publicScope !== undefined,
      sharedWith: args.forAtSign,
      atKey: args.atKey ?? "",
      owner: args.atSign,
    });
    return writeRecord(key, null, options, { metadataOnly: true }, session, services);
  },
};
