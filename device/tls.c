// SPDX-License-Identifier: BSD-3-Clause
#include "tls.h"

#include <string.h>

#include "entropy.h"
#include "hal.h"
#include "mbedtls/memory_buffer_alloc.h"
#include "mbedtls/platform.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"
#include "store.h"

// The link could not be opened, told apart from what TLS finds.
#define NO_LINK 1
// Most bytes of one record sent.
#define TLS_OUT_BYTES ((size_t)MBEDTLS_SSL_OUT_CONTENT_LEN)

static uint64_t heap[TLS_HEAP / 8];
static mbedtls_x509_crt trusted;
static mbedtls_ssl_config configuration;
static mbedtls_ssl_context tls;

// The last session with a server, to be resumed by its ticket.
typedef struct {
  uint32_t server;  // a hash of host and port; 0: none
  mbedtls_ssl_session session;
} Ticket;

// One for the atDirectory and one for the atServer: a reconnect asks both in turn.
#define TICKETS 2u

static struct {
  int is_open;       // a context is set up
  int is_connected;  // the handshake is done
  int error;
  size_t unsent;     // bytes of a record that was made and is not yet sent
  uint32_t server;
  unsigned oldest;   // of the tickets
  Ticket tickets[TICKETS];
  char host[256];
} state;

int mbedtls_print_nothing(const char *format, ...) {
  (void)format;
  return 0;
}

int mbedtls_fprint_nothing(FILE *file, const char *format, ...) {
  (void)file;
  (void)format;
  return 0;
}

int mbedtls_format_nothing(char *out, size_t cap, const char *format, ...) {
  (void)format;
  if (cap > 0) out[0] = '\0';
  return 0;
}

int mbedtls_vformat_nothing(char *out, size_t cap, const char *format, va_list values) {
  (void)format;
  (void)values;
  if (cap > 0) out[0] = '\0';
  return 0;
}

void mbedtls_stop(int code) {
  (void)code;
  hal_reboot();
}

static int send_bytes(void *context, const unsigned char *x, size_t len) {
  (void)context;
  const int count = hal_link_send(x, len);
  if (count == 0) return MBEDTLS_ERR_SSL_WANT_WRITE;
  return count < 0 ? MBEDTLS_ERR_SSL_CONN_EOF : count;
}

static int receive_bytes(void *context, unsigned char *out, size_t cap) {
  (void)context;
  const int count = hal_link_receive(out, cap);
  if (count == 0) return MBEDTLS_ERR_SSL_WANT_READ;
  return count < 0 ? MBEDTLS_ERR_SSL_CONN_EOF : count;
}

