// SPDX-License-Identifier: GPL-2.0
/*
 * The launch's key on the whole root image: what it is made of, what it signs for the host
 * and for VMs, and that nothing of it is left when a CPU is the host's again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>

#include "root_world.h"
#include "vmx/attest/key.h"
#include "vmx/base/sha256.h"
#include "vmx/base/x86.h"
#include "vmx/sign/sha512.h"
#include "vmx/verify/verify.h"

#define PAGE		R_LISTS
#define STEP		0x9e3779b97f4a7c15ULL
#define PIECES		(128 / ED25519_PIECE + 2)	/* calls, to the last */

/* --- what it is made of --- */

static const u8 *key_of(u64 rdrand_first, u64 rdseed_first, u8 host)
{
	r_rdrand = (struct r_source){ rdrand_first, STEP, 0 };
	r_rdseed = (struct r_source){ rdseed_first, STEP, 0 };
	memset(up_config.entropy, host, sizeof(up_config.entropy));
	key_make();
	return key_public();
}

static void features(bool rdrand, bool rdseed)
{
	w_cpuid1[2] = rdrand ? CPUID1_ECX_RDRAND : 0;
	w_cpuid7[1] = rdseed ? CPUID7_EBX_RDSEED : 0;
}

/* The key that @first of a source and the host's bytes make, by another way. */
static void expect_key(struct ed25519_key *key, u64 first, u8 host)
{
	u64 words[8];
	u8 digest[64], bytes[32];
	const struct span spans[] = { { words, sizeof(words) }, { bytes, sizeof(bytes) } };
	u32 i;

	for (i = 0; i < 8; i++)
		words[i] = first + i * STEP;
	memset(bytes, host, sizeof(bytes));
	sha512(digest, spans, 2);
	ed25519_make_key(key, digest);
}

static void rdseed_comes_first(void **state)
{
	struct ed25519_key want;

	(void)state;
	features(true, true);
	expect_key(&want, 700, 9);
	assert_memory_equal(key_of(3, 700, 9), want.public, 32);
}

static void rdrand_is_taken_where_rdseed_is_not(void **state)
{
	struct ed25519_key want;

	(void)state;
	expect_key(&want, 3, 9);
	features(true, false);
	assert_memory_equal(key_of(3, 700, 9), want.public, 32);
	/* It is there, and dry for ever; or it always says the same. */
	features(true, true);
	memset(up_config.entropy, 9, sizeof(up_config.entropy));
	r_rdrand = (struct r_source){ 3, STEP, 0 };
	r_rdseed = (struct r_source){ 700, STEP, ~0u };
	key_make();
	assert_memory_equal(key_public(), want.public, 32);
	memset(up_config.entropy, 9, sizeof(up_config.entropy));
	r_rdrand = (struct r_source){ 3, STEP, 0 };
	r_rdseed = (struct r_source){ 700, 0, 0 };
	key_make();
	assert_memory_equal(key_public(), want.public, 32);
}

static void a_dry_moment_is_waited_for(void **state)
{
	struct ed25519_key want;

	(void)state;
	features(true, false);
	expect_key(&want, 3, 1);
	memset(up_config.entropy, 1, sizeof(up_config.entropy));
	r_rdrand = (struct r_source){ 3, STEP, 999 };
	key_make();
	assert_memory_equal(key_public(), want.public, 32);
}

static void the_hosts_bytes_count_and_are_erased(void **state)
{
	static const u8 zero[32];
	u8 one[32], two[32];

	(void)state;
	features(true, false);
	memcpy(one, key_of(3, 0, 1), 32);
	assert_memory_equal(up_config.entropy, zero, 32);
	memcpy(two, key_of(3, 0, 2), 32);
	assert_memory_not_equal(one, two, 32);
	memcpy(two, key_of(4, 0, 1), 32);
	assert_memory_not_equal(one, two, 32);
}

static void without_random_numbers_there_is_no_key(void **state)
{
	u8 one[32], two[32];
	u64 repeat;

	(void)state;
	features(false, false);
	assert_null(key_of(3, 700, 1));
	key_nonce(one);
	assert_null(key_of(3, 700, 2));
	key_nonce(two);
	assert_memory_not_equal(one, two, 32);	/* launches are told apart all the same */
	features(true, true);
	r_rdrand = r_rdseed = (struct r_source){ ~0ULL, 0, 0 };
	key_make();
	assert_null(key_public());
	r_rdrand = r_rdseed = (struct r_source){ 3, STEP, ~0u };
	key_make();
	assert_null(key_public());
	/* Any word of the eight a second time. */
	for (repeat = 1; repeat < 8; repeat++) {
		r_rdrand = r_rdseed = (struct r_source){ 0, (~0ULL / repeat + 1), 0 };
		if (repeat & (repeat - 1))
			continue;	/* only then a step comes round to 0 */
		key_make();
		assert_null(key_public());
	}
	assert_int_equal(r_call(UP_CALL_SIGN, PAGE, 0, 0), -UP_EPERM);
}

