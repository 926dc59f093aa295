// SPDX-License-Identifier: GPL-2.0
/*
 * Attacks on a guest of the GHCI: its devices, what it shares, its second vCPU, its time and
 * its processor (tests/guest/tiny-ghci.S).  Without a layer the same firmware does the same
 * with instructions.
 */
#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include <x86intrin.h>
#include "attack.h"
#include "vmcs_enc.h"

#define EXITS		90	/* some rounds of the firmware's, and a command */
#define STUB_LEN	3	/* of what KVM emulates for MMIO (docs/guest.md) */
#define MOV_LEN		2	/* of the firmware's own MOV */
#define ELSEWHERE	0x600	/* victim.c: code that says V */
#define OWN_GPA		0x340000u
#define RACE_GPA	0x310000u
#define RACE_PAGES	16
#define EVENTS		200
#define PIN_TIMER	(1u << 6)
#define HOSTS_WORD	0x43434343u

/* The VM has taken the character that there was. */
static bool key_taken(const struct shared *sh, uint64_t end)
{
	while (__atomic_load_n(&sh->key, __ATOMIC_ACQUIRE))
		if (usleep(500) || now_ms() > end || sh->ended)
			return false;
	return true;
}

static bool send_keys(struct shared *sh, const char *keys, uint64_t end)
{
	for (; *keys; keys++) {
		__atomic_store_n(&sh->key, *keys, __ATOMIC_RELEASE);
		if (!key_taken(sh, end))
			return false;
	}
	return true;
}

char tell(struct victim *v, const char *keys, const char *answers, char *text, unsigned int len)
{
	struct shared *sh = v->sh;
	uint64_t end = now_ms() + 3000;
	uint32_t at = sh->nlog;

	if (!send_keys(sh, keys, end))
		return 0;
	for (; now_ms() < end && !sh->ended; usleep(500)) {
		while (at < sh->nlog && !strchr(answers, sh->log[at]))
			at++;
		if (at + len >= sh->nlog)
			continue;
		if (len)
			memcpy(text, sh->log + at + 1, len);
		return sh->log[at];
	}
	return 0;
}

/* --- devices ----------------------------------------------------------------------- */

/* The firmware reads a device, and the host answers by its rules, but as @r alters. */
static struct atk_run device_run(const struct victim *v)
{
	return (struct atk_run){
		.exits = EXITS, .keys = "m", .device_value = 0x5a,
		.device_len = v->protected ? STUB_LEN : MOV_LEN,
	};
}

static bool device_disturbs(struct victim *v, struct atk_run *r)
{
	run_vcpu(v, r);
	note("%u accesses to the device", r->devices);
	return run_disturbs(v, r) || (v->protected && !r->devices);
}

static void poke(struct atk_run *r, uint32_t field, uint64_t value)
{
	r->poke[r->npokes].field = field;
	r->poke[r->npokes++].value = value;
}

static bool more_bytes(struct victim *v)
{
	struct atk_run r = device_run(v);

	r.device_value = 0x4141414141414141;
	return device_disturbs(v, &r);
}

static bool another_length(struct victim *v)
{
	struct atk_run r = device_run(v);

	r.device_first = r.device_len + 7;
	return device_disturbs(v, &r);
}

static bool another_rip(struct victim *v)
{
	struct atk_run r = device_run(v);

	r.alter = ATK_AT_DEVICE;
	poke(&r, ENC_GUEST_RIP, 0x1000);
	return device_disturbs(v, &r);
}

static bool another_cs(struct victim *v)
{
	struct atk_run r = device_run(v);

	r.alter = ATK_AT_DEVICE;
	poke(&r, ENC_GUEST_CS_AR, 0xc09b);
	poke(&r, ENC_GUEST_CS_BASE, 0x5000);
	return device_disturbs(v, &r);
}

