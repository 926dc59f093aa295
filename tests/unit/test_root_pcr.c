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
#include "vmx/verify/verify.h"
#include "ept/device.h"

#define PAGE	R_LISTS
#define REPORTS	20

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

/* However many reports there are: the log that leads to the PCR has the launch's events. */
static void reports_leave_nothing_in_the_tpm(void **state)
{
	u8 *asked = (u8 *)phys(PAGE << PAGE_SHIFT) + offsetof(struct up_vm_report, data);
	u32 n, i, commands;
	long err, id;

	(void)state;
	begin(0xff);
	assert_int_equal(calls(0, &n), 0);
	commands = fake_tpm.commands;
	id = r_make_vm();
	assert_true(id >= 0);
	r_to_host();
	for (i = 0; i < REPORTS; i++) {
		memcpy(asked, &i, sizeof(i));
		do {
			err = r_call(UP_CALL_VM_REPORT, (u64)id, PAGE, 0);
		} while (err == -UP_EAGAIN);
		assert_int_equal(err, 0);
	}
	assert_int_equal(calls(0, &n), 0);
	assert_int_equal(fake_tpm.commands, commands);
	assert_int_equal(status()->tpm_events, 4);
	r_end_vms();
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

/* --- a TPM that does not do what it should --- */

/* Nothing but PCR 19 suffers: the launch's key signs, a VM is made and ends, the layer leaves. */
static void all_else_goes_on(const char *name)
{
	struct up_launch_proof *p = phys(PAGE << PAGE_SHIFT);
	struct verify_job job;
	enum verify_result result;
	u32 n = 0;
	long err;

	do {
		err = r_call(UP_CALL_SIGN, PAGE, 0, 0);
	} while (err == -UP_EAGAIN && ++n < 100);
	r_expect(!err, "%s: nothing is signed: %ld", name, err);
	result = verify_begin(&job, key_public(), &p->statement, sizeof(p->statement),
			      p->signature);
	while (result == VERIFY_MORE)
		result = verify_step(&job);
	r_expect(result == VERIFY_GOOD, "%s: what is signed is not right", name);
	r_expect(r_make_vm() >= 0, "%s: no VM is made", name);
	r_expect(r_end_vms() < CPUS, "%s: a VM does not end", name);
}

/* Calls for all commands, and nine tries of one: a stage takes a few looks, a burst is 16 bytes. */
#define WELL	300
/* Three seconds, at the 300 us that the host waits at least between looks. */
#define SLOW	10000

static const struct {
	const char *name;
	enum fake_fault fault;
	enum up_tpm why;
} faults[] = {
	{ "another locality keeps it", FAKE_HELD, UP_TPM_HELD },
	{ "it is never ready", FAKE_DEAF, UP_TPM_HUNG },
	{ "it takes no byte", FAKE_FULL, UP_TPM_HUNG },
	{ "it hangs", FAKE_HANGS, UP_TPM_HUNG },
	{ "it refuses", FAKE_REFUSES, UP_TPM_FAILED },
	{ "it is busy for ever", FAKE_BUSY, UP_TPM_FAILED },
	{ "its answer is too long", FAKE_LONG, UP_TPM_MALFORMED },
	{ "its answer is too short", FAKE_SHORT, UP_TPM_MALFORMED },
};

/* From which command on it is so decides what the PCR has, and status says how much that is. */
static void faulty(const char *name, enum fake_fault fault, enum up_tpm why, u32 from)
{
	bool waits = why == UP_TPM_HELD || why == UP_TPM_HUNG;
	u32 events = from < 2 ? 0 : from - 2, left, n;
	long err;

	begin(0xff);
	fake_tpm.fault = fault;
	fake_tpm.from = from;
	err = calls(0, &n);
	r_expect(err == (from <= 5 ? -UP_EIO : 0), "%s: command %u: %ld", name, from, err);
	all_else_goes_on(name);
	err = r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0);
	r_expect(!err, "%s: leaving refused: %ld", name, err);
	/* What is not all there has no end. */
	err = calls(1, from == 6 ? &n : &left);
	r_expect(err == (from == 6 ? -UP_EIO : 0), "%s: the end: %ld", name, err);
	r_expect(n < WELL + (waits ? TPM_POLLS : 0), "%s: command %u: %u calls", name, from, n);
	r_expect(!waits || n > TPM_POLLS, "%s: given up after %u calls", name, n);
	r_expect(status()->tpm == why && status()->tpm_events == events,
		 "%s: command %u: reason %u, %u events", name, from, status()->tpm,
		 status()->tpm_events);
	r_expect(fake_tpm.extends == events, "%s: %u extends", name, fake_tpm.extends);
	r_expect(!r_call(UP_CALL_LEAVE_PREPARE, 0, 0, 0), "%s: it does not stay", name);
}

static void a_fault_costs_bounded_time_and_is_named(void **state)
{
	u32 i, from;

	(void)state;
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		/* The read, an extend between two others, and the end. */
		for (from = 1; from <= 6; from += from == 1 ? 3 : 2)
			faulty(faults[i].name, faults[i].fault, faults[i].why, from);
	faulty("it keeps no SHA-256 bank", FAKE_NO_BANK, UP_TPM_NO_BANK, 1);
}

static void three_seconds_a_command_are_waited_for(void **state)
{
	u32 n;

	(void)state;
	begin(0xff);
	fake_tpm.slow = SLOW;
	assert_int_equal(calls(0, &n), 0);
	assert_true(n > 5 * SLOW && n < 5 * SLOW + WELL);
	assert_int_equal(status()->tpm, UP_TPM_GOOD);
	assert_int_equal(status()->tpm_events, 4);
	all_else_goes_on("slow");
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
		T(four_events_in_their_order), T(reports_leave_nothing_in_the_tpm),
		T(the_end_comes_when_it_leaves),
		T(what_was_extended_before_is_left_alone),
		T(a_fault_costs_bounded_time_and_is_named),
		T(three_seconds_a_command_are_waited_for),
		T(without_a_tpm_or_a_key_nothing_is_asked),
		T(the_host_has_locality_0_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