/* --- what it signs --- */

static int start(void **state)
{
	(void)state;
	features(true, false);
	r_rdrand = (struct r_source){ 3, STEP, 0 };
	r_init();
	r_quiet(true);
	return 0;
}

static bool verifies(const void *message, u32 len, const u8 signature[64])
{
	struct verify_job job;
	enum verify_result result = verify_begin(&job, key_public(), message, len, signature);

	while (result == VERIFY_MORE)
		result = verify_step(&job);
	return result == VERIFY_GOOD;
}

/* Return: how often it was asked, the last answer in *@err. */
static u32 until_done(u64 op, u64 b, u64 c, long *err)
{
	u32 n = 0;

	do {
		*err = r_call(op, b, c, 0);
		n++;
	} while (*err == -UP_EAGAIN && n < 100);
	return n;
}

static struct up_launch_proof *launch_page(u8 nonce)
{
	struct up_launch_proof *p = phys(PAGE << PAGE_SHIFT);

	memset(p, 0xee, sizeof(*p));
	memset(p->statement.nonce, nonce, 32);
	return p;
}

static void the_launch_speaks_for_a_nonce(void **state)
{
	struct up_launch_proof *p = launch_page(7);
	u8 nonce[32];
	struct sha256 s;
	long err;

	(void)state;
	memset(nonce, 7, sizeof(nonce));
	assert_int_equal(until_done(UP_CALL_SIGN, PAGE, 0, &err), PIECES);
	assert_int_equal(err, 0);
	assert_memory_equal(&p->statement, "UPLAUNCH\1\0\0", 12);
	assert_memory_equal(p->statement.nonce, nonce, 32);
	assert_memory_equal(p->statement.key, key_public(), 32);
	assert_memory_equal(p->image_sha256, up_config.image_sha256, 32);
	assert_true(verifies(&p->statement, sizeof(p->statement), p->signature));
	p->statement.flags ^= 1;
	assert_false(verifies(&p->statement, sizeof(p->statement), p->signature));
	/* What tells the launch from others is the hash of its key. */
	assert_int_equal(r_call(UP_CALL_STATUS, PAGE + 1, 0, 0), 0);
	sha256_init(&s);
	sha256_update(&s, key_public(), 32);
	sha256_final(&s, nonce);
	assert_memory_equal(((struct up_status *)phys((PAGE + 1) << PAGE_SHIFT))->launch_nonce,
			    nonce, 32);
	assert_memory_equal(((struct up_status *)phys((PAGE + 1) << PAGE_SHIFT))->launch_key,
			    key_public(), 32);
}

static void weaknesses_are_named(void **state)
{
	struct up_launch_proof *p = launch_page(7);
	long err;

	(void)state;
	up_config.pm1a_cnt = 0x404;
	until_done(UP_CALL_SIGN, PAGE, 0, &err);
	assert_int_equal(p->statement.flags, UP_WEAK_NO_IOMMU | UP_WEAK_SMM);
	assert_int_equal(p->iommu, UP_IOMMU_NONE);
	up_config.pm1a_cnt = 0;
	w_cpuid_b[1] = 2;	/* threads of a core; and no IA32_ARCH_CAPABILITIES: L1TF */
	launch_page(7);
	until_done(UP_CALL_SIGN, PAGE, 0, &err);
	assert_int_equal(p->statement.flags,
			 UP_WEAK_NO_IOMMU | UP_WEAK_SMM | UP_WEAK_SLEEP | UP_WEAK_SMT);
	w_cpuid_b[1] = 0;
}

static void another_question_begins_anew(void **state)
{
	struct up_launch_proof *p = launch_page(7), first;
	long err;
	u32 i;

	(void)state;
	until_done(UP_CALL_SIGN, PAGE, 0, &err);
	first = *p;
	for (i = 1; i < PIECES; i++) {
		launch_page(7);
		assert_int_equal(r_call(UP_CALL_SIGN, PAGE, 0, 0), -UP_EAGAIN);
	}
	launch_page(8);
	assert_int_equal(until_done(UP_CALL_SIGN, PAGE, 0, &err), PIECES);
	assert_true(verifies(&p->statement, sizeof(p->statement), p->signature));
	assert_memory_not_equal(p->signature, first.signature, 64);
	/* The host changes its page before the last piece: signed is what is written then. */
	launch_page(7);
	for (i = 1; i < PIECES; i++)
		r_call(UP_CALL_SIGN, PAGE, 0, 0);
	p->statement.nonce[31] ^= 1;
	assert_int_equal(until_done(UP_CALL_SIGN, PAGE, 0, &err), PIECES);
	assert_true(verifies(&p->statement, sizeof(p->statement), p->signature));
}

