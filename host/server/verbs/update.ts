// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";
import {
  METADATA_GRAMMAR,
  type MetadataOptions,
  metadataFromJson,
  parseMetadataFragment,
} from "../../wire/metadata.ts";
import type { Session } from "../access/session.ts";
import type { WriteOptions } from "../records/records.ts";
import { commandKey, demandOwner } from "./commandKey.ts";
import type { Services } from "./services.ts";
import type { Reply, Verb } from "./verb.ts";
import { writeRecord } from "./writeRecord.ts";

interface JsonUpdate {
  atKey: string;
  value: string | null;
  sharedBy: string;
  sharedWith?: string;
  isPublic: boolean;
  options: MetadataOptions;
}

function illegal(text: string, cause?: unknown): never {
  throw new AtError("AT0022", text, { cause });
}

function parseObject(json: string): Record<string, unknown> {
  try {
    const value = parseJson(json, jsonLimits.command);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    illegal(`update:json needs a JSON object, and this ${cause.message}`, cause);
  }
  return illegal("update:json needs a JSON object");
}

function jsonOptions(metadata: Record<string, unknown>): MetadataOptions {
  const parsed = metadataFromJson(metadata);
  const { createdBy: _c, updatedBy: _u, createdAt: _ca, updatedAt: _ua, ...values } = parsed;
  const {
    availableAt: _a,
    expiresAt: _e,
    refreshAt: _r,
    status: _s,
    version: _v,
    ...rest
  } = values;
  return { ...rest, ttl: rest.ttl ?? 0, ttb: rest.ttb ?? 0, ttr: rest.ttr ?? 0 };
}

function parseJsonUpdate(json: string): JsonUpdate {
  const { atKey, value, sharedBy, sharedWith, metadata } = parseObject(json);
  if (typeof atKey !== "string" || typeof sharedBy !== "string") {
    illegal("update:json needs atKey and sharedBy");
  }
  if (typeof metadata !== "object" || metadata === null) illegal("update:json needs metadata");
  const described = metadata as Record<string, unknown>;
  for (const name of ["isPublic", "isBinary", "isEncrypted"]) {
    if (typeof described[name] !== "boolean") illegal(`metadata.${name} has to be true or false`);
  }
  const options = jsonOptions(described);
  if ((options.ttl ?? 0) < 0 || (options.ttb ?? 0) < 0 || (options.ttr ?? 0) < -1) {
    throw new AtError("AT0003", "Invalid syntax. ttl, ttb or ttr is out of range");
  }
  return {
    atKey,
    value: typeof value === "string" ? value : null,
    sharedBy,
    ...(typeof sharedWith === "string" && { sharedWith }),
    isPublic: described.isPublic === true,
    options,
  };
}

function updateJson(
  json: string,
  how: WriteOptions,
  session: Session,
  services: Services,
): Promise<Reply> {
  const update = parseJsonUpdate(json);
  demandOwner(update.sharedBy, services.atSign);
  const key = commandKey({
    public: update.isPublic,
    sharedWith: update.sharedWith,
    atKey: update.atKey,
    owner: update.sharedBy,
  });
  return writeRecord(key, update.value, update.options, how, session, services);
}

/** Writes a record (atProtocol, the update verb). */
export const update: Verb = {
  name: "update",
  accepts: (command) => command.startsWith("update:") && !command.startsWith("update:meta"),
  auth: "owner",
  grammar: new RegExp(
    `^update(?<nc>:nc)?(?::json:(?<json>.+)|${METADATA_GRAMMAR}(?::(?:(?<publicScope>public)|@(?<forAtSign>[^:@\\s]+)))?:(?<atKey>privatekey:at_pkam_publickey|[^:@\\s]+)(?:@(?<atSign>[^:@\\s]+))? (?<value>.+))$`,
    "is",
  ),
  usage: "update[:nc][:<metadata>][:public|:@<atSign>]:<key>@<owner> <value>",
  async run(args, session, services) {
    const how = { forgotten: args.nc !== undefined };
    if (args.json !== undefined) return updateJson(args.json, how, session, services);
    demandOwner(args.atSign, services.atSign);
    const options = parseMetadataFragment(args.metadata ?? "");
    const key = commandKey({
      public: args.publicScope !== undefined,
      sharedWith: args.forAtSign,
      atKey: args.atKey ?? "",
      owner: args.atSign,
    });
    return writeRecord(key, args.value ?? null, options, how, session, services);
  },
};
