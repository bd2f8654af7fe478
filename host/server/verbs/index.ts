// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import type { Session } from "../access/session.ts";
import { batchWith } from "./batch.ts";
import { config } from "./config.ts";
import { cram } from "./cram.ts";
import { remove } from "./delete.ts";
import { enroll } from "./enroll.ts";
import { from } from "./from.ts";
import { info } from "./info.ts";
import { keys } from "./keys.ts";
import { llookup } from "./llookup.ts";
import { lookup } from "./lookup.ts";
import { monitor } from "./monitor.ts";
import { noop } from "./noop.ts";
import { notify } from "./notify.ts";
import { notifyAll } from "./notifyAll.ts";
import { notifyFetch } from "./notifyFetch.ts";
import { notifyList } from "./notifyList.ts";
import { notifyRemove } from "./notifyRemove.ts";
import { notifyStatus } from "./notifyStatus.ts";
import { otp } from "./otp.ts";
import { pkam } from "./pkam.ts";
import { plookup } from "./plookup.ts";
import { pol } from "./pol.ts";
import { scan } from "./scan.ts";
import type { Services } from "./services.ts";
import { stats } from "./stats.ts";
import { stream } from "./stream.ts";
import { sync } from "./sync.ts";
import { to } from "./to.ts";
import { update } from "./update.ts";
import { updateMeta } from "./updateMeta.ts";
import type { Reply, Verb } from "./verb.ts";

/** Every verb, in the protocol's order of dispatch: the first that accepts a command gets it. */
export const verbs: readonly Verb[] = [
  from,
  cram,
  pkam,
  update,
  updateMeta,
  llookup,
  plookup,
  lookup,
  scan,
  pol,
  remove,
  stats,
  config,
  monitor,
  stream,
  notify,
  notifyList,
  batchWith(execute),
  notifyStatus,
  notifyAll,
  sync,
  info,
  noop,
  notifyRemove,
  notifyFetch,
  enroll,
  otp,
  keys,
  to,
];

/** What commands of no verb are counted as. */
const UNKNOWN = "unknown";

function match(verb: Verb, command: string): RegExpExecArray {
  try {
    const found = verb.grammar.exec(command);
    if (found !== null) return found;
  } catch (cause) {
    // The engine's stack of choices can't hold the longest lines of some shapes.
    if (!(cause instanceof RangeError)) throw cause;
    throw new AtError("AT0003", `Invalid syntax. ${verb.usage}`, { cause });
  }
  throw new AtError("AT0003", `Invalid syntax. ${verb.usage}`);
}

/**
 * Whether a normalised command may start before the command in front of it, also such a one, is answered: it writes one
 * record or one notification, and what it reads none of them has changed.
 */
export function mayOverlap(command: string): boolean {
  if (update.accepts(command)) return !command.includes(".__");
  return notify.accepts(command) && !/^notify:(?:[^@]*:)?(?:delete|ttr):/i.test(command);
}

/** Verbs that answer with what is stored, however long it is. */
const telling: ReadonlySet<Verb> = new Set([
  llookup,
  plookup,
  lookup,
  sync,
  notifyFetch,
  enroll,
  keys,
]);

/** Whether the answer to a normalised command may be as long as a line, and is made as a whole. */
export function mayBeLong(command: string): boolean {
  const verb = verbs.find((candidate) => candidate.accepts(command));
  return verb !== undefined && telling.has(verb);
}

/** Runs a normalised command: finds its verb, demands the login it needs, then reads its grammar. */
export async function execute(
  command: string,
  session: Session,
  services: Services,
): Promise<Reply> {
  const verb = verbs.find((candidate) => candidate.accepts(command));
  const count = services.counters.verb(verb?.name ?? UNKNOWN);
  count.commands += 1;
  try {
    if (verb === undefined) throw new AtError("AT0003", "invalid command");
    if (verb.auth === "owner" && !session.owner) {
      throw new AtError("AT0401", "Command cannot be executed without auth");
    }
    return await verb.run(match(verb, command).groups ?? {}, session, services);
  } catch (error) {
    count.fail(error instanceof AtError ? error.code : "AT0010");
    throw error;
  }
}