static void not_into_anothers_page(void **state)
{
	(void)state;
	assert_int_equal(r_call(UP_CALL_SIGN, LAYER_START, 0, 0), -UP_EINVAL);
	assert_int_equal(r_call(UP_CALL_SIGN, RAM_END, 0, 0), -UP_EINVAL);
	assert_int_equal(r_call(UP_CALL_VM_REPORT, 0, LAYER_START, 0), -UP_EINVAL);
	assert_int_equal(r_call(UP_CALL_VM_REPORT, 0, PAGE, 0), -UP_ENOENT);
	assert_int_equal(r_call(UP_CALL_VM_REPORT, ~0ULL, PAGE, 0), -UP_ENOENT);
}

/* --- VMs --- */

static u8 *guest_at(u64 gpa)
{
	return phys((R_VM_PFN << PAGE_SHIFT) + gpa);
}

static void check_report(const struct up_vm_proof *p, long id, u8 data, u32 vm_flags)
{
	const struct up_vm_report *r = &p->report;
	const struct vm *vm = r_vm((u64)id);
	u8 wanted[64];

	memset(wanted, data, sizeof(wanted));
	assert_memory_equal(r, "UPREPORT\1\0\0", 12);
	assert_int_equal(r->vm_flags, vm_flags);
	assert_int_equal(r->id, id);
	assert_int_equal(r->state, UP_VM_RUNNABLE);
	assert_int_equal(r->vcpus, vm->nvcpus);
	assert_int_equal(r->frames_measured, vm->frames_measured);
	assert_int_equal(r->reserved, 0);
	assert_memory_equal(r->key, key_public(), 32);
	assert_memory_equal(r->measurement, vm->measurement, 32);
	assert_memory_equal(r->report, vm->report, sizeof(r->report));
	assert_memory_equal(r->rtmr, vm->rtmr, sizeof(r->rtmr));
	assert_memory_equal(r->data, wanted, 64);
	assert_true(verifies(r, sizeof(*r), p->signature));
}

static void the_host_asks_about_a_vm(void **state)
{
	struct up_vm_proof *p = phys(PAGE << PAGE_SHIFT);
	static const u8 zero[32];
	long id, err;

	(void)state;
	id = r_make_vm();
	assert_true(id >= 0);
	memset(p, 0x31, sizeof(*p));
	assert_int_equal(until_done(UP_CALL_VM_REPORT, id, PAGE, &err), PIECES);
	assert_int_equal(err, 0);
	check_report(p, id, 0x31, 0);
	assert_memory_not_equal(p->report.measurement, zero, 32);
	p->report.measurement[0] ^= 1;
	assert_false(verifies(&p->report, sizeof(p->report), p->signature));
}

static void a_vm_asks_about_itself(void **state)
{
	const u64 data = 0x2040, to = 0x2100;
	struct up_vm_proof *p;
	long id, err;
	u32 i;

	(void)state;
	id = r_make_vm();
	assert_true(id >= 0 && w_enter(true) == W_ENTERED);
	memset(guest_at(data), 0x42, 64);
	memset(guest_at(0x2000), 0x17, 32);
	assert_int_equal(r_call(UP_GUEST_REPORT, 3, 0x2000, 0), 0);
	/* The host asks the same VM meanwhile, on another CPU: neither disturbs the other. */
	for (i = 1; i < PIECES; i++) {
		assert_int_equal(r_call(UP_GUEST_ATTEST, data, to, 0), -UP_EAGAIN);
		w_use_cpu(1);
		assert_int_equal(r_call(UP_CALL_VM_REPORT, id, PAGE, 0), -UP_EAGAIN);
		w_use_cpu(0);
	}
	assert_int_equal(r_call(UP_GUEST_ATTEST, data, to, 0), 0);
	p = (void *)guest_at(to);
	check_report(p, id, 0x42, UP_VM_ASKED);
	assert_int_equal(p->report.reports, 1 << 3);
	assert_int_equal(p->report.report[3][31], 0x17);
	/* Over a page's end, or to where it has none: refused. */
	assert_int_equal(r_call(UP_GUEST_ATTEST, 0x2fc1, to, 0), -UP_EINVAL);
	until_done(UP_GUEST_ATTEST, data, 0x3000 - sizeof(*p) + 1, &err);
	assert_int_equal(err, -UP_EINVAL);
	until_done(UP_GUEST_ATTEST, data, 0x100000, &err);
	assert_int_equal(err, -UP_EINVAL);
	assert_int_equal(r_call(UP_GUEST_ATTEST, 0x100000, to, 0), -UP_EINVAL);
}

