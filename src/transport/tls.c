/*
 * transport/tls.c
 *		TLS failures by their cause. libcurl has two codes for them all; OpenSSL's verdict on a certificate tells them apart.
 */
#include "postgres.h"

#include "transport/tls.h"

/* OpenSSL's X509_V_ERR_*, which are an interface of its own (x509_vfy.h) and need not be built with. */
typedef struct Verdict
{
	long		number;
	const char *words;
	const char *of_proxy;
} Verdict;

#define VERDICT(number, words) {number, "certificate " words, "proxy certificate " words}

static const Verdict verdicts[] = {
	VERDICT(0, "of another host"),
	VERDICT(1, "of another host"),	/* libcurl looks at the name before it asks for a verdict */
	VERDICT(2, "of an unknown CA"),
	VERDICT(3, "of a CA that crl_file knows nothing of"),
	VERDICT(9, "not yet valid"),
	VERDICT(10, "expired"),
	VERDICT(11, "of a CA whose crl_file is not yet valid"),
	VERDICT(12, "of a CA whose crl_file is out of date"),
	VERDICT(18, "self-signed"),
	VERDICT(19, "of an unknown CA"),
	VERDICT(20, "of an unknown CA"),
	VERDICT(21, "of an unknown CA"),
	VERDICT(23, "revoked"),
	VERDICT(26, "not for servers"),
	VERDICT(62, "of another host"),
	VERDICT(64, "of another host"),
	VERDICT(66, "too weak"),
	VERDICT(67, "too weak"),
	VERDICT(68, "too weak"),
};

static const char *
certificate_words(CURL *easy)
{
	long		number = 0;
	long		of_proxy = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &number);
	curl_easy_getinfo(easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &of_proxy);
	for (int i = 0; i < lengthof(verdicts); i++)
		if (verdicts[i].number == (of_proxy != 0 ? of_proxy : number))
			return of_proxy != 0 ? verdicts[i].of_proxy : verdicts[i].words;
	return of_proxy != 0 ? "proxy certificate not valid" : "certificate not valid";
}

bool
dun_transport_refuses_certificate(const char *error)
{
	static const char *const alerts[] = {
		"alert certificate required", "alert bad certificate", "alert unsupported certificate", "alert certificate revoked",
		"alert certificate expired", "alert certificate unknown", "alert unknown ca", "alert access denied",
	};

	for (int i = 0; i < lengthof(alerts); i++)
		if (strstr(error, alerts[i]) != NULL)
			return true;
	return false;
}

const char *
dun_transport_tls_words(CURL *easy, CURLcode result, const char *error)
{
	switch (result)
	{
		case CURLE_PEER_FAILED_VERIFICATION:
			return certificate_words(easy);
		case CURLE_SSL_CACERT_BADFILE:
			return "ca_file cannot be used";
		case CURLE_SSL_CRL_BADFILE:
			return "crl_file cannot be used";
		case CURLE_SSL_CERTPROBLEM:
			return "client_cert_file or client_key_file cannot be used";
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_RECV_ERROR:
		case CURLE_SEND_ERROR:
			break;
		default:
			return NULL;
	}
	if (dun_transport_refuses_certificate(error))
		return "client certificate refused";
	if (result != CURLE_SSL_CONNECT_ERROR)
		return NULL;
	if (strstr(error, "unsupported protocol") != NULL || strstr(error, "protocol version") != NULL)
		return "TLS too old";
	if (strstr(error, "wrong version number") != NULL || strstr(error, "packet length too long") != NULL)
		return "no TLS is spoken there";
	if (strstr(error, "handshake failure") != NULL)
		return "TLS refused, perhaps for want of a client certificate";
	return "TLS handshake failed";
}
