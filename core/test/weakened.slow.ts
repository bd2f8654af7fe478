// SPDX-License-Identifier: BSD-3-Clause
// Each attack of session/attacks.ts against a core that lacks the defence: it has to succeed, or the test of it tests nothing.
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { traced } from "./engine/trace.ts";
import { ATTACKS } from "./session/attacks.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is taken out: the file below core/session or core/keys, its text, and what stands there instead. */
type Weakness = readonly [file: string, text: string, instead: string];

const TAG: Weakness = [
  "session/peers/sealed.ts",
  "bytesEqual(SEAL_OUT, SHARE_IV + NUMBER_LEN, TAG_LEN) !== 0",
  "true",
];
const POLICY: Weakness = [
  "session/peers/trust.ts",
  "if (!peer || !peersHas(peer, PEER_LISTED)) return others;",
  "if (peer) return true;",
];
const SEAL: Weakness = [
  "session/peers/peer.ts",
  "if (peersHas(peer, PEER_PROVISIONED)) return Status.NotAuthentic;",
  "",
];
const PIN: Weakness = [
  "keys/share.ts",
  "if (!same && (known || peersHas(peer, PEER_PROVISIONED))) return Status.PeerKeyChanged;",
  "",
];
const ANSWER: Weakness = ["session/enroll.ts", "if (!good) return Status.NotAuthentic;", ""];
const REPLAY: Weakness = [
  "session/peers/numbers.ts",
  "if (counter <= last) return counter === last ? 0 : Status.NotAuthentic;",
  "if (counter > 0xfffffff) return last;",
];

const WEAKNESSES: Record<keyof typeof ATTACKS, readonly Weakness[]> = {
  "a key of the server's own as my copy of the key for a peer": [SEAL],
  "my copy of an older key brought back": [
    [
      "session/peers/peer.ts",
      "const lower = !sealed || bytesLoad32(seal) < bytesLoad32(peer + PEER_GENERATION);",
      "const lower = !sealed;",
    ],
  ],
  "my copy of a key made for the peer's former public key": [SEAL],
  "a value that was changed on its way": [TAG],
  "a command again under a new id": [REPLAY],
  "an earlier command after a later one": [REPLAY],
  "a recording replayed to the device's replacement": [
    [
      "session/peers/issue.ts",
      "if (status >= 0) status = storedRenew",
      "if (own) memory.copy(peer + PEER_EPOCH, own + EPOCH_AT, 16);\n    peersSet(peer, PEER_ISSUED);\n    if (!own) status = storedRenew",
    ],
  ],
  "a recording replayed after a client found no place": [
    ["session/peers/numbers.ts", ": Status.NoRoom;", ": accept(place * PLACES, n, 0, now);"],
  ],
  "a value under a key of the server's own": [POLICY],
  "a value that isn't encrypted": [
    [
      "session/monitor.ts",
      "if (status >= 0 && isPlain && !configIs(Config.Plaintext)) status = Status.NotEncrypted;",
      "",
    ],
  ],
  "a fetched key of the server's own in the place of the known one": [
    ["keys/share.ts", "return peersHas(peer, PEER_LISTED | PEER_ISSUED | PEER_IN)", "return false"],
  ],
  "a record sent as a command": [TAG],
  "a record served for another": [TAG],
  "the public key of a peer with a fingerprint exchanged": [PIN],
  "the public key of a peer exchanged after the first use": [PIN],
  "no proof from a peer who gave one before": [POLICY],
  "an own copy of what is issued that the server wrote": [],
  "the own copy of another peer's key in the place of this one's": [TAG],
  "the own copy of what is issued rolled back or hidden": [
    [
      "session/peers/issue.ts",
      "const issued = peersHas(peer, PEER_ISSUED);",
      "const issued = own !== 0;",
    ],
  ],
  "an answer to a coded enrollment with another self key": [ANSWER],
  "an answer to a coded enrollment by one who doesn't have the code": [],
};

async function weakened(weaknesses: readonly Weakness[]): Promise<WebAssembly.Module> {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-weakened-"));
  try {
    const filter = (path: string) => !path.startsWith(join(root, "core/test"));
    cpSync(join(root, "core"), join(folder, "core"), { recursive: true, filter });
    cpSync(join(root, "asconfig.json"), join(folder, "asconfig.json"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    for (const [file, text, instead] of weaknesses) {
      const path = join(folder, "core", file);
      const source = readFileSync(path, "utf8");
      if (!source.includes(text)) throw new Error(`${file} has no ${text}`);
      writeFileSync(path, source.replace(text, instead));
    }
    await promisify(execFile)(process.execPath, [join(root, "setup/core.mjs"), folder]);
    return new WebAssembly.Module(readFileSync(join(folder, "build/primitives.wasm")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("every attack has its weakness", () => {
  expect(Object.keys(WEAKNESSES)).toEqual(Object.keys(ATTACKS));
});

for (const [name, weaknesses] of Object.entries(WEAKNESSES)) {
  // What stops the others is that the attacker lacks a key: there is no line to take out.
  test.skipIf(weaknesses.length === 0)(
    `not stopped without its defence: ${name}`,
    async () => {
      const module = await weakened(weaknesses);
      const attack = ATTACKS[name];
      const succeeded = await attack?.({ name: "v8", open: async (hal) => traced(module, hal) });
      expect(succeeded).toBe(true);
    },
    120_000,
  );
}
