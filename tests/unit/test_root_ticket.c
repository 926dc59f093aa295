// SPDX-License-Identifier: GPL-2.0
/*
 * Tickets on the whole root image (docs/ticket.md): where an authority was named, a VM runs
 * that it has granted, once and in time; and no other, whatever the host does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>

#include "root_world.h"
#include "vmx/attest/challenge.h"
#include "vmx/attest/key.h"
#include "vmx/attest/pcr.h"
#include "vmx/base/log.h"
#include "vmx/base/sha256.h"
#include "vmx/base/x86.h"
#include "vmx/sign/ed25519.h"
#include "vmx/vm/ticket.h"

#define PAGE		R_LISTS
#define SIGNED		offsetof(struct up_ticket, signature)
#define LIFETIME	1000000ULL
#define PIECES		(256 / ED25519_PIECE + 2)	/* calls, to the last */

static const u8 authority_seed[32] = "the authority", other_seed[32] = "another one";
static struct ed25519_key authority;
static bool named;		/* is there an authority? */

void r_configure(void)
{
	ed25519_make_key(&authority, authority_seed);
	memcpy(up_config.authority, authority.public, sizeof(up_config.authority));
	if (!named)
		memset(up_config.authority, 0, sizeof(up_config.authority));
	memset(up_config.host, 0x40, sizeof(up_config.host));
	memset(up_config.image_sha256, 0x1a, sizeof(up_config.image_sha256));
}

static int start(void **state)
{
	(void)state;
	named = true;
	/* It goes on: challenges of the test before are still outstanding. */
	r_rdrand = (struct r_source){ r_rdrand.next, 0x9e3779b97f4a7c15, 0 };
	r_tsc[0] = r_tsc[1] = 1 << 20;
	r_init();
	return 0;
}

static int start_without(void **state)
{
	(void)state;
	named = false;
	r_init();
	return 0;
}

/* --- VMs and tickets ---------------------------------------------------------------- */

/* A VM of R_VM_FRAMES, all but measured to its end.  Return: its id */
static u64 build(u32 vcpus)
{
	u64 *list = phys(R_LISTS << PAGE_SHIFT), id, i;
	long err;

	w_insn_mem(EXIT_REASON_VMXON, W_VMXON);
	assert_int_equal(r_call(UP_CALL_VM_CREATE, 0, 0, 0), 0);
	id = r_answer(RBX);
	for (i = 0; i < R_VM_FRAMES; i++) {
		list[2 * i] = R_VM_PFN + i;
		list[2 * i + 1] = i;
	}
	assert_int_equal(r_call(UP_CALL_VM_DONATE, id, R_LISTS, R_VM_FRAMES), 0);
	for (i = vcpus; i-- > 0;) {
		w_insn_mem(EXIT_REASON_VMCLEAR, r_vmcs12[vcpus - 1 - i]);
		w_insn_mem(EXIT_REASON_VMPTRLD, r_vmcs12[vcpus - 1 - i]);
		w_fill_valid();
		assert_int_equal(r_call(UP_CALL_VM_BIND_VCPU, id, 0, 0), 0);
	}
	w_insn_mem(EXIT_REASON_VMPTRLD, r_vmcs12[0]);
	for (i = 0; i < 8; i++) {
		r_flush_all();
		err = r_call(UP_CALL_VM_MEASURE, id, 0, 0);
		if (err != -UP_EAGAIN)
			break;
	}
	assert_int_equal(err, -UP_EPERM);	/* it has no ticket */
	assert_int_equal(r_vm(id)->own.state, UP_VM_MEASURING);
	return id;
}

static long measure(u64 id)
{
	return r_call(UP_CALL_VM_MEASURE, id, 0, 0);
}

static void measurement_of(const struct vm *vm, u8 measurement[32])
{
	struct sha256 s = vm->hash;

	sha256_final(&s, measurement);
}

static void challenge(u8 value[32])
{
	assert_int_equal(r_call(UP_CALL_CHALLENGE, PAGE, 0, 0), 0);
	memcpy(value, phys(PAGE << PAGE_SHIFT), 32);
}