static bool aimed_elsewhere(struct victim *v)
{
	struct atk_run r = device_run(v);

	r.alter = ATK_AT_DEVICE;
	poke(&r, ENC_GUEST_CS_BASE, 0);
	poke(&r, ENC_GUEST_RIP, ELSEWHERE);
	return device_disturbs(v, &r);
}

static bool registers_seen(struct victim *v)
{
	struct atk_run r = device_run(v);

	run_vcpu(v, &r);
	run_describe(v, &r);
	note("%u accesses to the device", r.devices);
	return r.leak & ATK_LEAK_GPR || !r.devices;
}

/* --- what it shares ------------------------------------------------------------------ */

static bool asks_to_share(struct victim *v, uint64_t gpa)
{
	char keys[18] = "v";
	int i;

	for (i = 0; i < 16; i++)
		keys[1 + i] = (char)('a' + (gpa >> (60 - 4 * i) & 15));
	return tell(v, keys, "YL", NULL, 0) == 'Y';
}

/* Of memory that it has none of, devices, the layer's frames, what is no address. */
static bool share_what_is_not_its_own(struct victim *v)
{
	const uint64_t gpa[] = {
		RAM_SIZE, DEVICE_GPA, 0xfec00000, 0xfee00000, ROM_GPA - PAGE,
		layer_pfn[0] * PAGE, layer_pfn[layer_pfns / 2] * PAGE, 1ULL << 40, OWN_GPA + 1,
	};
	struct victim *own;
	unsigned int i, taken = 0;
	bool control;

	if (v->protected) {
		for (i = 0; i < sizeof(gpa) / sizeof(*gpa); i++)
			taken += asks_to_share(v, gpa[i]);
		note("%u of %zu were taken", taken, sizeof(gpa) / sizeof(*gpa));
		return taken;
	}
	/* The control: of its own memory a protected one may. */
	own = victim_start(true, true, 1, &v->sh->half);
	control = tell(own, "g", "G", NULL, 0) && asks_to_share(own, OWN_GPA);
	victim_release(own);
	victim_kill(own);
	return control;
}

static bool reads_what_the_host_wrote(struct victim *v)
{
	uint64_t word = HOSTS_WORD, pa;
	char text[9] = "";
	bool answers;

	if (!tell(v, "s", "H", NULL, 0))
		return true;
	victim_frames(v);
	pa = pfn_of(v, SHARED_GPA) * PAGE;
	mem_read(pa, text, 8, ATK_DIRECT);
	if (strcmp(text, "SHARED")) {
		note("the host does not find what the VM shares: %s", text);
		return true;
	}
	mem_write(pa, &word, sizeof(word), ATK_DIRECT);
	memset(text, 0, sizeof(text));
	answers = tell(v, "p", "K", text, 8);
	note("the VM %s %s, ended %d", answers ? "reads" : "reads nothing", text, v->sh->ended);
	return answers && strtoul(text, NULL, 16) == HOSTS_WORD;
}

static bool shares_what_is_private(struct victim *v)
{
	uint8_t page[PAGE] = { 0 };
	bool answers = tell(v, "o", "O", NULL, 0);

	victim_frames(v);
	mem_read(pfn_of(v, SPARE_GPA) * PAGE, page, PAGE, ATK_DIRECT);
	note("the VM %s, ended %d", answers ? "goes on" : "does not answer", v->sh->ended);
	return has_secret(v, page, PAGE);
}

/* --- its other vCPU ------------------------------------------------------------------- */

static int aimed;	/* in the victim's process: at ELSEWHERE */

