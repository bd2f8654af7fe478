// SPDX-License-Identifier: BSD-3-Clause

#include "native.h"

#include <string.h>

#include "probeBoard.h"
#include "mbedtls/aes.h"
#include "mbedtls/ecdh.h"
#include "mbedtls/ecdsa.h"
#include "mbedtls/rsa.h"
#include "mbedtls/sha256.h"

/** Deterministic: a benchmark is repeated with the same blinding. Never used for keys. */
static int count(void *context, unsigned char *out, size_t len) {
    uint32_t *next = context;
    for (size_t i = 0; i < len; i++) {
        *next = *next * 1664525u + 1013904223u;
        out[i] = (unsigned char)(*next >> 24);
    }
    return 0;
}

static uint32_t next = 1;
static uint64_t started;

static void start(void) { started = probe_board_count(); }

static int64_t counted(int status) {
    uint64_t now = probe_board_count();
    return status != 0 ? status : (int64_t)(now - started);
}

typedef struct Curve {
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi scalar, r, s;
} Curve;

static int openCurve(Curve *curve) {
    mbedtls_ecp_group_init(&curve->group);
    mbedtls_ecp_point_init(&curve->point);
    mbedtls_mpi_init(&curve->scalar);
    mbedtls_mpi_init(&curve->r);
    mbedtls_mpi_init(&curve->s);
    return mbedtls_ecp_group_load(&curve->group, MBEDTLS_ECP_DP_SECP256R1);
}

static void closeCurve(Curve *curve) {
    mbedtls_ecp_group_free(&curve->group);
    mbedtls_ecp_point_free(&curve->point);
    mbedtls_mpi_free(&curve->scalar);
    mbedtls_mpi_free(&curve->r);
    mbedtls_mpi_free(&curve->s);
}

static int64_t p256Sign(Curve *curve, const uint8_t *input) {
    int status = mbedtls_mpi_read_binary(&curve->scalar, input, 32);
    if (status != 0) return status;
    start();
    return counted(mbedtls_ecdsa_sign(&curve->group, &curve->r, &curve->s, &curve->scalar, input + 32, 32, count, &next));
}

static int64_t p256Verify(Curve *curve, const uint8_t *input) {
    int status = mbedtls_ecp_point_read_binary(&curve->group, &curve->point, input, 65);
    if (status == 0) status = mbedtls_mpi_read_binary(&curve->r, input + 97, 32);
    if (status == 0) status = mbedtls_mpi_read_binary(&curve->s, input + 129, 32);
    if (status != 0) return status;
    start();
    return counted(mbedtls_ecdsa_verify(&curve->group, input + 65, 32, &curve->point, &curve->r, &curve->s));
}

static int64_t p256Ecdh(Curve *curve, const uint8_t *input) {
    int status = mbedtls_mpi_read_binary(&curve->scalar, input, 32);
    if (status == 0) status = mbedtls_ecp_point_read_binary(&curve->group, &curve->point, input + 32, 65);
    if (status != 0) return status;
    start();
    return counted(mbedtls_ecdh_compute_shared(&curve->group, &curve->r, &curve->point, &curve->scalar, count, &next));
}

static int64_t onCurve(int64_t (*operation)(Curve *, const uint8_t *), const uint8_t *input) {
    Curve curve;
    int status = openCurve(&curve);
    int64_t result = status != 0 ? status : operation(&curve, input);
    closeCurve(&curve);
    return result;
}

static int64_t sha256Block(const uint8_t *input) {
    mbedtls_sha256_context context;
    mbedtls_sha256_init(&context);
    int status = mbedtls_sha256_starts_ret(&context, 0);
    start();
    if (status == 0) status = mbedtls_internal_sha256_process(&context, input);
    int64_t result = counted(status);
    mbedtls_sha256_free(&context);
    return result;
}

static int64_t aes256Block(const uint8_t *input) {
    uint8_t out[16];
    mbedtls_aes_context context;
    mbedtls_aes_init(&context);
    int status = mbedtls_aes_setkey_enc(&context, input, 256);
    start();
    if (status == 0) status = mbedtls_internal_aes_encrypt(&context, input + 32, out);
    int64_t result = counted(status);
    mbedtls_aes_free(&context);
    return result;
}

static int64_t rsaPrivate(const uint8_t *input) {
    uint8_t out[256];
    const uint8_t *n = input + 256, *e = n + 256, *p = e + 4, *q = p + 128, *d = e + 4 + 5 * 128;
    mbedtls_rsa_context context;
    mbedtls_rsa_init(&context, MBEDTLS_RSA_PKCS_V15, 0);
    int status = mbedtls_rsa_import_raw(&context, n, 256, p, 128, q, 128, d, 256, e, 4);
    if (status == 0) status = mbedtls_rsa_complete(&context);
    start();
    if (status == 0) status = mbedtls_rsa_private(&context, count, &next, input, out);
    int64_t result = counted(status);
    mbedtls_rsa_free(&context);
    return result;
}

static int64_t rsaPublic(const uint8_t *input) {
    uint8_t out[256];
    mbedtls_rsa_context context;
    mbedtls_rsa_init(&context, MBEDTLS_RSA_PKCS_V15, 0);
    int status = mbedtls_rsa_import_raw(&context, input + 256, 256, NULL, 0, NULL, 0, NULL, 0, input + 512, 4);
    if (status == 0) status = mbedtls_rsa_complete(&context);
    start();
    if (status == 0) status = mbedtls_rsa_public(&context, input, out);
    int64_t result = counted(status);
    mbedtls_rsa_free(&context);
    return result;
}

int64_t native_run(uint8_t operation, const uint8_t *input, uint32_t len) {
    static const uint16_t lengths[] = {0, 64, 161, 97, 64, 48, 1412, 516};
    if (operation == 0 || operation >= sizeof lengths / sizeof lengths[0] || len != lengths[operation]) return -1;
    switch (operation) {
        case NATIVE_P256_SIGN: return onCurve(p256Sign, input);
        case NATIVE_P256_VERIFY: return onCurve(p256Verify, input);
        case NATIVE_P256_ECDH: return onCurve(p256Ecdh, input);
        case NATIVE_SHA256_BLOCK: return sha256Block(input);
        case NATIVE_AES256_BLOCK: return aes256Block(input);
        case NATIVE_RSA2048_PRIVATE: return rsaPrivate(input);
        default: return rsaPublic(input);
    }
}
