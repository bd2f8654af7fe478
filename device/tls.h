// SPDX-License-Identifier: BSD-3-Clause
// One TLS 1.2 client connection over the link of hal.h. Nothing waits; the handshake's steps compute for up to some
// hundred milliseconds each on a small chip.
#ifndef DEVICE_TLS_H
#define DEVICE_TLS_H

#include <stddef.h>
#include <stdint.h>

#define TLS_PENDING 0
#define TLS_OPEN 1
#define TLS_FAILED (-1)

// Makes the heap. Once, before anything of mbedTLS. 0.
int tls_prepare(void);
// Reads the trusted certificates: DER, each preceded by its length in two bytes, big-endian; `read` answers how many
// bytes of them it put into out, at most cap. Once, after tls_prepare. 0, or negative: there is none that can be read.
int tls_start(int32_t (*read)(uint8_t *out, uint32_t cap), uint32_t cap);
// Begins to connect; the certificate has to be for the host. 0 begun, negative.
int tls_open(const char *host, uint16_t port);
// Goes on connecting: TLS_PENDING, TLS_OPEN or TLS_FAILED.
int tls_step(void);
// Bytes taken (0: none now), negative: the connection is gone. The same bytes have to be offered again after 0.
int tls_send(const uint8_t *x, size_t len);
// Bytes received (0: none now), negative: the connection is gone.
int tls_receive(uint8_t *out, size_t cap);
// Ends the connection and wipes its keys; nothing when there is none.
void tls_close(void);
// Why the last connection failed, in words for the log.
const char *tls_failure(void);

// Most bytes of the TLS heap in use at a time so far.
uint32_t tls_heap_most(void);
// Bytes of the TLS heap in all.
uint32_t tls_heap_size(void);

#endif