/* What the authority would grant: signed where it is brought. */
static struct up_ticket grant(u64 id)
{
	const struct vm *vm = r_vm(id);
	struct up_ticket t = {
		.magic = UP_TICKET_MAGIC, .version = 2, .size = sizeof(t), .lifetime = LIFETIME,
		.frames = R_VM_FRAMES, .vcpus = vm->nvcpus, .role = "creator", .issued = 1,
	};

	memset(t.host, 0x40, sizeof(t.host));
	memset(t.image, 0x1a, sizeof(t.image));
	memset(t.definition, 0xde, sizeof(t.definition));
	key_nonce(t.nonce);
	challenge(t.challenge);
	measurement_of(vm, t.measurement);
	return t;
}

static void sign(struct up_ticket *t, const u8 seed[32])
{
	struct ed25519_key key;
	struct ed25519_job job;

	ed25519_make_key(&key, seed);
	ed25519_sign(&job, &key, t, SIGNED);
	while (ed25519_step(&job, t->signature))
		;
}

/* Return: the last answer; *@calls: how many it took */
static long bring_signed(u64 id, const struct up_ticket *t, u32 *calls)
{
	long err;

	*calls = 0;
	do {
		memcpy(phys(PAGE << PAGE_SHIFT), t, sizeof(*t));
		err = r_call(UP_CALL_VM_TICKET, id, PAGE, 0);
	} while (++*calls < 100 && err == -UP_EAGAIN);
	return err;
}

static long bring(u64 id, struct up_ticket *t)
{
	u32 calls;

	sign(t, authority_seed);
	return bring_signed(id, t, &calls);
}

static bool runs(u64 id)
{
	return r_vm(id)->own.state == UP_VM_RUNNABLE && w_enter(true) == W_ENTERED;
}

static void write_msr(u32 msr, u64 value)
{
	fake_cpu->gpr[RCX] = msr;
	fake_cpu->gpr[RAX] = (u32)value;
	fake_cpu->gpr[RDX] = value >> 32;
	r_exit(EXIT_REASON_WRMSR, 0);
	assert_int_equal(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID, 0);
}

/* --- the right one --- */

static void it_serves(void **state)
{
	u64 id = build(1);
	struct up_ticket t = grant(id);
	u32 calls;

	(void)state;
	sign(&t, authority_seed);
	assert_int_equal(bring_signed(id, &t, &calls), 0);
	assert_int_equal(calls, PIECES);
	assert_true(w_enter(true) != W_ENTERED);	/* it is not measured yet */
	assert_int_equal(measure(id), 0);
	assert_true(runs(id));
}

static void it_may_come_before_anything_else(void **state)
{
	struct up_ticket t;
	u64 id = build(1);

	(void)state;
	t = grant(id);		/* the measurement is known: of such a VM before */
	r_end_vms();
	assert_int_equal(r_call(UP_CALL_VM_CREATE, 0, 0, 0), 0);
	id = r_answer(RBX);
	assert_int_equal(bring(id, &t), 0);
	r_call(UP_CALL_VM_KILL, id, 0, 0);
}

static void without_an_authority_nobody_asks(void **state)
{
	struct up_status *st = phys((PAGE + 1) << PAGE_SHIFT);
	struct up_ticket t;
	long id = r_make_vm();

	(void)state;
	assert_true(id >= 0 && runs(id));
	r_to_host();
	t = grant(id);
	assert_int_equal(bring(id, &t), -UP_EBUSY);
	assert_int_equal(r_call(UP_CALL_VM_CREATE, 0, 0, 0), 0);
	assert_int_equal(bring(r_answer(RBX), &t), -UP_EPERM);
	assert_int_equal(r_call(UP_CALL_STATUS, PAGE + 1, 0, 0), 0);
	assert_int_equal(st->settings.authority[0], 0);
	assert_int_equal(st->settings.host[0], 0x40);
}

static void status_names_the_authority(void **state)
{
	struct up_status *st = phys(PAGE << PAGE_SHIFT);

	(void)state;
	assert_int_equal(r_call(UP_CALL_STATUS, PAGE, 0, 0), 0);
	assert_int_equal(st->settings.version, 2);
	assert_memory_equal(st->settings.authority, authority.public, 32);
	assert_memory_equal(st->settings.host, up_config.host, 32);
}

