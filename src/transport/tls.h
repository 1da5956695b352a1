/*
 * transport/tls.h
 *		What went wrong with TLS, in words that tell who is to mend what.
 */
#ifndef DUN_TRANSPORT_TLS_H
#define DUN_TRANSPORT_TLS_H

#include "postgres.h"

#include <curl/curl.h>

/* NULL where it was not about TLS. `error` is libcurl's own text, of which nothing is repeated. */
extern const char *dun_transport_tls_words(CURL *easy, CURLcode result, const char *error);

/*
 * Did the peer say that it takes no such client, or none without a certificate? With TLS 1.3 it says so after we have
 * begun to send; it has then agreed to nothing and reads nothing.
 */
extern bool dun_transport_refuses_certificate(const char *error);

#endif
