// SPDX-License-Identifier: GPL-2.0
/*
 * The launch in PCR 19, on the whole root image above a played TPM: the events in their
 * order, the end, a turn for the host after each look, and each way in which a TPM fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "fake/tpm.h"
#include "root_world.h"
#include "tpm/tpm.h"
#include "vmx/attest/key.h"
#include "vmx/base/sha256.h"
#include "ept/device.h"

#define PAGE	R_LISTS

static bool launched;

static int end(void **state)
{
	(void)state;
	if (launched)
		fake_free();
	launched = false;
	return 0;
}

/* A launch; of what was before it nothing is left. */
static void launch(void)
{
	end(NULL);
	r_init();
	r_quiet(true);
	launched = true;
}

static void begin(u8 pcr)
{
	fake_tpm_reset(pcr);
	launch();
}

/* Until it is done; a call looks at the TPM's registers a few times, whatever that says. */
static long calls(u64 leaving, u32 *n)
{
	u32 before;
	long err;

	*n = 0;
	do {
		before = fake_tpm.looks;
		err = r_call(UP_CALL_TPM, leaving, 0, 0);
		assert_true(fake_tpm.looks - before <= 2);
		++*n;
	} while (err == -UP_EAGAIN && *n < 200000);
	return err;
}

/* docs/attestation.md, by another way: SHA-256(PCR, SHA-256(tag, length, content)). */
static void event(u8 pcr[32], u32 number, const void *content, u32 len)
{
	u32 header[2] = { 0x55500000 + number, len };
	struct sha256 s;
	u8 digest[32];

	sha256_init(&s);
	sha256_update(&s, header, sizeof(header));
	sha256_update(&s, content, len);
	sha256_final(&s, digest);
	sha256_init(&s);
	sha256_update(&s, pcr, 32);
	sha256_update(&s, digest, 32);
	sha256_final(&s, pcr);
}

static void expect_launch(u8 pcr[32], u8 first)
{
	static const u8 settings[80] = "UP CONFG\2\0\0\0\1";	/* allow_no_iommu */

	memset(pcr, first, 32);
	event(pcr, 1, up_config.image_sha256, 32);
	event(pcr, 2, settings, sizeof(settings));
	event(pcr, 3, "none", 4);
	event(pcr, 4, key_public(), 32);
}

static struct up_status *status(void)
{
	assert_int_equal(r_call(UP_CALL_STATUS, PAGE, 0, 0), 0);
	return phys(PAGE << PAGE_SHIFT);
}

static void four_events_in_their_order(void **state)
{
	u8 want[32], first;
	u32 n;

	(void)state;
	for (first = 0; ; first = 0xff) {
		begin(first);
		memset(up_config.image_sha256, 0x17, 32);
		fake_tpm.slow = 50;
		assert_int_equal(calls(0, &n), 0);
		assert_true(n > 5 * 50);
		expect_launch(want, first);
		assert_memory_equal(fake_tpm.pcr, want, 32);
		assert_int_equal(fake_tpm.extends, 4);
		assert_false(fake_tpm.wrong);
		assert_int_equal(status()->tpm, UP_TPM_GOOD);
		assert_int_equal(status()->tpm_events, 4);
		/* Asked again it does nothing more. */
		assert_int_equal(calls(0, &n), 0);
		assert_int_equal(fake_tpm.extends, 4);
		if (first)
			break;
	}
}

static void the_end_comes_when_it_leaves(void **state)
{
	u8 want[32];
	u32 n;

	(void)state;
	begin(0xff);
	/* Never begun: there is nothing to end. */
	assert_int_equal(r_call(UP_CALL_TPM, 1, 0, 0), -UP_EBUSY);
	assert_int_equal(r_call(UP_CALL_TPM, 2, 0, 0), -UP_EINVAL);
	assert_int_equal(calls(0, &n), 0);
	assert_int_equal(r_call(UP_CALL_TPM, 1, 0, 0), -UP_EBUSY);
	assert_int_equal(fake_tpm.extends, 4);
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0), 0);
	assert_int_equal(calls(1, &n), 0);
	expect_launch(want, 0xff);
	event(want, 5, "left", 4);
	assert_memory_equal(fake_tpm.pcr, want, 32);
	assert_int_equal(status()->tpm_events, 5);
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 0, 0, 0), 0);
}

