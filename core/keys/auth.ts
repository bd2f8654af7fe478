// SPDX-License-Identifier: BSD-3-Clause
// The answer to a login challenge. atProtocol: the pkam verb; ecc_secp256r1 signs hex(r || s),
// rsa2048 as it is.
import { bytesHex, bytesWipe } from "../bytes";
import { ecdsaSign } from "../crypto/p256/ecdsa";
import { pkcs1Sign } from "../crypto/rsa/pkcs1";
import { sha256 } from "../crypto/sha256";
import { KEY_WORK, KEY_WORK_LEN } from "../memory";
import { Status } from "../status";
import { requestPkam } from "../wire/request";
import { PKAM_P256, PKAM_RSA } from "../wire/words";
import {
  KEYRING_P256,
  keyringCanLogin,
  keyringHas,
  keyringId,
  keyringIdLen,
  keyringRsa,
  keyringScalar,
} from "./keyring";

const DIGEST: usize = KEY_WORK + 256;

/** Writes the pkam request that answers this challenge: the length of the line, or negative. */
export function authRequest(challenge: usize, len: u32): i32 {
  if (!keyringCanLogin()) return Status.NotEnrolled;
  const p256 = keyringHas(KEYRING_P256);
  sha256(DIGEST, challenge, len);
  const status = p256 ? signP256() : pkcs1Sign(KEY_WORK, DIGEST, 32, keyringRsa());
  const line =
    status < 0
      ? status
      : requestPkam(
          p256 ? PKAM_P256 : PKAM_RSA,
          keyringId(),
          keyringIdLen(),
          KEY_WORK,
          p256 ? 128 : 256,
        );
  bytesWipe(KEY_WORK, KEY_WORK_LEN);
  return line;
}

// 128 hexadecimal digits at KEY_WORK.
function signP256(): i32 {
  const signature = KEY_WORK + 128;
  const status = ecdsaSign(signature, DIGEST, keyringScalar());
  if (status < 0) return status;
  bytesHex(KEY_WORK, signature, 64);
  return 0;
}
