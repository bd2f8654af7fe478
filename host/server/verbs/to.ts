// SPDX-License-Identifier: BSD-3-Clause
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { data, type Verb } from "../verb.ts";

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
    const publicValue = (name: string): string | null =>
      services.records.active(`public:${name}${atSign}`)?.value ?? null;
    return data(
      JSON.stringify({
        publickey: publicValue("publickey"),
        signing_publickey: publicValue("signing_publickey"),
      }),
    );
  },
};