static int configure(void) {
  mbedtls_ssl_config_init(&configuration);
  if (mbedtls_ssl_config_defaults(&configuration, MBEDTLS_SSL_IS_CLIENT,
                                  MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
    return -1;
  }
  mbedtls_ssl_conf_min_version(&configuration, MBEDTLS_SSL_MAJOR_VERSION_3,
                               MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_authmode(&configuration, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_ca_chain(&configuration, &trusted, NULL);
  mbedtls_ssl_conf_rng(&configuration, entropy_for_tls, NULL);
  mbedtls_ssl_conf_session_tickets(&configuration, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#if TLS_IN_BYTES < 16384
  mbedtls_ssl_conf_max_frag_len(&configuration, MBEDTLS_SSL_MAX_FRAG_LEN_4096);
#endif
  return 0;
}

int tls_prepare(void) {
  mbedtls_memory_buffer_alloc_init((unsigned char *)heap, sizeof heap);
  return 0;
}

// Parses what it can; how many certificates those were.
static int parse_authorities(const uint8_t *authorities, size_t len) {
  int count = 0;
  for (size_t at = 0; at + 2 <= len;) {
    const size_t size = (size_t)authorities[at] << 8 | authorities[at + 1];
    if (size > len - at - 2) break;
    if (mbedtls_x509_crt_parse_der(&trusted, authorities + at + 2, size) == 0) count++;
    at += 2 + size;
  }
  return count;
}

int tls_start(int32_t (*read)(uint8_t *out, uint32_t cap), uint32_t cap) {
  mbedtls_x509_crt_init(&trusted);
  // The heap has room for it while there is no connection; the stack never needs it again.
  uint8_t *authorities = mbedtls_calloc(1, cap);
  if (!authorities) return -1;
  const int32_t len = read(authorities, cap);
  const int count = len > 0 ? parse_authorities(authorities, (size_t)len) : 0;
  mbedtls_free(authorities);
  return count > 0 ? configure() : -1;
}

static Ticket *ticket_of(uint32_t server) {
  for (unsigned i = 0; i < TICKETS; i++) {
    if (state.tickets[i].server == server) return &state.tickets[i];
  }
  return NULL;
}

static void drop_ticket(Ticket *ticket) {
  if (ticket->server != 0) mbedtls_ssl_session_free(&ticket->session);
  ticket->server = 0;
}

// Begins the handshake on the open link.
static int set_up(void) {
  mbedtls_ssl_init(&tls);
  state.is_open = 1;
  int error = mbedtls_ssl_setup(&tls, &configuration);
  if (error == 0) error = mbedtls_ssl_set_hostname(&tls, state.host);
  Ticket *ticket = ticket_of(state.server);
  // A session that can't be offered costs a full handshake, no more.
  if (error == 0 && ticket && mbedtls_ssl_set_session(&tls, &ticket->session) != 0) {
    drop_ticket(ticket);
  }
  mbedtls_ssl_set_bio(&tls, NULL, send_bytes, receive_bytes, NULL);
  return error;
}

int tls_open(const char *host, uint16_t port) {
  const size_t len = strlen(host);
  tls_close();
  state.error = NO_LINK;
  if (len >= sizeof state.host) return -1;
  memcpy(state.host, host, len + 1);
  // Two servers with one hash refuse each other's ticket, which costs nothing but a full handshake.
  state.server = crc32(port, (const uint8_t *)host, (uint32_t)len) | 1u;
  return hal_link_open(host, port);
}

static void keep_session(void) {
  Ticket *ticket = ticket_of(state.server);
  if (!ticket) {
    ticket = &state.tickets[state.oldest];
    state.oldest = (state.oldest + 1) % TICKETS;
  }
  drop_ticket(ticket);
  mbedtls_ssl_session_init(&ticket->session);
  if (mbedtls_ssl_get_session(&tls, &ticket->session) == 0) ticket->server = state.server;
  else mbedtls_ssl_session_free(&ticket->session);
}

int tls_step(void) {
  if (state.is_connected) return TLS_OPEN;
  if (!state.is_open) {
    const int link = hal_link_state();
    if (link == HAL_LINK_OPENING) return TLS_PENDING;
    if (link != HAL_LINK_OPEN) return TLS_FAILED;
    state.error = set_up();
    if (state.error != 0) return TLS_FAILED;
  }
  const int result = mbedtls_ssl_handshake(&tls);
  if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) {
    return TLS_PENDING;
  }
  if (result != 0) {
    state.error = result;
    return TLS_FAILED;
  }
  keep_session();
  state.is_connected = 1;
  return TLS_OPEN;
}

static int waits(int result) {
  return result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE;
}

int tls_send(const uint8_t *x, size_t len) {
  if (!state.is_connected) return -1;
  // A record that was made counts for what was in it, whatever is offered meanwhile.
  const int result = mbedtls_ssl_write(&tls, x, state.unsent > 0 ? state.unsent : len);
  if (waits(result)) {
    if (state.unsent == 0) state.unsent = len < TLS_OUT_BYTES ? len : TLS_OUT_BYTES;
    return 0;
  }
  state.unsent = 0;
  return result;
}

int tls_receive(uint8_t *out, size_t cap) {
  if (!state.is_connected) return -1;
  const int result = mbedtls_ssl_read(&tls, out, cap);
  if (waits(result)) return 0;
  if (result > 0) return result;
  // The peer's close is an end like any other.
  state.error = result == 0 || result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY
                    ? MBEDTLS_ERR_SSL_CONN_EOF
                    : result;
  return -1;
}

void tls_close(void) {
  if (state.is_connected) mbedtls_ssl_close_notify(&tls);
  if (state.is_open) mbedtls_ssl_free(&tls);
  state.is_open = 0;
  state.is_connected = 0;
  state.unsent = 0;
  hal_link_close();
}

const char *tls_failure(void) {
  switch (state.error) {
    case NO_LINK: return "no connection to the host";
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED: return "its certificate is not for this host or not trusted";
    case MBEDTLS_ERR_SSL_CONN_EOF: return "the other side broke the connection";
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: return "the other side refused the handshake";
    case MBEDTLS_ERR_SSL_ALLOC_FAILED: return "the TLS heap is too small";
    case MBEDTLS_ERR_SSL_INVALID_RECORD: return "a record is longer than this device takes";
    default: return "the handshake failed";
  }
}

uint32_t tls_heap_most(void) {
  size_t bytes;
  size_t blocks;
  mbedtls_memory_buffer_alloc_max_get(&bytes, &blocks);
  // Each block has a header of its own.
  return (uint32_t)(bytes + blocks * 8 * sizeof(void *));
}

uint32_t tls_heap_size(void) { return sizeof heap; }
