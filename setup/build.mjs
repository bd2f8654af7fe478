// SPDX-License-Identifier: BSD-3-Clause
import { ensure } from "./ensure.mjs";

ensure();
