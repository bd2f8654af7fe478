// SPDX-License-Identifier: BSD-3-Clause
// What a greenhouse does, whatever it is written in: steps, and what it submits after each.

export const PEER = "@alice";
export const SELF = "@greenhouse";
export const NAMESPACE = "green";
export const INTERVAL_MS = 1_000;
/** What its sensor measures. */
export const AIR = { temperatureC: 26.4, humidityPercent: 41 };

export interface Note {
  readonly key: string;
  readonly value: Uint8Array;
  readonly from: string;
  readonly isDelete: boolean;
  /** Bits of at.h. */
  readonly verdict: number;
}

/** What happens to it. */
export type Step =
  | { readonly kind: "ready"; readonly isReady: boolean }
  | { readonly kind: "note"; readonly note: Note }
  | { readonly kind: "pass"; readonly ms: number }
  /** The next operations can't be started: so many are refused. */
  | { readonly kind: "refuse"; readonly count: number }
  /** The operation that runs ends with this status. */
  | { readonly kind: "finish"; readonly status: number };

/** An operation it submits. */
export interface Operation {
  readonly kind: string;
  readonly key: string;
  readonly value: string;
  readonly ttlMs: number;
}

/** Runs the steps from the start of a device that is not ready; what was submitted after each. */
export type Runner = (steps: readonly Step[]) => Promise<readonly (readonly Operation[])[]>;

export interface Behaviour {
  readonly name: string;
  /** A step, and what is submitted after it. */
  readonly script: readonly (readonly [Step, ...Operation[]])[];
}

const start: Step = { kind: "ready", isReady: true };
const lost: Step = { kind: "ready", isReady: false };
const done: Step = { kind: "finish", status: 0 };
const failed: Step = { kind: "finish", status: -24 };
const pass = (ms: number): Step => ({ kind: "pass", ms });
const send = (value: string | Uint8Array, changes: Partial<Note> = {}): Step => ({
  kind: "note",
  note: {
    key: `${SELF}:command.${NAMESPACE}${PEER}`,
    value: typeof value === "string" ? Buffer.from(value) : value,
    from: PEER,
    isDelete: false,
    verdict: 15,
    ...changes,
  },
});
const faster = (id: number | string, ms = 300) => JSON.stringify({ id, set: "interval", ms });

const key = (name: string) => `${PEER}:${name}.${NAMESPACE}${SELF}`;
const reading = (n: number): Operation => ({
  ...{ kind: "notify", key: key("reading"), ttlMs: 0 },
  value: JSON.stringify({ n, ...AIR }),
});
const latest = (n: number, ttlMs = 60_000): Operation => ({
  ...{ kind: "put", key: key("latest"), ttlMs },
  value: JSON.stringify({ n, ...AIR }),
});
const reply = (value: string): Operation => ({
  kind: "notify",
  key: key("reply"),
  value,
  ttlMs: 0,
});
const obeyed = (id: string, intervalMs: number) =>
  reply(`{"id":${id},"ok":true,"intervalMs":${intervalMs}}`);
const refused = (id: string, error: string) =>
  reply(`{"id":${id},"ok":false,"error":${JSON.stringify(error)}}`);

const NOT_FLAT = "the command is not a flat JSON object";
const BAD_ID = "id must be a number or a text of at most 40 bytes as written";
const BAD_SET = 'set must be "interval"';
const BAD_MS = "ms must be a whole number from 200 to 3600000";

/** The device has sent its first reading and has nothing to do. */
const IDLE = [
  [start, reading(1)],
  [done, latest(1)],
  [done],
] as const satisfies Behaviour["script"];

const answers = (name: string, command: string | Uint8Array, answer: Operation): Behaviour => ({
  name,
  script: [...IDLE, [send(command), answer]],
});
const ignores = (name: string, changes: Partial<Note>): Behaviour => ({
  name,
  // The next reading comes when it would have come: the interval is what it was.
  script: [...IDLE, [send(faster(1), changes)], [pass(999)], [pass(1), reading(2)]],
});

