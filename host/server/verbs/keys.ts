// SPDX-License-Identifier: BSD-3-Clause
import { namedKey, parseAtKey } from "../../wire/atkey.ts";
import { AtError, quoted } from "../../wire/errors.ts";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";
import type { Session } from "../access/session.ts";
import { portions } from "../records/portions.ts";
import { keyNotFound } from "../records/records.ts";
import type { Services } from "./services.ts";
import { type Arguments, data, type Reply, type Verb } from "./verb.ts";

const OPEN_NAMESPACE = "__global";

interface Caller {
  id: string;
  namespaces: Record<string, string>;
}

function caller(session: Session, services: Services): Caller {
  const id = session.enrollmentId;
  if (id === undefined) {
    throw new AtError("AT0011", "Keys verb cannot be accessed without an enrollmentId");
  }
  const found = services.enrollments.get(id);
  if (found?.state !== "approved") {
    const state = found?.state ?? "unknown";
    throw new AtError("AT0011", `Enrollment Id ${id} is not approved. current state: ${state}`);
  }
  return { id, namespaces: found.enrollment.namespaces };
}

function storedName(args: Arguments, services: Services): string | undefined {
  const { keyName, namespace, appName, deviceName, visibility } = args;
  const tail = `${namespace}${services.atSign}`;
  switch (visibility?.toLowerCase()) {
    case "public":
      return namedKey(`public:${keyName}.__public_keys.${tail}`);
    case "private":
      return namedKey(`private:${appName}.${deviceName}.${keyName}.__private_keys.${tail}`);
    case "self":
      return namedKey(`${appName}.${deviceName}.${keyName}.__self_keys.${tail}`);
    default:
      return undefined;
  }
}

function mayUse(namespace: string, { namespaces }: Caller): boolean {
  if (namespace === OPEN_NAMESPACE) return true;
  if (namespace === "__manage") return namespaces.__manage === "rw";
  // The others that begin so are the atServer's to give.
  if (namespace.startsWith("__")) return false;
  return (namespaces[namespace] ?? namespaces["*"]) === "rw";
}

