// SPDX-License-Identifier: BSD-3-Clause
// The export list, and only that: the whole ABI on one screen. snake_case crosses the wasm boundary.
// Pointers are offsets in linear memory, lengths are bytes, text is UTF-8. Results as in status.ts.

export { io_len, io_ptr, memory_used, scratch_len, scratch_ptr } from "./abi/memory";
export {
  accelerator_probe,
  aes256_encrypt,
  aes256_expand,
  aes_ctr_crypt,
  aes_schedule_len,
  drbg_generate,
  drbg_reseed,
  drbg_seed,
  hmac_ctx_len,
  hmac_final,
  hmac_init,
  hmac_update,
  pkcs7_pad,
  pkcs7_unpad,
  sha256_ctx_len,
  sha256_final,
  sha256_hash,
  sha256_init,
  sha256_update,
  sha512_ctx_len,
  sha512_final,
  sha512_hash,
  sha512_init,
  sha512_update,
} from "./abi/symmetric";
