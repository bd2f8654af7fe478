// SPDX-License-Identifier: BSD-3-Clause
// mbedTLS 2.28 as a TLS 1.2 client: ECDHE with ECDSA or RSA certificates, AES-GCM, SHA-256. One for all boards.
// Set by the build: TLS_IN_BYTES, the largest record taken (4,096 asks the server for max_fragment_length; 16,384 is
// for servers that do not know it).
#ifndef DEVICE_MBEDTLS_CONFIG_H
#define DEVICE_MBEDTLS_CONFIG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

// What mbedTLS prints and formats is for people at a terminal: nothing of it is needed (tls.c).
int mbedtls_print_nothing(const char *format, ...);
int mbedtls_fprint_nothing(FILE *file, const char *format, ...);
int mbedtls_format_nothing(char *out, size_t cap, const char *format, ...);
int mbedtls_vformat_nothing(char *out, size_t cap, const char *format, va_list values);
// The heap found itself damaged: restarts.
void mbedtls_stop(int code);

// The heap is ours (tls.c); no C library allocator is linked.
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_PRINTF_MACRO mbedtls_print_nothing
#define MBEDTLS_PLATFORM_FPRINTF_MACRO mbedtls_fprint_nothing
#define MBEDTLS_PLATFORM_SNPRINTF_MACRO mbedtls_format_nothing
#define MBEDTLS_PLATFORM_VSNPRINTF_MACRO mbedtls_vformat_nothing
#define MBEDTLS_PLATFORM_EXIT_MACRO mbedtls_stop
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_MEMORY_DEBUG
#define MBEDTLS_MEMORY_ALIGN_MULTIPLE sizeof(void *)

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 512
#define MBEDTLS_MPI_WINDOW_SIZE 2
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
// Without the table of the base point: 1.6 kB less heap for 20 ms more.
#define MBEDTLS_ECP_WINDOW_SIZE 2
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15

#define MBEDTLS_OID_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C

#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_GCM_C
#define MBEDTLS_CIPHER_C
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_NO_PLATFORM_ENTROPY

#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_SSL_CIPHERSUITES                         \
  MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,       \
      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,     \
      MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,   \
      MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
#define MBEDTLS_SSL_IN_CONTENT_LEN TLS_IN_BYTES
#define MBEDTLS_SSL_OUT_CONTENT_LEN 2048

#include "mbedtls/check_config.h"

#endif