/* --- the end --- */

extern u8 __data_start[], _end[];
#define MASKED	0xa5

/* Secrets of the key, so that what looks for them is not what is found. */
static u8 secrets[4][32];

static void remember(void)
{
	struct ed25519_key k;
	struct ed25519_job job;
	u32 i, j;
	u8 digest[64];
	u64 words[8];
	const struct span spans[] = { { words, sizeof(words) }, { up_config.entropy, 32 } };

	for (i = 0; i < 8; i++)
		words[i] = 3 + i * STEP;
	sha512(digest, spans, 2);
	expect_key(&k, 3, 0);
	assert_memory_equal(k.public, key_public(), 32);
	ed25519_sign(&job, &k, phys(PAGE << PAGE_SHIFT), sizeof(struct up_launch_statement));
	memcpy(secrets[0], &k.secret, 32);
	memcpy(secrets[1], k.prefix, 32);
	memcpy(secrets[2], digest, 32);
	memcpy(secrets[3], &job.nonce, 32);
	for (i = 0; i < 4; i++)
		for (j = 0; j < 32; j++)
			secrets[i][j] ^= MASKED;
}

/* Which of the secrets are in the image's memory: a bit each; any half of one counts. */
__attribute__((no_sanitize("address"))) static u32 found(void)
{
	const volatile u8 *at;
	u32 i, j, half, all = 0;

	for (at = __data_start; at < _end - 16; at++)
		for (i = 0; i < 4; i++)
			for (half = 0; half < 32; half += 16) {
				for (j = 0; j < 16 && (at[j] ^ MASKED) == secrets[i][half + j]; j++)
					;
				if (j == 16)
					all |= 1u << i;
			}
	return all;
}

static u32 found_on_leave = ~0u;
static bool key_on_leave = true;

static void on_leave(void)
{
	found_on_leave = found();
	key_on_leave = key_public();
}

static u32 relaxed;

/* The other CPU's piece comes to its end while it is waited for. */
void cpu_relax(void)
{
	if (++relaxed == 5)
		cpus[1]->signing = false;
}

static void nothing_is_left_when_a_cpu_is_the_hosts(void **state)
{
	struct up_launch_proof *p = launch_page(7);
	long err;

	(void)state;
	/* The statement as it will be, to know what its signature's secret is. */
	until_done(UP_CALL_SIGN, PAGE, 0, &err);
	assert_int_equal(err, 0);
	remember();
	assert_int_equal(found(), 1 | 2);	/* the key, and no seed; the job is done */
	memset(p->statement.nonce, 7, 32);
	r_call(UP_CALL_SIGN, PAGE, 0, 0);
	r_call(UP_CALL_SIGN, PAGE, 0, 0);
	assert_int_equal(found(), 1 | 2 | 8);	/* a signature is on its way */
	r_on_leave = on_leave;
	cpus[1]->signing = true;
	relaxed = 0;
	assert_int_equal(r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0), 0);
	assert_int_equal(found(), 1 | 2 | 8);	/* it may go on after all */
	assert_int_equal(r_call(UP_CALL_LEAVE, 0, 0, 0), -UP_EAGAIN);
	r_call(UP_CALL_LEAVE, 0, 0, 0);
	assert_true(r_left(0));
	assert_int_equal(relaxed, 5);
	assert_int_equal(found_on_leave, 0);
	assert_false(key_on_leave);
	r_on_leave = NULL;
	/* A CPU that is still demoted gets no signature any more. */
	w_use_cpu(1);
	launch_page(7);
	assert_int_equal(r_call(UP_CALL_SIGN, PAGE, 0, 0), -UP_EPERM);
}

#define T(test)	cmocka_unit_test_setup_teardown(test, start, r_end_and_forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(rdseed_comes_first), T(rdrand_is_taken_where_rdseed_is_not),
		T(a_dry_moment_is_waited_for), T(the_hosts_bytes_count_and_are_erased),
		T(without_random_numbers_there_is_no_key), T(the_launch_speaks_for_a_nonce),
		T(weaknesses_are_named), T(another_question_begins_anew),
		T(not_into_anothers_page), T(the_host_asks_about_a_vm), T(a_vm_asks_about_itself),
		T(nothing_is_left_when_a_cpu_is_the_hosts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
