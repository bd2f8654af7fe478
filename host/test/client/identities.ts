// SPDX-License-Identifier: BSD-3-Clause
import { type AtKeys, parseKeyFile } from "../../crypto/keyFile.ts";
import { readVectors } from "../crypto/vectors.ts";

type Fields = Record<string, string>;
const files = readVectors<{ fullApkamFile: Fields; minimalLegacyFile: { content: Fields } }>(
  "07-atkeys-file",
);

/** The identities of the interoperability vectors. */
export const alpha: AtKeys = parseKeyFile(JSON.stringify(files.fullApkamFile), "@alpha", "alpha");
export const bravo: AtKeys = parseKeyFile(
  JSON.stringify(files.minimalLegacyFile.content),
  "@bravo",
  "bravo",
);