const COMMANDS: readonly (readonly [command: string | Uint8Array, answer: Operation])[] = [
  [faster(3, 200), obeyed("3", 200)],
  [faster(3, 3_600_000), obeyed("3", 3_600_000)],
  [' { "ms" : 300 , "set" : "interval" , "id" : "x" , "more" : null } ', obeyed('"x"', 300)],
  ['{"id":12345678901234567890,"set":"interval","ms":300}', obeyed("12345678901234567890", 300)],
  ['{"id":-1.50e+3,"set":"interval","ms":300}', obeyed("-1.50e+3", 300)],
  ['{"id":"\\u00e9é\\"","set":"interval","ms":300}', obeyed('"\\u00e9é\\""', 300)],
  ['{"id":1,"set":"\\u0069nterval","m\\u0073":300}', obeyed("1", 300)],
  ['{"id":1,"id":2,"set":"interval","ms":1,"ms":300}', obeyed("2", 300)],
  [faster("i".repeat(38)), obeyed(`"${"i".repeat(38)}"`, 300)],
  [faster("i".repeat(39)), refused("null", BAD_ID)],
  [faster("é".repeat(19)), obeyed(`"${"é".repeat(19)}"`, 300)],
  [faster("é".repeat(20)), refused("null", BAD_ID)],
  ["no json", refused("null", NOT_FLAT)],
  ["", refused("null", NOT_FLAT)],
  ["null", refused("null", NOT_FLAT)],
  ["[1]", refused("null", NOT_FLAT)],
  ['{"id":1,"set":"interval","ms":300', refused("null", NOT_FLAT)],
  ['{"id":1,"set":"interval","ms":300}}', refused("null", NOT_FLAT)],
  ['{"id":1,"set":"interval","ms":0300}', refused("null", NOT_FLAT)],
  ['{"id":1,"set":"interval","ms":300,"more":[]}', refused("null", NOT_FLAT)],
  ['{"id":{},"id":1,"set":"interval","ms":300}', refused("null", NOT_FLAT)],
  ['{"id":1,"set":"interval","ms":300,"x":"\\ud800"}', refused("null", NOT_FLAT)],
  [Buffer.from('{"id":"\xe9","set":"interval","ms":300}', "latin1"), refused("null", NOT_FLAT)],
  [Buffer.from("\ufeff{}"), refused("null", NOT_FLAT)],
  ["{}", refused("null", BAD_ID)],
  ['{"id":null,"set":"interval","ms":300}', refused("null", BAD_ID)],
  ['{"id":true,"set":"interval","ms":300}', refused("null", BAD_ID)],
  ['{"id":1}', refused("1", BAD_SET)],
  ['{"id":1,"set":"reset","ms":300}', refused("1", BAD_SET)],
  ['{"id":1,"set":["interval"],"ms":300}', refused("null", NOT_FLAT)],
  ['{"id":1,"set":1,"ms":300}', refused("1", BAD_SET)],
  ['{"id":1,"set":"interval"}', refused("1", BAD_MS)],
  ['{"id":1,"set":"interval","ms":"300"}', refused("1", BAD_MS)],
  ['{"id":1,"set":"interval","ms":300.5}', refused("1", BAD_MS)],
  ['{"id":1,"set":"interval","ms":300.0}', refused("1", BAD_MS)],
  ['{"id":1,"set":"interval","ms":3e2}', refused("1", BAD_MS)],
  ['{"id":1,"set":"interval","ms":199}', refused("1", BAD_MS)],
  ['{"id":1,"set":"interval","ms":3600001}', refused("1", BAD_MS)],
  ['{"id":1,"set":"interval","ms":-300}', refused("1", BAD_MS)],
  ['{"id":1,"set":"interval","ms":4294967596}', refused("1", BAD_MS)],
  [`{"id":1,"set":"interval","ms":${"9".repeat(40)}}`, refused("1", BAD_MS)],
  [`{"id":1,"x":${"[".repeat(500)}`, refused("null", NOT_FLAT)],
];

