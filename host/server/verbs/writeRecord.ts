// SPDX-License-Identifier: BSD-3-Clause
import { keyType, parseAtKey } from "../../wire/atkey.ts";
import { AtError } from "../../wire/errors.ts";
import type { MetadataOptions } from "../../wire/metadata.ts";
import { takesAway } from "../access/rights.ts";
import type { Session } from "../access/session.ts";
import type { WriteOptions } from "../records/records.ts";
import { autoNotify } from "./autoNotify.ts";
import type { Services } from "./services.ts";
import type { Reply } from "./verb.ts";

/** What update and update:meta share: may it, is it a key, write, tell the other atSign (atProtocol, the update verb). */
export async function writeRecord(
  key: string,
  value: string | null,
  options: MetadataOptions,
  how: WriteOptions,
  session: Session,
  services: Services,
): Promise<Reply> {
  services.authorization.demand(session, "update", key, "write");
  // Without an entry in the commit log it is there for nobody who syncs.
  if (takesAway(options) || how.forgotten) {
    services.authorization.demand(session, "update", key, "remove");
  }
  const type = keyType(key);
  if (!["selfKey", "sharedKey", "publicKey", "reservedKey"].includes(type)) {
    throw new AtError("AT0016", `You may not update keys of type KeyType.${type}`);
  }
  const { ttln: _life, ...kept } = options;
  const commitId = await services.records.put(key, value, kept, how);
  if (parseAtKey(key).sharedWith !== undefined) {
    await autoNotify(key, "update", how.metadataOnly ? undefined : (value ?? undefined), services);
  }
  return { data: String(commitId), changed: { commitId, operation: "update" } };
}