/* --- wrong ones --- */

static void no_lifetime(struct up_ticket *t)
{
	t->lifetime = 0;
}

static void but_its_last_byte(struct up_ticket *t)
{
	t->signature[63] = 0;
}

static void magic(struct up_ticket *t) { memcpy(t, "UPTICKT1", 8); }
static void version(struct up_ticket *t) { t->version = 3; }
static void size(struct up_ticket *t) { t->size--; }
static void flags(struct up_ticket *t) { t->flags = 1; }
static void reserved(struct up_ticket *t) { t->reserved = 1; }
static void host(struct up_ticket *t) { t->host[31] ^= 1; }
static void image(struct up_ticket *t) { t->image[31] ^= 1; }
static void nonce(struct up_ticket *t) { t->nonce[31] ^= 1; }
static void lifetime(struct up_ticket *t) { t->lifetime = UP_TICKET_LIFETIME; }
static void for_ever(struct up_ticket *t) { t->lifetime = ~0ULL; }
static void no_challenge(struct up_ticket *t) { t->challenge[0] ^= 1; }
static void zero_challenge(struct up_ticket *t) { memset(t->challenge, 0, 32); }
static void another_bit(struct up_ticket *t) { t->measurement[31] ^= 1; }
static void one_vcpu_less(struct up_ticket *t) { t->vcpus--; }
static void one_vcpu_more(struct up_ticket *t) { t->vcpus++; }
static void less_memory(struct up_ticket *t) { t->frames--; }
static void current_nonce(struct up_ticket *t) { key_nonce(t->nonce); }
static void another_uuid(struct up_ticket *t) { t->vm[15] ^= 1; }
static void another_definition(struct up_ticket *t) { t->definition[0] ^= 1; }
static void another_role(struct up_ticket *t) { t->role[0] ^= 1; }
static void issued_later(struct up_ticket *t) { t->issued++; }
static void another_issuer(struct up_ticket *t) { t->issuer[0] ^= 1; }
static void more_memory(struct up_ticket *t) { t->frames++; }
static void longer_life(struct up_ticket *t) { t->lifetime++; }
static void no_signature(struct up_ticket *t) { memset(t->signature, 0, 64); }
static void its_first_half(struct up_ticket *t) { memset((u8 *)t + 208, 0, 208); }
static void by_another(struct up_ticket *t) { sign(t, other_seed); }

/* L, the order of the base point: S + L is as good a number, and no signature's. */
static void another_number(struct up_ticket *t)
{
	static const u8 order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde,
		0xf9, 0xde, 0x14, [31] = 0x10,
	};
	u32 i, carry = 0;

	for (i = 0; i < 32; i++) {
		carry += t->signature[32 + i] + order[i];
		t->signature[32 + i] = (u8)carry;
		carry >>= 8;
	}
}

/* What happens between the ticket's issue and its being brought.  Return: to which VM */
static u64 later(u64 id, const struct up_ticket *t)
{
	(void)t;
	r_tsc[fake_cpu->cpu] += LIFETIME;
	return id;
}

/* By the host, which the processor would have it then: the test's clock follows the register. */
static u64 set_back(u64 id, const struct up_ticket *t)
{
	u64 *tsc = &r_tsc[fake_cpu->cpu], made = *tsc;

	later(id, t);
	w_msr[MSR_TSC] = *tsc;
	write_msr(MSR_TSC, made);
	*tsc = w_msr[MSR_TSC];
	return id;
}

static u64 adjusted(u64 id, const struct up_ticket *t)
{
	later(id, t);
	w_msr[MSR_TSC_ADJUST] = 0;
	write_msr(MSR_TSC_ADJUST, -LIFETIME);
	r_tsc[fake_cpu->cpu] += w_msr[MSR_TSC_ADJUST];
	return id;
}

static u64 on_a_cpu_behind(u64 id, const struct up_ticket *t)
{
	(void)t;
	r_tsc[fake_cpu->cpu]--;
	return id;
}

static u64 hoarded(u64 id, const struct up_ticket *t)
{
	u8 value[32];
	u32 i;

	(void)t;
	for (i = 0; i < CHALLENGES; i++)
		challenge(value);
	return id;
}

