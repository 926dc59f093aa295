// SPDX-License-Identifier: GPL-2.0
/* Attacks with two processors: everything else runs on the first. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "attack.h"
#include "vmx/abi/call.h"

#define OTHER		1	/* the processor that hammers, and is sent INIT */
#define ROUNDS		40
#define PATTERN		0x4242424242424242ULL

/* Memory below 1 MiB that Linux leaves alone. */
#define START_PA	0x7000u
#define START_VECTOR	7
#define COPY_PA		0x6000u
#define IDT_PA		0x7800u
#define PARAMETERS_PA	0x7f00u

void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
}

void hammer_start(const struct atk_hammer *h)
{
	if (ioctl(attack_fd, ATK_HAMMER, h))
		err(1, "ATK_HAMMER");
}

void hammer_stop(struct atk_hammer *h)
{
	if (ioctl(attack_fd, ATK_HAMMER_STOP, h))
		err(1, "ATK_HAMMER_STOP");
}

static bool ok(const struct atk_call *c)
{
	return !c->fault && !c->rax;
}

static void race(struct atk_race *r)
{
	r->cpu = OTHER;
	if (ioctl(attack_fd, ATK_RACE, r))
		err(1, "ATK_RACE");
}

/* --- stores while a frame changes hands --------------------------------------------- */

/*
 * The other processor has the frame's translation cached and takes no exit: until
 * it does, the frame must not come back from the VM that it was given to.
 */
static bool comes_back_early(void)
{
	uint64_t id = call_create(), list = module_page(), pfn = module_page();
	struct atk_hammer h = { .pa = pfn * PAGE, .a = PATTERN, .b = PATTERN, .cpu = OTHER,
				.limit = 3000000 };
	struct up_donation d = { pfn, 5 };
	struct atk_call c;
	int i, early = 0;

	mem_write(list * PAGE, &d, sizeof(d), ATK_DIRECT);
	hammer_start(&h);
	c = layer_call(UP_CALL_VM_DONATE, id, list, 1);
	note("donated under the other's stores: %lld", c.rax);
	layer_call(UP_CALL_VM_KILL, id, 0, 0);
	for (i = 0; i < 200; i++) {
		layer_call(UP_CALL_FLUSH, 0, 0, 0);
		c = layer_call(UP_CALL_VM_RECLAIM, id, list, 8);
		early += ok(&c) && c.rbx;
	}
	hammer_stop(&h);
	note("%llu stores, %llu of them lost; the frame came back early %d times", h.count,
	     h.strange, early);
	call_end(id);
	return early || !h.count;
}

/* The control: the other processor's stores to the secret reach the VM. */
static bool stores_in_between(struct victim *v)
{
	struct atk_hammer h = { .pa = pfn_of(v, SECRET_GPA) * PAGE, .a = PATTERN, .b = PATTERN,
				.cpu = OTHER, .limit = 3000000 };
	bool hit;

	hammer_start(&h);
	hit = disturbed(v);
	hammer_stop(&h);
	note("%llu stores to the VM's frame", h.count);
	return hit || (v->protected && comes_back_early());
}

/* --- two calls at once ---------------------------------------------------------------- */

static void write_donation(uint64_t list, uint64_t pfn, uint64_t gfn)
{
	struct up_donation d = { pfn, gfn };

	mem_write(list * PAGE, &d, sizeof(d), ATK_DIRECT);
}

/* Each round two donations at once.  Return: rounds in which both were taken */
static unsigned int donate_twice(bool same_frame, bool same_vm, bool same_gfn)
{
	uint64_t id[2] = { call_create(), call_create() };
	uint64_t list[2] = { module_page(), module_page() };
	unsigned int i, both = 0, one = 0, n;
	struct atk_race r;
	uint64_t pfn;

	for (i = 0; i < ROUNDS; i++) {
		pfn = module_page();
		write_donation(list[0], pfn, i);
		write_donation(list[1], same_frame ? pfn : module_page(),
			       same_gfn ? i : ROUNDS + i);
		r = (struct atk_race){ 0 };
		for (n = 0; n < 2; n++)
			r.call[n] = (struct atk_call){
				.rax = UP_CALL_VM_DONATE, .rbx = id[same_vm ? 0 : n],
				.rcx = list[n], .rdx = 1,
			};
		race(&r);
		both += ok(&r.call[0]) && ok(&r.call[1]);
		one += ok(&r.call[0]) != ok(&r.call[1]);
	}
	call_end(id[0]);
	call_end(id[1]);
	note("both taken %u times of %u, one %u times", both, ROUNDS, one);
	return both + (one + both < ROUNDS);
}

