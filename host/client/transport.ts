// SPDX-License-Identifier: BSD-3-Clause
import type { Duplex } from "node:stream";
import type { Address } from "../net/address.ts";

/** Opens a byte stream to an atServer or atDirectory; rejects with AtError AT0021 or AT0023. */
export type Transport = (address: Address, timeoutMillis: number) => Promise<Duplex>;