static u64 relaunched(u64 id, const struct up_ticket *t)
{
	(void)t;
	key_make();	/* its challenge is outstanding all the same */
	return id;
}

/* Another VM was started by it. */
static u64 served(u64 id, const struct up_ticket *t)
{
	u32 calls;

	assert_int_equal(bring_signed(id, t, &calls), 0);
	assert_int_equal(measure(id), 0);
	assert_true(runs(id));
	r_to_host();
	r_end_vms();
	return build(2);
}

/* Another VM took it, and never ran. */
static u64 kept_by_another(u64 id, const struct up_ticket *t)
{
	u32 calls;

	assert_int_equal(bring_signed(id, t, &calls), 0);
	r_end_vms();
	return build(2);
}

/* A VM that has the right ticket, but for what is in its first frame. */
static u64 for_another_vm(u64 id, const struct up_ticket *t)
{
	(void)t;
	r_end_vms();
	*(u8 *)phys(R_VM_PFN << PAGE_SHIFT) ^= 1;
	return build(2);
}

/* The first piece is of this one. */
static u64 begun(u64 id, const struct up_ticket *t)
{
	memcpy(phys(PAGE << PAGE_SHIFT), t, sizeof(*t));
	assert_int_equal(r_call(UP_CALL_VM_TICKET, id, PAGE, 0), -UP_EAGAIN);
	return id;
}

#define UNSIGNED	"refused: not signed by the authority"
#define ANOTHER_VM	"ticket: for a VM of another measurement"
#define NO_TICKET	"refused: no ticket of version 2"
#define USED		"refused: its challenge is not outstanding: used, old, or another's"

/*
 * The host's own program brings each by the call alone, to a VM of two vCPUs which a right one
 * admits.  The authority has signed what @before makes of a right one; @behind edits that.
 */
static const struct wrong {
	const char *name;
	void (*before)(struct up_ticket *t);
	void (*behind)(struct up_ticket *t);
	u64 (*meanwhile)(u64 id, const struct up_ticket *t);
	const char *why;
} wrongs[] = {
	{ "of version 1", magic, NULL, NULL, NO_TICKET },
	{ "of a later version", version, NULL, NULL, NO_TICKET },
	{ "of another size", size, NULL, NULL, NO_TICKET },
	{ "with a flag", flags, NULL, NULL, NO_TICKET },
	{ "with a reserved byte", reserved, NULL, NULL, NO_TICKET },
	{ "for another host", host, NULL, NULL, "refused: for another host" },
	{ "for another root image", image, NULL, NULL, "refused: for another root image" },
	{ "for another launch", nonce, NULL, NULL, "refused: for another launch" },
	{ "for too long", lifetime, NULL, NULL, "refused: its lifetime is too long" },
	{ "for ever", for_ever, NULL, NULL, "refused: its lifetime is too long" },
	{ "for no time", no_lifetime, NULL, NULL, "refused: too late" },
	{ "for a challenge that was not made", no_challenge, NULL, NULL, USED },
	{ "for no challenge", zero_challenge, NULL, NULL, USED },
	{ "of another measurement", another_bit, NULL, NULL, ANOTHER_VM },
	{ "for a vCPU less", one_vcpu_less, NULL, NULL, "ticket: for another number of vCPUs" },
	{ "for a vCPU more", one_vcpu_more, NULL, NULL, "ticket: for another number of vCPUs" },
	{ "for less memory", less_memory, NULL, NULL, "ticket: for less memory" },
	{ "another VM under a right one", NULL, NULL, for_another_vm, ANOTHER_VM },
	{ "of another authority", NULL, by_another, NULL, UNSIGNED },
	{ "not signed", NULL, no_signature, NULL, UNSIGNED },
	{ "with its signature's other number", NULL, another_number, NULL, UNSIGNED },
	{ "cut in half", NULL, its_first_half, NULL, UNSIGNED },
	{ "cut before its last byte", NULL, but_its_last_byte, NULL, UNSIGNED },
	{ "edited: measurement", NULL, another_bit, NULL, UNSIGNED },
	{ "edited: vCPUs", NULL, one_vcpu_less, NULL, UNSIGNED },
	{ "edited: memory", NULL, more_memory, NULL, UNSIGNED },
	{ "edited: lifetime", NULL, longer_life, NULL, UNSIGNED },
	{ "edited: challenge", NULL, no_challenge, NULL, UNSIGNED },
	{ "edited: UUID", NULL, another_uuid, NULL, UNSIGNED },
	{ "edited: definition", NULL, another_definition, NULL, UNSIGNED },
	{ "edited: role", NULL, another_role, NULL, UNSIGNED },
	{ "edited: time of issue", NULL, issued_later, NULL, UNSIGNED },
	{ "edited: issuer", NULL, another_issuer, NULL, UNSIGNED },
	{ "edited while it is checked", NULL, more_memory, begun, UNSIGNED },
	{ "replayed for the next VM", NULL, NULL, served, USED },
	{ "kept from a VM that never ran", NULL, NULL, kept_by_another, USED },
	{ "hoarded", NULL, NULL, hoarded, USED },
	{ "a relaunch with the old nonce", NULL, NULL, relaunched, "refused: for another launch" },
	{ "a relaunch, edited to its nonce", NULL, current_nonce, relaunched, UNSIGNED },
	{ "too late", NULL, NULL, later, "refused: too late" },
	{ "too late, the TSC set back", NULL, NULL, set_back, "refused: too late" },
	{ "too late, the TSC adjusted", NULL, NULL, adjusted, "refused: too late" },
	{ "on a CPU whose TSC is behind", NULL, NULL, on_a_cpu_behind, "refused: too late" },
};