static bool one_frame_twice(struct victim *v)
{
	return donate_twice(v->protected, false, false);
}

static bool one_gfn_twice(struct victim *v)
{
	return donate_twice(false, true, v->protected);
}

/* Frames of a dead VM by both processors: each comes back once. */
static bool reclaim_twice(struct victim *v)
{
	uint64_t id = call_create(), list[2] = { module_page(), module_page() };
	uint64_t got[512], i, n = 0;
	struct atk_race r;
	unsigned int side, k, twice = 0, rounds;

	for (i = 0; i < ROUNDS; i++) {
		write_donation(list[0], module_page(), i);
		layer_call(UP_CALL_VM_DONATE, id, list[0], 1);
	}
	layer_call(UP_CALL_VM_KILL, id, 0, 0);
	for (rounds = 0; rounds < 200 && n < ROUNDS; rounds++) {
		r = (struct atk_race){ 0 };
		for (side = 0; side < 2; side++)
			r.call[side] = (struct atk_call){
				.rax = UP_CALL_VM_RECLAIM, .rbx = id, .rcx = list[side], .rdx = 3,
			};
		race(&r);
		for (side = 0; side < 2; side++) {
			if (!ok(&r.call[side]))
				continue;
			mem_read(list[side] * PAGE, got + n, (uint32_t)r.call[side].rbx * 8,
				 ATK_DIRECT);
			n += r.call[side].rbx;
		}
	}
	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			twice += got[i] == got[k];
	note("%lu of %u frames came back in %u rounds, %u twice", n, ROUNDS, rounds, twice);
	call_end(id);
	return v->protected ? twice || n != ROUNDS : n == ROUNDS;
}

/* --- VMXON ----------------------------------------------------------------------------- */

/* On the other processor, where KVM has no VMCS loaded. */
static bool vmxon(uint64_t pfn)
{
	struct atk_vmx x = { .vcpu_fd = -1, .op = ATK_VMXON_AT, .arg = pfn * PAGE };
	uint32_t revision = (uint32_t)rdmsr(0x480);

	mem_write(pfn * PAGE, &revision, 4, ATK_DIRECT);
	stay_on(OTHER);
	if (ioctl(attack_fd, ATK_VMX, &x))
		err(1, "ATK_VMX");
	stay_on(0);
	note("VMXON with frame %#lx: result %u", pfn, x.result);
	return x.result == ATK_OK;
}

static bool vmxon_frame(struct victim *v)
{
	bool hit = vmxon(pfn_of(v, SPARE_GPA));

	return hit || (v->protected && layer_pfns && vmxon(layer_pfn[0]));
}

/* --- INIT and SIPI ---------------------------------------------------------------------- */

extern const char start_code[], start_end[], start_gdt[], start_gdtr[], start_idtr[],
		  start_fault[];

/* Copies a page, and says so; or that it could not. */
__asm__(".section .rodata\n .code16\n"
	"start_code:\n"
	"	cli\n"
	"	mov %cs, %ax\n	mov %ax, %ds\n"
	"	lgdtl (start_gdtr - start_code)\n"
	"	lidtl (start_idtr - start_code)\n"
	"	mov %cr0, %eax\n	or $1, %eax\n	mov %eax, %cr0\n"
	"	ljmpl $8, $(1f - start_code + 0x7000)\n"
	"	.code32\n"
	"1:	mov $16, %ax\n	mov %ax, %ds\n	mov %ax, %es\n	mov %ax, %ss\n"
	"	mov $0x7f00, %esp\n"
	"	mov 0x7f00, %esi\n"
	"	mov $0x6000, %edi\n"
	"	mov $1024, %ecx\n"
	"	cld\n	rep movsl\n"
	"	movl $1, 0x7f04\n"
	"2:	cli\n	hlt\n	jmp 2b\n"
	"start_fault:\n"
	"	movl $2, 0x7f04\n"
	"	jmp 2b\n"
	"	.balign 8\n"
	"start_gdt:\n"
	"	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	"start_gdtr:\n"
	"	.word 23\n	.long start_gdt - start_code + 0x7000\n"
	"start_idtr:\n"
	"	.word 127\n	.long 0x7800\n"
	"start_end:\n"
	".code64\n .text\n");

