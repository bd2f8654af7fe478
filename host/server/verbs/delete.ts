// SPDX-License-Identifier: BSD-3-Clause
import { withoutScope } from "../../wire/atkey.ts";
import { AtError, quoted } from "../../wire/errors.ts";
import { assertedInstant } from "../../wire/metadata.ts";
import { autoNotify } from "./autoNotify.ts";
import { commandKey } from "./commandKey.ts";
import type { Services } from "./services.ts";
import type { Verb } from "./verb.ts";

const SECRET = "privatekey:at_secret";

/** Records the atServer can't do without, and those its operator protects. */
function isProtected(key: string, services: Services): boolean {
  const name = withoutScope(key);
  const { atSign } = services;
  return [
    `signing_publickey${atSign}`,
    `signing_privatekey${atSign}`,
    `publickey${atSign}`,
    "at_pkam_publickey",
    ...services.protectedKeys,
  ].includes(name);
}

function removeSecret(services: Services): Promise<number> {
  const { records } = services;
  return records.store.write((writer) => {
    if (writer.record(SECRET) !== undefined) {
      records.putIn(writer, "privatekey:at_secret_deleted", "true");
    }
    return writer.remove(SECRET, false);
  });
}

/** Removes a record; one that isn't there counts as removed (atProtocol, the delete verb). */
export const remove: Verb = {
  name: "delete",
  accepts: (command) => command.startsWith("delete:"),
  auth: "owner",
  grammar:
    /^delete(?::dAt:(?<dAt>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z))?(?<nc>:nc)?(?<force>:force)?(?::priority:(?:low|medium|high))?(?<cached>:cached)?(?::(?:(?<publicScope>public)|@(?<forAtSign>[^:@\s]+)))?:(?<atKey>privatekey:at_secret|[^:@\s]+)(?:@(?<atSign>[^:@\s]+))?$/is,
  usage:
    "delete[:dAt:<instant>][:nc][:force][:priority:<priority>][:cached][:public|:@<atSign>]:<key>@<owner>",
  async run(args, session, services) {
    const cached = args.cached !== undefined;
    const key = commandKey({
      cached,
      public: args.publicScope !== undefined,
      sharedWith: args.forAtSign,
      atKey: args.atKey ?? "",
      owner: args.atSign,
    });
    if (!cached && isProtected(key, services)) {
      const name = withoutScope(key);
      throw new AtError("AT0009", `Cannot delete protected key: '${quoted(name)}'`);
    }
    services.authorization.demand(session, "delete", key, "remove");
    const held = services.records.active(key);
    if (held?.metadata.immutable && !cached && args.force === undefined) {
      throw new AtError("AT0011", "Immutable records may not be deleted");
    }
    const how = {
      forgotten: args.nc !== undefined,
      ...(args.dAt !== undefined && { removedAt: assertedInstant(args.dAt) }),
    };
    const commitId =
      key === SECRET ? await removeSecret(services) : await services.records.remove(key, how);
    if (key.startsWith("@")) await autoNotify(key, "delete", undefined, services);
    return { data: String(commitId), changed: { commitId, operation: "delete" } };
  },
};
