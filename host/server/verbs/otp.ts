// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import { MANAGE } from "../access/rights.ts";
import { actingEnrollment, type Session } from "../access/session.ts";
import type { Services } from "./services.ts";
import { data, type Verb } from "./verb.ts";

/** Passcodes admit new clients, so an enrollment needs `__manage` for them, and not to look only. */
function mayManage(session: Session, services: Services): boolean {
  const namespaces = services.authorization.namespaces(session);
  return namespaces === undefined || namespaces[MANAGE] === "rw";
}

/** Makes a one-time passcode or sets the semi-permanent one (atProtocol, the otp verb). */
export const otp: Verb = {
  name: "otp",
  accepts: (command) => command.startsWith("otp:"),
  auth: "owner",
  grammar: /^otp:(?<operation>get|put)(?::(?<otp>(?<=put:)\w{6,}))?(?::ttl:(?<ttl>\d+))?$/i,
  usage: "otp:get[:ttl:<ms>] or otp:put:<passcode>[:ttl:<ms>]",
  async run(args, session, services) {
    const maker = actingEnrollment(session);
    const ttl = args.ttl === undefined ? undefined : Number(args.ttl);
    if (args.operation?.toLowerCase() === "get") {
      if (!mayManage(session, services)) {
        const text = `Connection with enrollment ID ${session.enrollmentId} is not authorized to get an otp`;
        throw new AtError("AT0009", text);
      }
      return data(await services.passcodes.create(maker, ttl));
    }
    if (!mayManage(session, services)) {
      throw new AtError("AT0011", "Client not allowed to not store semi permanent pass code", {
        closes: true,
      });
    }
    if (args.otp === undefined) {
      throw new AtError("AT0011", "otp:put requires a passcode", { closes: true });
    }
    await services.passcodes.setPermanent(args.otp, maker, ttl);
    return data("ok");
  },
};