function enrollmentOf(value: string | null): string | undefined {
  if (value === null || !value.startsWith("{")) return undefined;
  try {
    const { enrollmentId } = parseJson(value, jsonLimits.command) as Record<string, unknown>;
    return typeof enrollmentId === "string" ? enrollmentId : undefined;
  } catch (error) {
    // A record of such a name that wasn't put by this verb belongs to no enrollment.
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

const isStoredKey = (key: string): boolean =>
  /\.__(?:public|private|self)_keys\.\w+@[^@:]+$/.test(key);

/**
 * An enrolled client reaches its own default keys, keys it put, and public ones. Throws AT0009 for all other names, whether
 * something is there or not; of names this verb gives, it says when nothing is.
 */
function demandOwnKey(key: string, { id }: Caller, verb: string, services: Services): void {
  const { enrollments, records } = services;
  if (
    verb === "get" &&
    [enrollments.privateKeyName(id), enrollments.selfKeyName(id)].includes(key)
  ) {
    return;
  }
  const value = records.get(key)?.value ?? null;
  if (isStoredKey(key)) {
    if (verb === "get" && key.startsWith("public:")) return;
    if (value === null || enrollmentOf(value) === id) return;
  }
  throw new AtError(
    "AT0009",
    `Connection with enrollment ID ${id} is not authorized to ${verb} key: ${quoted(key)}`,
  );
}

async function put(args: Arguments, who: Caller, services: Services): Promise<Reply> {
  const key = storedName(args, services);
  if (key === undefined) return data(null);
  const namespace = args.namespace ?? "";
  if (args.keyName === undefined || args.namespace === undefined) {
    throw new AtError("AT0003", `Invalid syntax. ${keys.usage}`);
  }
  if (!mayUse(namespace, who)) {
    throw new AtError(
      "AT0009",
      `Connection with enrollment ID ${who.id} is not authorized to put key: ${quoted(key)}`,
    );
  }
  const holder = enrollmentOf(services.records.get(key)?.value ?? null);
  if (holder !== undefined && holder !== who.id) demandOwnKey(key, who, "put", services);
  const value = JSON.stringify({
    value: args.keyValue ?? "",
    keyType: args.keyType,
    enrollmentId: who.id,
    encryptionKeyName: args.encryptionKeyName,
  });
  return data(String(await services.records.put(key, value, {}, { uncommitted: true })));
}

/** Keys that were put with this verb into the namespaces everybody has, as far as the caller put them. */
async function ownKeys(
  visibility: string,
  who: Caller,
  session: Session,
  services: Services,
): Promise<string[]> {
  const { store } = services.records;
  const manages = who.namespaces.__manage === "rw";
  const isOwn = (key: string, value: string | null): boolean => {
    const { namespace } = parseAtKey(key);
    const listed = namespace === OPEN_NAMESPACE || (manages && namespace === "__manage");
    return listed && key.includes(visibility) && isStoredKey(key) && enrollmentOf(value) === who.id;
  };
  const stored = portions(
    (after: string) => store.records("", after),
    ([key]) => key,
    "",
  );
  const names: string[] = [];
  for await (const portion of stored) {
    if (session.closed) break;
    for (const [key, { value }] of portion) if (isOwn(key, value)) names.push(key);
  }
  return names;
}

async function list(
  visibility: string | undefined,
  who: Caller,
  session: Session,
  services: Services,
): Promise<string[]> {
  if (visibility === undefined) return [];
  const names = await ownKeys(visibility, who, session, services);
  const { enrollments, records } = services;
  const own = {
    private: enrollments.privateKeyName(who.id),
    self: enrollments.selfKeyName(who.id),
  };
  const defaultKey =
    visibility === "private" || visibility === "self" ? own[visibility] : undefined;
  if (defaultKey !== undefined && records.get(defaultKey) !== undefined) names.push(defaultKey);
  return names;
}

async function get(
  args: Arguments,
  who: Caller,
  session: Session,
  services: Services,
): Promise<Reply> {
  if (args.keyName === undefined) {
    const names = await list(args.visibility?.toLowerCase(), who, session, services);
    return data(JSON.stringify(names));
  }
  const key = namedKey(args.keyName);
  demandOwnKey(key, who, "get", services);
  const record = services.records.active(key);
  if (record === undefined) throw new AtError("AT0015", `key ${quoted(key)} not found in keystore`);
  return data(record.value);
}

async function remove(args: Arguments, who: Caller, services: Services): Promise<Reply> {
  if (args.keyName === undefined) throw keyNotFound("");
  const key = namedKey(args.keyName);
  demandOwnKey(key, who, "delete", services);
  return data(String(await services.records.remove(key, { uncommitted: true })));
}

/** Keys of enrolled clients (atProtocol, the keys verb). */
export const keys: Verb = {
  name: "keys",
  accepts: (command) => command.startsWith("keys:"),
  auth: "owner",
  grammar:
    /^keys:(?<operation>put|get|delete):?(?:(?<visibility>public|private|self):?)?(?:namespace:(?<namespace>\w+):?)?(?:appName:(?<appName>\w+):?)?(?:deviceName:(?<deviceName>\w+):?)?(?:keyType:(?<keyType>[\w-]+):?)?(?:encryptionKeyName:(?<encryptionKeyName>[\w-]+):?)?(?:keyName:(?<keyName>\S+) ?)?(?<keyValue>.*)?$/is,
  usage: "keys:<put|get|delete>[:<visibility>][:namespace:<namespace>]…[:keyName:<name>][ <value>]",
  async run(args, session, services) {
    const who = caller(session, services);
    switch (args.operation?.toLowerCase()) {
      case "put":
        return put(args, who, services);
      case "get":
        return get(args, who, session, services);
      default:
        return remove(args, who, services);
    }
  },
};
