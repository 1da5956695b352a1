/*
 * gate/hmac.c
 *		SHA-256 (FIPS 180-4) and HMAC (RFC 2104) over it.
 *
 * Nothing here branches on a byte of the key or the text, only on lengths.
 */
#include "postgres.h"

#include "port/pg_bswap.h"

#include "gate/hmac.h"

#define BLOCK 64

static const uint32 first_state[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
};

static const uint32 round_words[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};

static inline uint32
turn(uint32 word, int bits)
{
	return (word >> bits) | (word << (32 - bits));
}

static void
add_block(uint32 state[8], const uint8 *block)
{
	uint32		w[64];
	uint32		s[8];

	for (int i = 0; i < 16; i++)
	{
		memcpy(&w[i], block + 4 * i, 4);
		w[i] = pg_ntoh32(w[i]);
	}
	for (int i = 16; i < 64; i++)
	{
		uint32		small0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >> 3);
		uint32		small1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >> 10);

		w[i] = w[i - 16] + small0 + w[i - 7] + small1;
	}
	memcpy(s, state, sizeof(s));
	for (int i = 0; i < 64; i++)
	{
		uint32		big1 = turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25);
		uint32		big0 = turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22);
		uint32		choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32		majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		uint32		one = s[7] + big1 + choice + round_words[i] + w[i];

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + one;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = one + big0 + majority;
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

/* The rest of a text of which `before` bytes are in the state already, its end and its length. */
static void
finish(uint32 state[8], size_t before, const uint8 *data, size_t len, uint8 digest[DUN_HMAC_BYTES])
{
	uint8		last[2 * BLOCK] = {0};
	uint64		bits = pg_hton64((uint64) (before + len) * 8);
	size_t		padded;

	for (; len >= BLOCK; data += BLOCK, len -= BLOCK)
		add_block(state, data);
	memcpy(last, data, len);
	last[len] = 0x80;
	padded = len + 1 + sizeof(bits) <= BLOCK ? BLOCK : 2 * BLOCK;
	memcpy(last + padded - sizeof(bits), &bits, sizeof(bits));
	for (size_t at = 0; at < padded; at += BLOCK)
		add_block(state, last + at);
	for (int i = 0; i < 8; i++)
	{
		uint32		word = pg_hton32(state[i]);

		memcpy(digest + 4 * i, &word, 4);
	}
}

void
dun_gate_take_key(DunHmacKey *into, const uint8 *key, size_t len)
{
	uint8		block[BLOCK] = {0};

	if (len > BLOCK)
	{
		uint32		state[8];

		memcpy(state, first_state, sizeof(state));
		finish(state, 0, key, len, block);
	}
	else
		memcpy(block, key, len);
	for (int i = 0; i < BLOCK; i++)
		block[i] ^= 0x36;
	memcpy(into->inner, first_state, sizeof(first_state));
	add_block(into->inner, block);
	for (int i = 0; i < BLOCK; i++)
		block[i] ^= 0x36 ^ 0x5c;
	memcpy(into->outer, first_state, sizeof(first_state));
	add_block(into->outer, block);
}

void
dun_gate_hmac(const DunHmacKey *key, const uint8 *data, size_t len, uint8 digest[DUN_HMAC_BYTES])
{
	uint32		state[8];
	uint8		inner[DUN_HMAC_BYTES];

	memcpy(state, key->inner, sizeof(state));
	finish(state, BLOCK, data, len, inner);
	memcpy(state, key->outer, sizeof(state));
	finish(state, BLOCK, inner, sizeof(inner), digest);
}
