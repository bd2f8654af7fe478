// SPDX-License-Identifier: BSD-3-Clause
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { metadataToJson } from "../../wire/metadata.ts";
import type { Services } from "./services.ts";
import { data, type Verb } from "./verb.ts";

/** A public record of the own atSign as `lookup:all` shows it; null when there is none. */
function publicRecord(name: string, { atSign, records }: Services): Record<string, unknown> | null {
  const key = `public:${name}${atSign}`;
  const record = records.active(key);
  if (record === undefined) return null;
  return { key, data: record.value, metaData: metadataToJson(record.metadata) };
}

/** Says who is asked for, and gets that atSign's public keys (atProtocol, the to verb of newer atServers). */
export const to: Verb = {
  name: "to",
  accepts: (command) => command.startsWith("to:"),
  auth: "none",
  grammar: /^to:(?<atSign>@?[^:@\s]+)$/i,
  usage: "to:@<atSign>",
  run(args, _session, services) {
    const atSign = normalizeAtSign(args.atSign ?? "");
    if (atSign !== services.atSign) {
      throw new AtError("AT0007", `${atSign} is not hosted on this atServer`);
    }
    const publickey = publicRecord("publickey", services);
    const signing = publicRecord("signing_publickey", services);
    return data(JSON.stringify({ publickey, signing_publickey: signing }));
  },
};