/* The layer's last words, from a position in its log on. */
static void assert_said(u64 from, const char *name, const char *why)
{
	char text[1024], line[128];
	u32 len = log_read(&from, text, sizeof(text) - 1);

	text[len] = 0;
	snprintf(line, sizeof(line), "%s\n", why);
	if (!len || !strstr(text, line))
		fail_msg("%s: wanted '%s', the log says: %s", name, why, text);
}

static void one_is_refused(const struct wrong *w)
{
	u64 id = build(2), from = ~0ULL, denied;
	struct up_ticket t = grant(id);
	u32 calls;
	long err;

	if (w->before)
		w->before(&t);
	sign(&t, authority_seed);
	if (w->meanwhile)
		id = w->meanwhile(id, &t);
	if (w->behind)
		w->behind(&t);
	log_read(&from, NULL, 0);	/* to its end */
	denied = denied_count();
	err = bring_signed(id, &t, &calls);
	err = err ? err : measure(id);
	if (err != -UP_EPERM || denied_count() != denied + 1)
		fail_msg("%s: %ld", w->name, err);
	assert_said(from, w->name, w->why);
	if (measure(id) != -UP_EPERM || w_enter(true) == W_ENTERED)
		fail_msg("%s: it runs", w->name);
	/* Nothing else was wrong. */
	t = grant(id);
	if (bring(id, &t) || measure(id) || !runs(id))
		fail_msg("%s: a right one is none", w->name);
	r_to_host();
	r_end_vms();
}

/* Of twenty at least: docs/ticket.md. */
static void wrong_ones_are_refused_by_the_layer(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrongs); i++)
		one_is_refused(&wrongs[i]);
	printf("# %u wrong tickets, each refused by the layer for its reason\n", i);
	assert_true(i >= 20);
}

/* Each byte of a good one; and none of that has used the challenge up. */
static void refused_unless_signed(void **state)
{
	u64 id = build(1);
	struct up_ticket t = grant(id), edited;
	u32 i, calls;

	(void)state;
	r_quiet(true);
	sign(&t, authority_seed);
	for (i = 0; i < sizeof(t); i++) {
		edited = t;
		((u8 *)&edited)[i] ^= 1u << i % 8;
		assert_int_equal(bring_signed(id, &edited, &calls), -UP_EPERM);
	}
	assert_int_equal(bring_signed(id, &t, &calls), 0);
	r_quiet(false);
}

