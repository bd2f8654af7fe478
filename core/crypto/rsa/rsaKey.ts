// SPDX-License-Identifier: BSD-3-Clause
// Where the parts of an RSA-2048 key lie. Every field is big-endian and left-padded with zeros to its full size.
// A private key begins with its public key, so a pointer to one serves as the other (RFC 8017 §3).

/** Bytes of the modulus and of every block encrypted or signed. */
export const RSA_LEN: u32 = 256;
/** Bytes of one prime and of each CRT part. */
export const RSA_HALF: u32 = 128;

export const RSA_N: u32 = 0;
export const RSA_E: u32 = 256;
export const RSA_P: u32 = 260;
export const RSA_Q: u32 = 388;
/** d mod (p - 1) */
export const RSA_DP: u32 = 516;
/** d mod (q - 1) */
export const RSA_DQ: u32 = 644;
/** q^-1 mod p */
export const RSA_QINV: u32 = 772;
/** Only to write PKCS#8 again; arithmetic uses the CRT parts. */
export const RSA_D: u32 = 900;

/** Bytes of a public key: n, e. */
export const RSA_PUBLIC: u32 = 260;
/** Bytes of a private key: n, e, p, q, dp, dq, qinv, d. */
export const RSA_PRIVATE: u32 = 1156;
