// SPDX-License-Identifier: BSD-3-Clause
import { AtError, quoted } from "../../wire/errors.ts";
import type { FoundEnrollment } from "../access/enrollments.ts";
import { demandOtherWayIn, linkOwnerKeyIn, retireOwnerKeyIn } from "../access/ownerKey.ts";
import { MANAGE } from "../access/rights.ts";
import { actingEnrollment, type Session } from "../access/session.ts";
import { accessTo, demandAuthority, hasAuthority } from "../enrollment/authority.ts";
import { type Decision, decideEnrollment } from "../enrollment/decision.ts";
import { type EnrollmentParameters, mandatory, parseParameters } from "../enrollment/parameters.ts";
import { requestEnrollment } from "../enrollment/request.ts";
import { brief, rosterEntry, whole } from "../enrollment/views.ts";
import { keyNotFound } from "../records/records.ts";
import type { Services } from "./services.ts";
import { data, type Verb } from "./verb.ts";

/**
 * What list shows a connection of an enrollment: all of it to who has all rights, may change enrollments, or is it; who may
 * only look at enrollments sees nobody's keys; everybody else nothing.
 */
function shownIn(
  found: FoundEnrollment,
  session: Session,
  services: Services,
): Record<string, unknown> | undefined {
  const rights = services.authorization.rights(session);
  const manages = rights?.namespaces[MANAGE];
  if (rights === undefined || manages === "rw" || found.id === rights.id) return whole(found);
  return manages === undefined ? undefined : rosterEntry(found);
}

function list(
  parameters: EnrollmentParameters,
  session: Session,
  services: Services,
): Record<string, unknown> {
  const wanted = parameters.enrollmentStatusFilter;
  const found = services.enrollments
    .list()
    .filter(({ state }) => wanted === undefined || wanted.includes(state))
    .map((each) => [each.key, shownIn(each, session, services)] as const);
  return Object.fromEntries(found.filter(([, shown]) => shown !== undefined));
}

/** Throws AT0015 for an unknown enrollment, AT0009 for one the connection may not look into. */
function fetch(
  parameters: EnrollmentParameters,
  session: Session,
  services: Services,
): Record<string, unknown> {
  const id = mandatory(parameters, "enrollmentId", "enroll:fetch");
  const found = services.enrollments.get(id);
  if (found === undefined) throw keyNotFound(services.enrollments.key(id));
  if (found.id !== actingEnrollment(session) && !hasAuthority(found, session, services)) {
    throw new AtError(
      "AT0009",
      `Connection with enrollment ID ${session.enrollmentId} is not authorized to fetch enrollment: ${found.id}`,
    );
  }
  return brief(found);
}

/**
 * The approved enrollments that may read a namespace, for one of them. Throws AT0401 without an enrollment, AT0009 for a
 * namespace that isn't its own.
 */
function listNamespace(
  namespace: string,
  session: Session,
  services: Services,
): Record<string, unknown>[] {
  if (!/^[\w.-]+$/.test(namespace)) throw new AtError("AT0003", `Invalid syntax. ${enroll.usage}`);
  const own = services.authorization.namespaces(session);
  if (own === undefined) {
    throw new AtError("AT0401", "enroll:listns requires APKAM authentication");
  }
  if (accessTo(own, namespace) === undefined) {
    throw new AtError(
      "AT0009",
      `Connection with enrollment ID ${session.enrollmentId} is not authorized to list namespace: ${quoted(namespace)}`,
    );
  }
  return services.enrollments.list().flatMap(({ id, enrollment, state }) => {
    const access = accessTo(enrollment.namespaces, namespace);
    if (state !== "approved" || access === undefined) return [];
    const { apkamPublicKey, metadata = null } = enrollment;
    return [{ enrollmentId: id, access, apkamPubKey: apkamPublicKey, metadata }];
  });
}

async function remove(
  parameters: EnrollmentParameters,
  session: Session,
  services: Services,
): Promise<Record<string, unknown>> {
  const id = mandatory(parameters, "enrollmentId", "enroll:delete");
  const { enrollments, records } = services;
  await records.store.write((writer) => {
    const found = enrollments.demand(id);
    demandAuthority("delete", found, session, services);
    if (found.state !== "denied" && found.state !== "revoked") {
      throw new AtError(
        "AT0011",
        `Failed to delete enrollment id: ${id} | Cause: Cannot delete ${found.state} enrollments. Only denied and revoked enrollments can be deleted`,
      );
    }
    demandOtherWayIn(found, records, enrollments.list());
    linkOwnerKeyIn(writer, records, enrollments);
    enrollments.removeIn(writer, found);
    retireOwnerKeyIn(writer, records, enrollments.list());
  });
  return { enrollmentId: id, status: "deleted" };
}

function run(
  operation: string,
  parameters: EnrollmentParameters,
  force: boolean,
  session: Session,
  services: Services,
): Promise<object> | object {
  switch (operation) {
    case "request":
      return requestEnrollment(parameters, session, services);
    case "list":
      return list(parameters, session, services);
    case "fetch":
      return fetch(parameters, session, services);
    case "delete":
      return remove(parameters, session, services);
    default:
      return decideEnrollment(operation as Decision, parameters, force, session, services);
  }
}

/** Enrolling further clients (atProtocol, the enroll verb). */
export const enroll: Verb = {
  name: "enroll",
  accepts: (command) => command.startsWith("enroll:"),
  auth: "none",
  grammar:
    /^enroll:(?<operation>request|approve|deny|revoke|listns|list|fetch|unrevoke|delete)(?::(?<force>force))?:?(?<enrollParams>.+)?$/is,
  usage: "enroll:<operation>[:force]:<json> or enroll:listns:<namespace>",
  async run(args, session, services) {
    const operation = (args.operation ?? "").toLowerCase();
    if (operation !== "request" && !session.owner) {
      throw new AtError("AT0401", `Cannot ${operation} enrollment without authentication`);
    }
    if (args.enrollParams === undefined && operation !== "list") {
      throw new AtError("AT0022", "Enroll parameters not provided");
    }
    if (operation === "listns") {
      const namespace = (args.enrollParams ?? "").toLowerCase();
      return data(JSON.stringify(listNamespace(namespace, session, services)));
    }
    const parameters = parseParameters(args.enrollParams ?? "{}");
    const force = args.force !== undefined;
    return data(JSON.stringify(await run(operation, parameters, force, session, services)));
  },
};
