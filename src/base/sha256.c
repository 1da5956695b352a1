/*
 * base/sha256.c
 *		SHA-256: by OpenSSL with one context a process where the server was built with it, else by the server.
 */
#include "postgres.h"

#ifdef DUN_HAVE_CRYPTO
#include <openssl/evp.h>
#else
#include "common/cryptohash.h"
#endif

#include "base/compat.h"
#include "base/sha256.h"

pg_noreturn static void
give_up(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("could not compute a SHA-256 digest"),
			 errdetail("The cryptographic library of the server refused.")));
}

#ifdef DUN_HAVE_CRYPTO

static EVP_MD_CTX *context;

/* Looked up once: OpenSSL 3 does it anew for EVP_sha256(). */
static const EVP_MD *
algorithm(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
	static EVP_MD *fetched = NULL;

	if (fetched == NULL)
		fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
	return fetched;
#else
	return EVP_sha256();
#endif
}

void
dun_base_sha256_start(void)
{
	if (context == NULL)
		context = EVP_MD_CTX_new();
	if (context == NULL || algorithm() == NULL || EVP_DigestInit_ex(context, algorithm(), NULL) != 1)
		give_up();
}

void
dun_base_sha256_add(const void *data, size_t len)
{
	if (EVP_DigestUpdate(context, data, len) != 1)
		give_up();
}

void
dun_base_sha256_end(uint8 digest[PG_SHA256_DIGEST_LENGTH])
{
	if (EVP_DigestFinal_ex(context, digest, NULL) != 1)
		give_up();
}

#else

static pg_cryptohash_ctx *context;

/* The server frees what an error leaves. */
void
dun_base_sha256_start(void)
{
	context = pg_cryptohash_create(PG_SHA256);
	if (context == NULL || pg_cryptohash_init(context) < 0)
		give_up();
}

void
dun_base_sha256_add(const void *data, size_t len)
{
	if (pg_cryptohash_update(context, data, len) < 0)
		give_up();
}

void
dun_base_sha256_end(uint8 digest[PG_SHA256_DIGEST_LENGTH])
{
	if (pg_cryptohash_final(context, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		give_up();
	pg_cryptohash_free(context);
}

#endif

static void
add_padded(const uint8 *key, uint8 with)
{
	uint8		block[PG_SHA256_BLOCK_LENGTH];

	for (int i = 0; i < PG_SHA256_BLOCK_LENGTH; i++)
		block[i] = key[i] ^ with;
	dun_base_sha256_start();
	dun_base_sha256_add(block, sizeof(block));
	explicit_bzero(block, sizeof(block));
}

void
dun_base_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8 digest[PG_SHA256_DIGEST_LENGTH])
{
	uint8		block[PG_SHA256_BLOCK_LENGTH] = {0};
	uint8		inner[PG_SHA256_DIGEST_LENGTH];

	if (key_len > sizeof(block))
	{
		dun_base_sha256_start();
		dun_base_sha256_add(key, key_len);
		dun_base_sha256_end(block);
	}
	else
		memcpy(block, key, key_len);
	add_padded(block, 0x36);
	dun_base_sha256_add(data, len);
	dun_base_sha256_end(inner);
	add_padded(block, 0x5c);
	dun_base_sha256_add(inner, sizeof(inner));
	dun_base_sha256_end(digest);
	explicit_bzero(block, sizeof(block));
}