static void write_start_code(uint64_t pa)
{
	uint64_t handler = (uint64_t)(start_fault - start_code) + START_PA, gate[16], i;
	uint32_t par[2] = { (uint32_t)pa, 0 };

	for (i = 0; i < 16; i++)
		gate[i] = handler | 8 << 16 | 0x8e00ULL << 32;
	mem_write(START_PA, start_code, (uint32_t)(start_end - start_code), ATK_DIRECT);
	mem_write(IDT_PA, gate, sizeof(gate), ATK_DIRECT);
	mem_write(PARAMETERS_PA, par, sizeof(par), ATK_DIRECT);
}

static struct up_cpu_status other_status(void)
{
	static struct up_status s;
	uint64_t page = module_page();
	struct atk_call c = layer_call(UP_CALL_STATUS, page, OTHER, 0);

	if (!ok(&c))
		err(1, "UP_CALL_STATUS");
	mem_read(page * PAGE, &s, sizeof(s), ATK_DIRECT);
	return s.cpu;
}

static void take_from_linux(void)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) != 1)
		err(1, "cpu1/online");
	close(fd);
	nap(100);
}

static void init(uint32_t vector)
{
	struct atk_init i = { .apic_id = other_status().apic_id, .vector = vector };

	if (ioctl(attack_fd, ATK_INIT, &i))
		err(1, "ATK_INIT");
}

/*
 * The other processor, started with code of the attacker's, without paging: it
 * reads the secret's frame.
 */
static bool init_sipi(struct victim *v)
{
	uint64_t pa = pfn_of(v, SECRET_GPA) * PAGE;
	struct up_cpu_status before, after;
	uint8_t page[PAGE] = { 0 };
	uint32_t par[2] = { 0 };
	unsigned int i;

	if (!access("/sys/devices/system/cpu/cpu1/topology", F_OK))
		take_from_linux();
	before = other_status();
	write_start_code(pa);
	mem_write(COPY_PA, page, PAGE, ATK_DIRECT);
	init(START_VECTOR);
	for (i = 0; i < 100 && !par[1]; i++) {
		nap(5);
		mem_read(PARAMETERS_PA, par, sizeof(par), ATK_DIRECT);
	}
	mem_read(COPY_PA, page, PAGE, ATK_DIRECT);
	after = other_status();
	note("the code said %u (1: read, 2: fault); exits by INIT %llu, by SIPI %llu; demoted: %u",
	     par[1], after.exits_host[3] - before.exits_host[3],
	     after.exits_host[4] - before.exits_host[4], after.demoted);
	/* Parked it is out of the way of flushes. */
	init(0);
	return has_secret(v, page, PAGE) || (v->protected && (!after.demoted || disturbed(v)));
}

const struct attack smp_attacks[] = {
	{ 170, "stores by another processor while a frame changes hands", stores_in_between,
	  SMP | TAINTS },
	{ 171, "one frame donated to two VMs at once", one_frame_twice, SMP },
	{ 172, "two frames donated for one guest frame at once", one_gfn_twice, SMP },
	{ 173, "frames reclaimed by two processors at once", reclaim_twice, SMP },
	{ 174, "VMXON aimed at the VM's frame and the layer's", vmxon_frame, SMP | TAINTS },
	{ 175, "INIT and SIPI: a processor started with code of the attacker's", init_sipi,
	  SMP | TAINTS },
	{ 0 }
};
