// SPDX-License-Identifier: BSD-3-Clause
// mbedTLS as the native anchors use it: portable C, the fast forms of P-256, the S-box tables in flash.

#ifndef ATMICRO_ENGINE_ANCHORS_H
#define ATMICRO_ENGINE_ANCHORS_H

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_PLATFORM_C

#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 256
#define MBEDTLS_MPI_WINDOW_SIZE 2

#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_WINDOW_SIZE 4
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 1
#define MBEDTLS_ECP_NO_INTERNAL_RNG
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C

#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_OID_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C

#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES

#include "mbedtls/check_config.h"

#endif