static void what_was_extended_before_is_left_alone(void **state)
{
	u32 n;

	(void)state;
	begin(0xff);
	fake_tpm.pcr[7] = 1;
	assert_int_equal(calls(0, &n), -UP_EIO);
	assert_int_equal(fake_tpm.extends, 0);
	assert_int_equal(status()->tpm, UP_TPM_USED);
	begin(0x11);
	assert_int_equal(calls(0, &n), -UP_EIO);
	assert_int_equal(fake_tpm.extends, 0);
}

static void a_tpm_that_fails_costs_bounded_time(void **state)
{
	u32 n;

	(void)state;
	begin(0xff);
	fake_tpm.hangs = true;
	assert_int_equal(calls(0, &n), -UP_EIO);
	assert_true(n > TPM_POLLS && n < TPM_POLLS + 100);
	assert_int_equal(status()->tpm, UP_TPM_HUNG);
	assert_int_equal(r_call(UP_CALL_TPM, 0, 0, 0), -UP_EIO);
	begin(0xff);
	fake_tpm.held = true;
	assert_int_equal(calls(0, &n), -UP_EIO);
	assert_int_equal(status()->tpm, UP_TPM_HELD);
	begin(0xff);
	fake_tpm.fails = 3;
	assert_int_equal(calls(0, &n), -UP_EIO);
	assert_int_equal(status()->tpm, UP_TPM_FAILED);
	assert_int_equal(status()->tpm_events, 2);
	/* What is not all there has no end either. */
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0), 0);
	assert_int_equal(calls(1, &n), 0);
	assert_int_equal(fake_tpm.extends, 2);
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 0, 0, 0), 0);
}

static void without_a_tpm_or_a_key_nothing_is_asked(void **state)
{
	u32 n;

	(void)state;
	fake_tpm_reset(0xff);
	fake_tpm.present = false;
	launch();
	assert_int_equal(calls(0, &n), -UP_EIO);
	assert_int_equal(n, 1);
	assert_int_equal(status()->tpm, UP_TPM_ABSENT);
	r_rdrand.dry = ~0u;
	begin(0xff);
	r_rdrand.dry = 0;
	assert_int_equal(calls(0, &n), -UP_EIO);
	assert_int_equal(fake_tpm.extends, 0);
	assert_int_equal(status()->tpm, UP_TPM_NO_KEY);
	assert_int_equal(status()->has_key, 0);
}

/* Localities 1 to 4: all ones, and what is written goes nowhere.  Locality 0 is the host's. */
static void the_host_has_locality_0_alone(void **state)
{
	const u64 first = UP_TPM_KEPT >> PAGE_SHIFT;
	u64 pfn;

	(void)state;
	begin(0xff);
	assert_false(devices_in(first - 1, 1));
	for (pfn = first; pfn < first + R_TPM_FRAMES; pfn++) {
		assert_true(devices_in(pfn, 1));
		assert_int_equal((u8)device_read(pfn << PAGE_SHIFT, 1), 0xff);
		device_write(pfn << PAGE_SHIFT, 1, 2);
	}
	assert_false(devices_in(first + R_TPM_FRAMES, 1));
	assert_int_equal((u32)device_read((first << PAGE_SHIFT) + 0x18, 4), 0xffffffff);
}

#define T(test)	cmocka_unit_test_teardown(test, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(four_events_in_their_order), T(the_end_comes_when_it_leaves),
		T(what_was_extended_before_is_left_alone),
		T(a_tpm_that_fails_costs_bounded_time), T(without_a_tpm_or_a_key_nothing_is_asked),
		T(the_host_has_locality_0_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
