// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import { jsonLimits, parseJson } from "../../wire/json.ts";
import { type Metadata, type MetadataOptions, metadataFromJson } from "../../wire/metadata.ts";

/** Reads what a peer answers to `lookup:all`; undefined for `null`. Throws AT0011 for anything else. */
export function parseLookupAnswer(
  answer: string,
): { value: string | null; metadata: Metadata } | undefined {
  if (answer === "null") return undefined;
  try {
    const json = parseJson(answer, jsonLimits.answer);
    if (typeof json === "object" && json !== null) {
      const { data, metaData } = json as Record<string, unknown>;
      const metadata =
        typeof metaData === "object" && metaData !== null
          ? metadataFromJson(metaData as Record<string, unknown>)
          : {};
      if (typeof data === "string" || data === null) return { value: data, metadata };
    }
  } catch (cause) {
    throw new AtError("AT0011", "The peer's answer can't be read", { cause });
  }
  throw new AtError("AT0011", "The peer's answer can't be read");
}

/** What of a peer's metadata a cached copy keeps. */
export function cacheOptions(metadata: Metadata): MetadataOptions {
  const { ttl, ttr, ccd, isBinary, isEncrypted, dataSignature, sharedKeyEnc, pubKeyCS } = metadata;
  const { pubKeyHash, encoding, encKeyName, encAlgo, ivNonce } = metadata;
  const { skeEncKeyName, skeEncAlgo, appMetadata } = metadata;
  return {
    ttl: ttl ?? 0,
    ttr: ttr ?? null,
    ccd: ccd ?? false,
    isBinary: isBinary ?? false,
    isEncrypted: isEncrypted ?? false,
    dataSignature: dataSignature ?? null,
    sharedKeyEnc: sharedKeyEnc ?? null,
    pubKeyCS: pubKeyCS ?? null,
    pubKeyHash: pubKeyHash ?? null,
    encoding: encoding ?? null,
    encKeyName: encKeyName ?? null,
    encAlgo: encAlgo ?? null,
    ivNonce: ivNonce ?? null,
    skeEncKeyName: skeEncKeyName ?? null,
    skeEncAlgo: skeEncAlgo ?? null,
    appMetadata: appMetadata ?? null,
  };
}
