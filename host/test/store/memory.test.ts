// SPDX-License-Identifier: BSD-3-Clause
import { openMemoryStore } from "../../store/memory.ts";
import { storeSuite } from "./suite.ts";

storeSuite("memory", async (now) => openMemoryStore(now));