static void aim(struct shared *sh)
{
	struct kvm_regs regs = { .rip = ELSEWHERE, .rsp = 0x4000, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(sh->other, KVM_GET_SREGS, &sregs))
		err(1, "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(sh->other, KVM_SET_SREGS, &sregs) || ioctl(sh->other, KVM_SET_REGS, &regs))
		err(1, "KVM_SET_REGS");
}

static void *other_main(void *arg)
{
	struct shared *sh = arg;
	size_t size = (size_t)ioctl(sh->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, sh->other, 0);

	if (run == MAP_FAILED)
		err(1, "mmap of the other vCPU");
	for (;;) {
		if (__atomic_exchange_n(&aimed, 0, __ATOMIC_ACQUIRE))
			aim(sh);
		if (!ioctl(sh->other, KVM_RUN, 0) && run->exit_reason == KVM_EXIT_IO)
			victim_io(sh, run);
		else
			usleep(1000);
	}
	return NULL;
}

static pthread_t other;

/* @arg: int: whether it is aimed.  The second time the vCPU is entered anew. */
static int other_fn(struct shared *sh, void *arg)
{
	static bool started;

	__atomic_store_n(&aimed, *(int *)arg, __ATOMIC_RELEASE);
	if (started)
		return pthread_kill(other, SIGUSR1);
	started = true;
	return pthread_create(&other, NULL, other_main, sh);
}

static void enter_other(struct victim *v, int at_elsewhere)
{
	if (victim_do(v, other_fn, &at_elsewhere, sizeof(at_elsewhere)))
		errx(1, "the other vCPU's thread does not start");
	nap(150);
}

static unsigned int said(const struct victim *v, char what)
{
	unsigned int n = 0;
	uint32_t i;

	for (i = 0; i < v->sh->nlog; i++)
		n += v->sh->log[i] == what;
	return n;
}

/* Before the firmware asks, then started by it, and then once more; not at all before all that. */
static bool enter_it_elsewhere(struct victim *v)
{
	bool well = true;

	if (v->protected) {
		victim_resume(v);
		well = victim_well(v, 2);
	}
	enter_other(v, 1);
	victim_resume(v);
	if (v->protected) {
		well = well && tell(v, "g", "G", NULL, 0);
		enter_other(v, 1);
		well = well && victim_well(v, 2);
		enter_other(v, 1);
		well = well && victim_well(v, 2);
	}
	note("V %u times, T %u times, %s", said(v, 'V'), said(v, 'T'), well ? "well" : "not well");
	return said(v, 'V') || said(v, 'T') > 1 || !well;
}

/* This one shares a page, that one takes it back, at once; none may show what it held. */
static bool race_conversions(struct victim *v)
{
	uint8_t page[PAGE];
	unsigned int i, found = 0;
	bool ends;

	victim_resume(v);
	if (!victim_well(v, 2) || !tell(v, "g", "G", NULL, 0))
		return true;
	if (v->protected)
		enter_other(v, 0);
	ends = tell(v, "c", "C", NULL, 0);
	victim_frames(v);
	for (i = 0; i < RACE_PAGES; i++) {
		mem_read(pfn_of(v, RACE_GPA + i * PAGE) * PAGE, page, PAGE, ATK_DIRECT);
		found += has_secret(v, page, PAGE);
	}
	note("all rounds: %s; the secret is in %u pages; ended %d", ends ? "yes" : "no", found,
	     v->sh->ended);
	return found || !ends;
}

/* --- its time and its processor -------------------------------------------------------- */

static bool tsc_backwards(struct victim *v)
{
	struct atk_run r = { .exits = EXITS };

	tell(v, "t", "S", NULL, 0);
	poke(&r, ENC_TSC_OFFSET, 1000 - __rdtsc());
	run_vcpu(v, &r);
	return run_disturbs(v, &r);
}

static bool cpuid_lies(struct victim *v)
{
	struct atk_run r = { .exits = EXITS, .alter = ATK_LIE };

	tell(v, "i", "S", NULL, 0);
	run_vcpu(v, &r);
	return run_disturbs(v, &r);
}

static struct atk_run events_run(struct victim *v)
{
	struct atk_run r = {
		.exits = 3000, .keys = "n", .alter = ATK_INJECT | ATK_POKE_FIRST, .events = EVENTS,
		.ticks = 20000,
	};

	if (getrandom(&r.seed, sizeof(r.seed), 0) != sizeof(r.seed))
		err(1, "getrandom");
	r.poke[0].mask = 1;
	poke(&r, ENC_PIN_CTLS, PIN_TIMER);
	poke(&r, ENC_PREEMPTION_TIMER, 20);
	run_vcpu(v, &r);
	note("seed %#llx: %u events", r.seed, r.injected);
	return r;
}

/* Hardware refuses some events, and one may end the VM at once: until it takes an exception. */
static bool takes_an_exception(struct victim *v)
{
	struct atk_run r;
	int i;

	for (i = 0; i < 30; i++) {
		r = events_run(v);
		if (memchr(r.chars, 'E', r.nchars))
			return true;
	}
	return false;
}

/* In its loop, with interrupts on, and in its handlers. */
static bool inject_everything(struct victim *v)
{
	char text[9] = "";
	struct atk_run r;

	if (!v->protected)
		return takes_an_exception(v);
	r = events_run(v);
	if (run_disturbs(v, &r) || r.injected < EVENTS || !tell(v, "N", "I", text, 8))
		return true;
	note("interrupts taken: %ld", strtol(text, NULL, 16));
	return !strtol(text, NULL, 16) || !victim_well(v, 2);
}

/* --- what a device costs (tests/bench) -------------------------------------------------- */

#define DOORBELL	(DEVICE_GPA + 0x10)	/* tests/guest/tiny-ghci.S */

/* As QEMU's virtio devices have it: of any length, for which KVM does not emulate. */
static int doorbell_fn(struct shared *sh, void *arg)
{
	struct kvm_ioeventfd bell = { .addr = DOORBELL, .fd = eventfd(0, 0) };

	(void)arg;
	return ioctl(sh->vm, KVM_IOEVENTFD, &bell);
}

int ghci_cost(bool protect, const struct atk_secret *half)
{
	struct victim *v = victim_start(protect, true, 1, half);
	unsigned int doorbell, device;
	char text[17] = "";

	if (victim_do(v, doorbell_fn, NULL, 0) || !tell(v, "g", "G", NULL, 0) ||
	    !tell(v, "d", "D", text, 16) || sscanf(text, "%8x%8x", &doorbell, &device) != 2)
		errx(1, "a device's cost: %s, ended %d", text, v->sh->ended);
	printf("cost doorbell %u\ncost device %u\n", doorbell, device);
	victim_kill(v);
	return 0;
}

const struct attack ghci_attacks[] = {
	{ 200, "a device's byte completed with more bytes", more_bytes, GHCI | TAINTS },
	{ 201, "a device's access completed with another length", another_length, GHCI | TAINTS },
	{ 202, "a device's access completed with another RIP", another_rip, GHCI | TAINTS },
	{ 203, "a device's access completed with another CS", another_cs, GHCI | TAINTS },
	{ 204, "KVM's CS and RIP aimed at other code", aimed_elsewhere, GHCI | TAINTS },
	{ 205, "GPRs after an access to a device", registers_seen, GHCI },
	{ 206, "another TSC, which runs backwards", tsc_backwards, GHCI | TAINTS },
	{ 207, "CPUID that lies", cpuid_lies, GHCI | TAINTS },
	{ 208, "MapGPA of what is not the VM's", share_what_is_not_its_own, GHCI },
	{ 209, "a shared page, read by its private address", reads_what_the_host_wrote,
	  GHCI | TAINTS | ENDS },
	{ 210, "a private page, written by its shared address", shares_what_is_private,
	  GHCI | TAINTS | ENDS },
	{ 211, "conversions raced by the other vCPU", race_conversions, FRESH | PAIR },
	{ 212, "the other vCPU entered early, elsewhere, twice", enter_it_elsewhere, FRESH | PAIR },
	{ 213, "200 events of any kind", inject_everything, GHCI | TAINTS },
	{ 0 }
};
