// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Applicant,
  applicant,
  approval,
  parameters,
  request,
} from "./conformance/applicant.ts";
import { data } from "./conformance/items.ts";
import { payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

type State = "pending" | "approved" | "denied" | "revoked" | "expired";
type Operation = "approve" | "deny" | "revoke" | "unrevoke" | "delete";

const states: State[] = ["pending", "approved", "denied", "revoked", "expired"];
const operations: Operation[] = ["approve", "deny", "revoke", "unrevoke", "delete"];

/** Where each operation leads from which state; everything else is refused. */
const transitions: Record<Operation, Partial<Record<State, string>>> = {
  approve: { pending: "approved" },
  deny: { pending: "denied" },
  revoke: { approved: "revoked" },
  unrevoke: { revoked: "approved" },
  delete: { denied: "deleted", revoked: "deleted" },
};

const PENDING_LIFE = 172_800_000;

describe("the states of an enrollment", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let now = 1_700_000_000_000;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now, enrollmentMaxRequests: 1_000 });
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  const command = (operation: Operation, id: string): string =>
    operation === "approve" ? approval(id) : `enroll:${operation}:{"enrollmentId":"${id}"}`;
  const change = (operation: Operation, { id }: Applicant, line = owner): Promise<string> =>
    line.ask(command(operation, id));
  const stateOf = async ({ id }: Applicant): Promise<unknown> => {
    const reply = await owner.ask(`enroll:fetch:{"enrollmentId":"${id}"}`);
    return (payloadOf(reply) as { status: string }).status;
  };

  /** An enrollment in a state. */
  async function inState(state: State, namespaces = { wavi: "rw" }): Promise<Applicant> {
    const one = await applicant(
      owner,
      namespaces,
      state === "expired" ? { apkamKeysExpiryInMillis: 1_000 } : {},
    );
    if (state === "denied") await change("deny", one);
    if (state === "approved" || state === "revoked" || state === "expired") {
      await change("approve", one);
    }
    if (state === "revoked") await change("revoke", one);
    if (state === "expired") now += 1_001;
    expect(await stateOf(one)).toBe(state);
    return one;
  }

  const cases = operations.flatMap((operation) =>
    states.map((state): [Operation, State] => [operation, state]),
  );

  it.each(cases)("%s, %s", async (operation, state) => {
    const one = await inState(state);
    const reply = await change(operation, one);
    const to = transitions[operation][state];
    if (to === "deleted") {
      expect(payloadOf(reply)).toEqual({ enrollmentId: one.id, status: to });
      expect(await owner.ask(`enroll:fetch:{"enrollmentId":"${one.id}"}`)).toMatch(
        /^error:AT0015-/,
      );
    } else if (to !== undefined) {
      expect(payloadOf(reply)).toEqual({ status: to, enrollmentId: one.id });
      expect(await stateOf(one)).toBe(to);
    } else if (state === "expired") {
      expect(reply).toBe(`error:AT0028:enrollment_id: ${one.id} is expired or invalid\n@alice@`);
    } else {
      const failed = `error:AT0011-Internal server exception : Failed to ${operation} enrollment id: ${one.id}`;
      expect(reply.startsWith(failed)).toBe(true);
      expect(await stateOf(one)).toBe(state);
    }
  });

  it("a request waits two days", async () => {
    const one = await inState("pending");
    now += PENDING_LIFE;
    expect(await stateOf(one)).toBe("pending");
    now += 1;
    expect(await change("approve", one)).toMatch(/^error:AT0028:/);
  });

  it("approval ends the waiting time, and begins the life that was asked for", async () => {
    const lasting = await inState("approved");
    now += 10 * PENDING_LIFE;
    expect(await lasting.refusal(alice)).toBe(data("success"));
    const timed = await applicant(owner, { wavi: "rw" }, { apkamKeysExpiryInMillis: 5_000 });
    now += 60_000;
    await change("approve", timed);
    now += 5_000;
    expect(await timed.refusal(alice)).toBe(data("success"));
    now += 1;
    expect(await timed.refusal(alice)).toMatch(/^error:AT0028:/);
  });

  it("of two decisions that come together one counts", async () => {
    for (let round = 0; round < 5; round++) {
      const one = await inState("pending");
      const other = await alice.owner();
      const replies = await Promise.all([change("approve", one), change("deny", one, other)]);
      expect(replies.filter((reply) => reply.startsWith("data:"))).toHaveLength(1);
      other.close();
    }
  });

  it("deleting an old one leaves its successor's public key", async () => {
    const old = await inState("revoked");
    const asked = parameters({ wavi: "rw" }, { deviceName: old.deviceName });
    const { enrollmentId } = payloadOf(await owner.ask(request(asked))) as {
      enrollmentId: string;
    };
    await owner.ask(approval(enrollmentId));
    await change("delete", old);
    const shown = `llookup:public:wavi.${old.deviceName}.pkam.__pkams.__public_keys@alice`;
    expect(payloadOf(await owner.ask(shown))).toEqual({ apkamPublicKey: asked.apkamPublicKey });
    await owner.ask(command("revoke", enrollmentId));
    await owner.ask(command("delete", enrollmentId));
    expect(await owner.ask(shown)).toMatch(/^error:AT0015-/);
  });

  it.each<[Record<string, string>, Record<string, string>, boolean]>([
    [{ wavi: "rw" }, { wavi: "rw" }, true],
    [{ wavi: "rw" }, { wavi: "r" }, true],
    [{ wavi: "r" }, { wavi: "r" }, true],
    [{ wavi: "r" }, { wavi: "rw" }, false],
    [{ wavi: "rw" }, { wavi: "r", buzz: "r" }, false],
    [{ wavi: "rw", buzz: "r" }, { wavi: "rw", buzz: "r" }, true],
    [{ buzz: "rw" }, { "at_contact.buzz": "rw" }, true],
    [{ "at_contact.buzz": "rw" }, { buzz: "r" }, false],
    [{ "*": "rw" }, { wavi: "rw", buzz: "rw" }, true],
    [{ "*": "r" }, { wavi: "rw" }, false],
    [{ wavi: "rw" }, { __manage: "r" }, true],
    [{ wavi: "rw" }, { "*": "r" }, false],
  ])("with %o and __manage a client decides about %o: %s", async (held, wanted, may) => {
    const manager = await applicant(owner, { ...held, __manage: "rw" });
    await change("approve", manager);
    const { line } = await manager.login(alice);
    const one = await applicant(owner, wanted);
    const reply = await line.ask(command("deny", one.id));
    if (may) expect(payloadOf(reply)).toEqual({ status: "denied", enrollmentId: one.id });
    else {
      expect(reply).toBe(
        `error:AT0011-Internal server exception : Failed to deny enrollment id: ${one.id}. Client is not authorized for namespaces in the enrollment request\n@alice@`,
      );
    }
    line.close();
  });
});
