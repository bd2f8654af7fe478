// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { directoryStoreSuite } from "./suite.ts";

const path = mkdtempSync(join(tmpdir(), "atmicro-directory-"));

directoryStoreSuite("LMDB", async () => openDirectoryStore(path));

afterAll(() => rmSync(path, { recursive: true }));