static void what_is_changed_meanwhile_begins_anew(void **state)
{
	u64 id = build(1);
	struct up_ticket t = grant(id), edited;
	u32 i, calls;

	(void)state;
	sign(&t, authority_seed);
	for (i = 1; i < PIECES; i++) {
		memcpy(phys(PAGE << PAGE_SHIFT), &t, sizeof(t));
		assert_int_equal(r_call(UP_CALL_VM_TICKET, id, PAGE, 0), -UP_EAGAIN);
	}
	edited = t;
	edited.measurement[0] ^= 1;
	assert_int_equal(bring_signed(id, &edited, &calls), -UP_EPERM);
	assert_int_equal(calls, PIECES);
	assert_int_equal(measure(id), -UP_EPERM);
}

static void it_serves_once(void **state)
{
	u64 first = build(1), second;
	struct up_ticket t = grant(first);
	u32 calls;

	(void)state;
	assert_int_equal(bring(first, &t), 0);
	assert_int_equal(bring_signed(first, &t, &calls), -UP_EPERM);
	assert_int_equal(measure(first), 0);
	assert_int_equal(bring_signed(first, &t, &calls), -UP_EBUSY);
	r_end_vms();
	second = build(1);
	assert_int_equal(bring_signed(second, &t, &calls), -UP_EPERM);
	assert_int_equal(measure(second), -UP_EPERM);
}

static void a_hoarded_one_is_refused(void **state)
{
	u64 id = build(1);
	struct up_ticket t = grant(id), last;
	u8 value[32];
	u32 i;

	(void)state;
	for (i = 1; i < CHALLENGES; i++)
		challenge(value);
	last = t;
	assert_int_equal(bring(id, &t), 0);	/* as many are outstanding */
	last = grant(id);
	for (i = 0; i < CHALLENGES; i++)
		challenge(value);
	assert_int_equal(bring(id, &last), -UP_EPERM);
}

static void in_another_launch_it_is_refused(void **state)
{
	u64 id = build(1);
	struct up_ticket t = grant(id);

	(void)state;
	key_make();	/* its challenge is outstanding all the same */
	assert_int_equal(bring(id, &t), -UP_EPERM);
	key_nonce(t.nonce);
	assert_int_equal(bring(id, &t), 0);
}

static void too_late_it_is_refused(void **state)
{
	u64 id = build(1);
	struct up_ticket t = grant(id);

	(void)state;
	r_tsc[0] += LIFETIME;
	assert_int_equal(bring(id, &t), -UP_EPERM);
	t = grant(id);
	r_tsc[0] += LIFETIME - 1;
	assert_int_equal(bring(id, &t), 0);
	/* Brought in time, and kept: it may not run. */
	r_tsc[0]++;
	assert_int_equal(measure(id), -UP_EPERM);
	r_tsc[0]--;
	assert_int_equal(measure(id), 0);
}

static void the_host_cannot_set_the_clock_back(void **state)
{
	u64 id = build(1);
	struct up_ticket t = grant(id);

	(void)state;
	w_msr[MSR_TSC] = 500;
	w_msr[MSR_TSC_ADJUST] = 600;
	write_msr(MSR_TSC, 5);
	write_msr(MSR_TSC_ADJUST, ~0ULL << 30);
	assert_int_equal(w_msr[MSR_TSC], 500);
	assert_int_equal(w_msr[MSR_TSC_ADJUST], 600);
	/* And where a CPU's TSC is behind: no ticket is young there. */
	w_use_cpu(1);
	r_tsc[1] = r_tsc[0] - 1;
	assert_int_equal(bring(id, &t), -UP_EPERM);
	w_use_cpu(0);
}

static void the_clock_is_the_hosts_where_no_ticket_is_asked_for(void **state)
{
	(void)state;
	write_msr(MSR_TSC, 5);
	write_msr(MSR_TSC_ADJUST, 6);
	assert_int_equal(w_msr[MSR_TSC], 5);
	assert_int_equal(w_msr[MSR_TSC_ADJUST], 6);
}

static void challenges_are_no_two_alike(void **state)
{
	u8 one[32], two[32];

	(void)state;
	challenge(one);
	challenge(two);
	assert_memory_not_equal(one, two, 32);
	assert_int_equal(r_call(UP_CALL_CHALLENGE, LAYER_START, 0, 0), -UP_EINVAL);
	r_rdrand.dry = ~0u;
	assert_int_equal(r_call(UP_CALL_CHALLENGE, PAGE, 0, 0), -UP_EPERM);
	r_rdrand = (struct r_source){ 7, 0, 0 };
	assert_int_equal(r_call(UP_CALL_CHALLENGE, PAGE, 0, 0), -UP_EPERM);
}

