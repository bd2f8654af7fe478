// SPDX-License-Identifier: BSD-3-Clause
// ECDH on P-256 (SP 800-56A Rev. 3 §5.7.1.2; the curve's cofactor is 1).
import { ECDSA_ROOM } from "../../memory";
import { Status } from "../../status";
import { p256PointMul, p256Read, p256ScalarIsValid, p256Wipe } from "./p256";
import { p256FeToBytes } from "./p256Fe";

/** Writes x of priv32 * pub65, 32 secret bytes. BadPoint when the point or the scalar is not valid. */
export function ecdh(out32: usize, priv32: usize, pub65: usize): i32 {
  const point = ECDSA_ROOM;
  if (!p256ScalarIsValid(priv32)) return Status.BadPoint;
  const status = p256Read(point, pub65);
  if (status < 0) return status;
  p256FeToBytes(out32, p256PointMul(priv32, point), point);
  p256Wipe();
  return Status.Done;
}
