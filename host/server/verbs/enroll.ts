// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import {
  accessTo,
  type Decision,
  decideEnrollment,
  demandAuthority,
} from "../enrollmentDecision.ts";
import { type EnrollmentParameters, mandatory, parseParameters } from "../enrollmentParameters.ts";
import { requestEnrollment } from "../enrollmentRequest.ts";
import type { FoundEnrollment } from "../enrollments.ts";
import { keyNotFound } from "../records.ts";
import type { Session } from "../session.ts";
import { data, type Services, type Verb } from "../verb.ts";

/** What list and fetch show of an enrollment. */
function describe({ enrollment, state }: FoundEnrollment): Record<string, unknown> {
  return {
    appName: enrollment.appName,
    deviceName: enrollment.deviceName,
    namespace: enrollment.namespaces,
    encryptedAPKAMSymmetricKey: enrollment.encryptedAPKAMSymmetricKey ?? null,
    status: state,
  };
}

/** Everything for the owner and for managing enrollments, otherwise only the caller's own. */
function isVisible(found: FoundEnrollment, session: Session, services: Services): boolean {
  const namespaces = services.authorization.namespaces(session);
  return namespaces === undefined || "__manage" in namespaces || found.id === session.enrollmentId;
}

function list(
  parameters: EnrollmentParameters,
  session: Session,
  services: Services,
): Record<string, unknown> {
  const wanted = parameters.enrollmentStatusFilter;
  const found = services.enrollments
    .list()
    .filter((each) => isVisible(each, session, services))
    .filter(({ state }) => wanted === undefined || wanted.includes(state));
  return Object.fromEntries(found.map((each) => [each.key, describe(each)]));
}

function fetch(
  parameters: EnrollmentParameters,
  session: Session,
  services: Services,
): Record<string, unknown> {
  const id = mandatory(parameters, "enrollmentId", "enroll:fetch");
  const found = services.enrollments.get(id);
  if (found === undefined || !isVisible(found, session, services)) {
    throw keyNotFound(services.enrollments.key(id));
  }
  return describe(found);
}

/** The approved enrollments that may read a namespace, for who may read it too. Throws AT0009. */
function listNamespace(
  namespace: string,
  session: Session,
  services: Services,
): Record<string, unknown>[] {
  if (!/^[\w.-]+$/.test(namespace)) throw new AtError("AT0003", `Invalid syntax. ${enroll.usage}`);
  const own = services.authorization.namespaces(session);
  if (own !== undefined && accessTo(own, namespace) === undefined) {
    throw new AtError(
      "AT0009",
      `Connection with enrollment ID ${session.enrollmentId} is not authorized to list namespace: ${namespace}`,
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
  const found = services.enrollments.demand(id);
  demandAuthority("delete", found, session, services);
  if (found.state !== "denied" && found.state !== "revoked") {
    throw new AtError(
      "AT0011",
      `Failed to delete enrollment id: ${id} | Cause: Cannot delete ${found.state} enrollments. Only denied and revoked enrollments can be deleted`,
    );
  }
  await services.enrollments.remove(found);
  return { enrollmentId: id, status: "deleted" };
}

function run(
  operation: string,
  parameters: EnrollmentParameters,
  force: boolean,
  session: Session,
  services: Services,
): Promise<Record<string, unknown>> | Record<string, unknown> {
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
