/*
 * event/public_key.c
 *		Signatures of who publishes a key, by OpenSSL.
 *
 * PostgreSQL's own cryptography knows digests and HMACs only, so this is there where the server was built with OpenSSL
 * and its headers were at hand; elsewhere whoever receives the webhook verifies it and signs anew with the server's secret.
 */
#include "postgres.h"

#ifdef DUN_HAVE_CRYPTO
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#endif

#include "common/base64.h"

#include "base/errcodes.h"
#include "event/public_key.h"

#ifdef DUN_HAVE_CRYPTO

#define MAX_DER 512

static int
decode(const char *text, uint8 *out)
{
	size_t		len = strlen(text);

	return len <= MAX_DER ? pg_b64_decode(text, (int) len, (void *) out, MAX_DER) : -1;
}

static EVP_PKEY *
read_key(const char *key)
{
	uint8		der[MAX_DER];
	const unsigned char *p = der;
	int			len = decode(key, der);
	EVP_PKEY   *found = len > 0 ? d2i_PUBKEY(NULL, &p, len) : NULL;

	if (found == NULL || EVP_PKEY_base_id(found) != EVP_PKEY_EC)
	{
		EVP_PKEY_free(found);
		ERR_clear_error();
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("the receipt_key is no public key of ECDSA"),
				 errdetail("Wanted is a SubjectPublicKeyInfo in base64, one line without BEGIN and END.")));
	}
	return found;
}

const char *
dun_event_verify_ecdsa(const char *key, const char *signature, const uint8 *data, size_t len)
{
	uint8		der[MAX_DER];
	int			der_len = decode(signature, der);
	EVP_PKEY   *public_key;
	EVP_MD_CTX *ctx;
	int			right;

	if (der_len <= 0)
		return "malformed";
	public_key = read_key(key);
	ctx = EVP_MD_CTX_new();
	right = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, public_key) == 1 ?
		EVP_DigestVerify(ctx, der, (size_t) der_len, data, len) : 0;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public_key);
	/* The server's own TLS looks at the same queue of errors. */
	ERR_clear_error();
	return right == 1 ? NULL : "forged";
}

#else

const char *
dun_event_verify_ecdsa(const char *key, const char *signature, const uint8 *data, size_t len)
{
	ereport(ERROR,
			(errcode(DUN_ERR_GATEWAY),
			 errmsg("this build cannot verify signatures by a public key"),
			 errhint("Build it where PostgreSQL has OpenSSL and its headers are installed, or let whoever receives the webhook sign it anew with X-Dunning-Signature.")));
}

#endif