static void not_from_anothers_page(void **state)
{
	(void)state;
	assert_int_equal(r_call(UP_CALL_VM_TICKET, 0, LAYER_START, 0), -UP_EINVAL);
	assert_int_equal(r_call(UP_CALL_VM_TICKET, 0, RAM_END, 0), -UP_EINVAL);
	assert_int_equal(r_call(UP_CALL_VM_TICKET, 0, PAGE, 0), -UP_ENOENT);
	assert_int_equal(r_call(UP_CALL_VM_TICKET, ~0ULL, PAGE, 0), -UP_ENOENT);
}

/* --- good here and now, and another VM's --- */

static void of_another_vm_it_admits_none(void **state)
{
	u64 id = build(2);
	struct up_ticket t = grant(id);

	(void)state;
	assert_int_equal(t.vcpus, 2);
	t.measurement[31] ^= 1;
	assert_int_equal(bring(id, &t), 0);
	assert_int_equal(measure(id), -UP_EPERM);
	t = grant(id);
	t.vcpus = 1;
	assert_int_equal(bring(id, &t), 0);
	assert_int_equal(measure(id), -UP_EPERM);
	t = grant(id);
	t.vcpus = 3;
	assert_int_equal(bring(id, &t), 0);
	assert_int_equal(measure(id), -UP_EPERM);
	t = grant(id);
	t.frames = R_VM_FRAMES - 1;
	assert_int_equal(bring(id, &t), 0);
	assert_int_equal(measure(id), -UP_EPERM);
	assert_true(w_enter(true) != W_ENTERED);
	/* The last one that was good counts. */
	t = grant(id);
	assert_int_equal(bring(id, &t), 0);
	t.host[0] ^= 1;
	assert_int_equal(bring(id, &t), -UP_EPERM);
	assert_int_equal(measure(id), 0);
	assert_true(runs(id));
}

static void memory_is_what_it_grants(void **state)
{
	u64 *list = phys(R_LISTS << PAGE_SHIFT), id = build(1);
	struct up_ticket t = grant(id);

	(void)state;
	t.frames = R_VM_FRAMES + 1;
	assert_int_equal(bring(id, &t), 0);
	assert_int_equal(measure(id), 0);
	list[0] = R_VM_PFN + R_VM_FRAMES;
	list[1] = R_VM_FRAMES;
	list[2] = list[0] + 1;
	list[3] = list[1] + 1;
	assert_int_equal(r_call(UP_CALL_VM_DONATE, id, R_LISTS, 2), -UP_EPERM);
	assert_int_equal(r_answer(RBX), 1);
	assert_int_equal(r_vm(id)->own.frames, R_VM_FRAMES + 1);
}

static void a_dead_vm_takes_none(void **state)
{
	u64 id = build(1);
	struct up_ticket t = grant(id);

	(void)state;
	assert_int_equal(r_call(UP_CALL_VM_KILL, id, 0, 0), 0);
	assert_int_equal(bring(id, &t), -UP_EBUSY);
}

#define T(test)	cmocka_unit_test_setup_teardown(test, start, r_end_and_forget)
#define NONE(test) cmocka_unit_test_setup_teardown(test, start_without, r_end_and_forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_serves), T(it_may_come_before_anything_else), T(status_names_the_authority),
		NONE(without_an_authority_nobody_asks),
		T(wrong_ones_are_refused_by_the_layer), T(refused_unless_signed),
		T(what_is_changed_meanwhile_begins_anew),
		T(it_serves_once), T(a_hoarded_one_is_refused),
		T(in_another_launch_it_is_refused), T(too_late_it_is_refused),
		T(the_host_cannot_set_the_clock_back),
		NONE(the_clock_is_the_hosts_where_no_ticket_is_asked_for),
		T(challenges_are_no_two_alike), T(not_from_anothers_page),
		T(of_another_vm_it_admits_none), T(memory_is_what_it_grants),
		T(a_dead_vm_takes_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
