// SPDX-License-Identifier: BSD-3-Clause
// Imported before anything else, so that it holds while the rest is loaded.
import { setFlagsFromString } from "node:v8";
import { optimizeLate } from "./nodeFlags.ts";

setFlagsFromString(optimizeLate);
