// SPDX-License-Identifier: GPL-2.0
/* HPKE is RFC 9180's, and opens nothing that was changed; addresses are numbers. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "tests.h"
#include "userspace/attest/seal.h"
#include "userspace/cli/address.h"

/* RFC 9180, A.2.1, sequence number 0. */
static const char sender[] = "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600";
static const char receiver[] = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
static const char public[] = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
static const char enc[] = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
static const char ct[] = "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db";
static const char end[] = "21993c62ce81883d2dd1b51a28";
static const struct seal_context context = { "Ode on a Grecian Urn", 20, "Count-0", 7 };
static const char text[] = "Beauty is truth, truth beauty";

#define LEN	(sizeof(text) - 1)
#define SEALED	(LEN + SEAL_MORE)

static void unhex(const char *hex, uint8_t *bytes, size_t len)
{
	assert_int_equal(cli_unhex(hex, bytes, len), 0);
}

void test_seal_is_rfc_9180(void **state)
{
	uint8_t own[SEAL_KEY], to[SEAL_KEY], wanted[SEALED], got[SEALED], opened[LEN];

	(void)state;
	unhex(sender, own, sizeof(own));
	unhex(public, to, sizeof(to));
	unhex(enc, wanted, SEAL_KEY);
	unhex(ct, wanted + SEAL_KEY, 32);
	unhex(end, wanted + SEAL_KEY + 32, 13);
	assert_true(seal_with(own, to, &context, text, LEN, got));
	assert_memory_equal(got, wanted, sizeof(wanted));
	unhex(receiver, own, sizeof(own));
	assert_true(seal_open(own, &context, wanted, sizeof(wanted), opened));
	assert_memory_equal(opened, text, LEN);
}

void test_seal_opens_nothing_changed(void **state)
{
	struct seal_context other[] = { context, context, context, context };
	uint8_t own[SEAL_KEY], to[SEAL_KEY], got[SEALED], again[SEALED], opened[SEALED];
	size_t i;

	(void)state;
	assert_true(seal_key(own, to));
	assert_true(seal_to(to, &context, text, LEN, got) &&
		    seal_to(to, &context, text, LEN, again));
	assert_memory_not_equal(got, again, SEAL_KEY);
	assert_true(seal_open(own, &context, got, SEALED, opened));
	for (i = 0; i < SEALED; i++) {
		/* X25519 takes no notice of a public key's highest bit; HPKE's context does. */
		got[i] ^= 0x80;
		assert_false(seal_open(own, &context, got, SEALED, opened));
		got[i] ^= 0x80;
		assert_false(seal_open(own, &context, got, i, opened));
	}
	other[0].info = "ode on a Grecian Urn";
	other[1].info_len--;
	other[2].aad = "Count-1";
	other[3].aad_len--;
	for (i = 0; i < 4; i++)
		assert_false(seal_open(own, &other[i], got, SEALED, opened));
	assert_true(seal_key(own, to));
	assert_false(seal_open(own, &context, got, SEALED, opened));
}

void test_secret_is_bound_to_nonce_and_name(void **state)
{
	uint8_t own[SEAL_KEY], to[SEAL_KEY], got[SEALED], opened[LEN], aad[SECRET_AAD];
	uint8_t nonce[32] = { 1 }, later[32] = { 2 };
	char longest[SECRET_NAME + 1] = "";
	struct seal_context c = secret_context(aad, nonce, "disk");

	(void)state;
	assert_true(seal_key(own, to) && seal_to(to, &c, text, LEN, got));
	c = secret_context(aad, later, "disk");
	assert_false(seal_open(own, &c, got, SEALED, opened));
	c = secret_context(aad, nonce, "risk");
	assert_false(seal_open(own, &c, got, SEALED, opened));
	c = secret_context(aad, nonce, "disk");
	assert_true(seal_open(own, &c, got, SEALED, opened));
	memset(longest, 'a', SECRET_NAME);
	assert_true(secret_name_good("disk-0"));
	assert_false(secret_name_good("") || secret_name_good("../x") || secret_name_good("Disk") ||
		     secret_name_good(longest));
	longest[SECRET_NAME - 1] = 0;
	assert_true(secret_name_good(longest));
}

void test_addresses_are_numbers(void **state)
{
	static const char * const bad[] = {
		"", ":1", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4: 1",
		"1.2.3.4:1x", "host:1", "fd00::1:443", "[fd00::1]", "[fd00::1:1", "[]:1",
		"[0123:0123:0123:0123:0123:0123:0123:0123:0123:0123]:1",
	};
	struct address a;
	size_t i;

	(void)state;
	assert_true(address_read(&a, "10.0.2.2:7443"));
	assert_int_equal(((struct sockaddr_in *)&a.at)->sin_port, htons(7443));
	assert_int_equal(((struct sockaddr_in *)&a.at)->sin_addr.s_addr, htonl(0x0a000202));
	assert_true(address_read(&a, "[fd00::1]:443"));
	assert_int_equal(((struct sockaddr_in6 *)&a.at)->sin6_addr.s6_addr[0], 0xfd);
	assert_int_equal(a.at.ss_family, AF_INET6);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(address_read(&a, bad[i]));
}