export const behaviours: readonly Behaviour[] = [
  {
    name: "sends nothing before it is ready, then a reading, and keeps it as a record",
    script: [[pass(5_000)], [start, reading(1)], [done, latest(1)], [done]],
  },
  {
    name: "sends a reading an interval",
    script: [
      ...IDLE,
      [pass(999)],
      [pass(1), reading(2)],
      [done, latest(2)],
      [done],
      [pass(1_000), reading(3)],
    ],
  },
  {
    name: "makes one reading of those that were due while it could not send",
    script: [
      ...IDLE,
      [lost],
      [pass(10_000)],
      [start, reading(2)],
      [done, latest(2)],
      [done],
      [pass(999)],
    ],
  },
  {
    name: "waits for an operation that takes long, and then sends what is due",
    script: [[start, reading(1)], [pass(5_000)], [done, latest(1)], [done, reading(2)]],
  },
  {
    name: "goes on after operations that failed",
    script: [
      [start, reading(1)],
      [failed, latest(1)],
      [failed],
      [send(faster(1)), obeyed("1", 300)],
      [failed],
      [pass(300), reading(2)],
    ],
  },
  {
    name: "goes on after operations that could not be started",
    script: [
      [{ kind: "refuse", count: 2 }],
      [start],
      [pass(999)],
      [pass(1), reading(2)],
      [done, latest(2)],
      [done],
      [{ kind: "refuse", count: 1 }],
      [send(faster(1))],
      [send(faster(2)), obeyed("2", 300)],
    ],
  },
  {
    name: "counts the new interval from the command on, and keeps the record ten times as long, a minute at least",
    script: [
      ...IDLE,
      [pass(700)],
      [send(faster(1, 7_000)), obeyed("1", 7_000)],
      [done],
      [pass(6_999)],
      [pass(1), reading(2)],
      [done, latest(2, 70_000)],
    ],
  },
  {
    name: "replies before it keeps the record and reads again",
    script: [
      [start, reading(1)],
      [send(faster(1))],
      [pass(300)],
      [done, obeyed("1", 300)],
      [done, latest(1)],
      [done, reading(2)],
    ],
  },
  {
    name: "replies to every command, in their order, up to four that wait; a fifth is not obeyed",
    script: [
      [start, reading(1)],
      ...[1, 2, 3, 4, 5].map((id) => [send(faster(id, 1_000 * id))] as const),
      [done, obeyed("1", 1_000)],
      [done, obeyed("2", 2_000)],
      [send(faster(6, 6_000))],
      [done, obeyed("3", 3_000)],
      [done, obeyed("4", 4_000)],
      [done, obeyed("6", 6_000)],
      [done, latest(1)],
    ],
  },
  {
    name: "leaves the interval as it is when it refuses",
    script: [
      ...IDLE,
      [send('{"id":1,"set":"interval","ms":1}'), refused("1", BAD_MS)],
      [done],
      [pass(999)],
      [pass(1), reading(2)],
    ],
  },
  {
    name: "keeps a reply for the time when it is ready again",
    script: [...IDLE, [lost], [send(faster(1, 5_000))], [start, obeyed("1", 5_000)]],
  },
  ...COMMANDS.map(([command, answer]) =>
    answers(
      `answers ${Buffer.from(command as string)
        .toString("latin1")
        .slice(0, 60)}`,
      command,
      answer,
    ),
  ),
  ignores("ignores a command of another atSign", { from: "@mallory" }),
  ignores("ignores a command that was not encrypted", { verdict: 0 }),
  {
    name: "obeys what the core gives as a command, though nobody vouches for it",
    script: [...IDLE, [send(faster(1, 5_000), { verdict: 1 }), obeyed("1", 5_000)]],
  },
  ignores("ignores that a command was deleted", { isDelete: true }),
  ignores("ignores another name", { key: `${SELF}:order.${NAMESPACE}${PEER}` }),
  ignores("ignores another namespace", { key: `${SELF}:command.greenhouse${PEER}` }),
  ignores("ignores a key of another atSign", { key: `${SELF}:command.${NAMESPACE}@mallory` }),
  ignores("ignores a key for another atSign", { key: `@bob:command.${NAMESPACE}${PEER}` }),
  ignores("ignores a key for nobody", { key: `command.${NAMESPACE}${PEER}` }),
];
