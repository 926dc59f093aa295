// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile KVM's tables: other frames for the VM's guest frames, and the VM's
 * and the layer's frames where an ordinary VM or its VMCS can use them.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "hostile.h"
#include "vmcs_enc.h"

#define SECRET_GFN	(SECRET_GPA / PAGE)
#define CODE_GFN	0x20u		/* module/guest/layout.h: FW_IMAGE */
#define FRESH_EXITS	150
#define LSTAR		0xc0000082u
#define STORES		300000	/* by another processor, which answers nothing meanwhile */

struct change {
	uint64_t gfn, pfn;
};

static uint64_t tables(struct victim *v, const struct change *c, unsigned int n)
{
	static uint64_t pairs[RAM_PAGES + ROM_PAGES + 4][2];
	struct atk_ept t = { .pairs = (uintptr_t)pairs };
	unsigned int i;

	victim_frames(v);
	for (i = 0; i < RAM_PAGES + ROM_PAGES; i++) {
		pairs[i][0] = i < RAM_PAGES ? i : ROM_GPA / PAGE + i - RAM_PAGES;
		pairs[i][1] = v->pfn[i];
	}
	for (t.count = i; n--; t.count++) {
		pairs[t.count][0] = c[n].gfn;
		pairs[t.count][1] = c[n].pfn;
	}
	if (ioctl(attack_fd, ATK_EPT, &t))
		err(1, "ATK_EPT");
	return t.eptp;
}

static bool remap(struct victim *v, const struct change *c, unsigned int n)
{
	struct atk_run r = { .exits = 36 };

	/* A protected VM's frames are proposed before it ever touched them. */
	if (v->sh->pause == 2 && v->protected) {
		r.exits = FRESH_EXITS;
	} else if (v->sh->pause == 2) {
		victim_resume(v);
		victim_well(v, 2);
	}
	r.eptp = tables(v, c, n);
	run_vcpu(v, &r);
	return run_disturbs(v, &r);
}

static bool swap(struct victim *v)
{
	const struct change c[] = {
		{ SECRET_GFN, pfn_of(v, SECRET_GPA + PAGE) },
		{ SECRET_GFN + 1, pfn_of(v, SECRET_GPA) },
	};

	return remap(v, c, 2);
}

static bool alias(struct victim *v)
{
	const struct change c = { SECRET_GFN, pfn_of(v, SPARE_GPA) };

	return remap(v, &c, 1);
}

/* What the page was before the secret was in it. */
static bool replay(struct victim *v)
{
	const struct change c = { SECRET_GFN, module_page() };

	return remap(v, &c, 1);
}

static bool host_frame(struct victim *v)
{
	const struct change c = { CODE_GFN, module_page() };
	uint8_t code[PAGE];

	memset(code, 0x0f, sizeof(code));	/* undefined instructions */
	memset(code + 1, 0xff, 1);
	mem_write(c.pfn * PAGE, code, PAGE, ATK_DIRECT);
	return remap(v, &c, 1);
}

/* --- frames of others in an ordinary VM ---------------------------------------- */

static void hostile_end_(struct victim *o)
{
	victim_kill(o);
}

static bool copies(struct victim *v, uint64_t pfn, void *page)
{
	struct victim *o = hostile_start();
	struct atk_run r = { .eptp = hostile_eptp(o, pfn) };
	bool done = hostile_run(o, HOSTILE_COPIES, &r);

	(void)v;
	mem_read(o->pfn[HOSTILE_COPY / PAGE] * PAGE, page, PAGE, ATK_DIRECT);
	hostile_end_(o);
	return done;
}

static bool into_other_vm(struct victim *v)
{
	uint8_t page[PAGE] = { 0 };

	copies(v, pfn_of(v, SECRET_GPA), page);
	return has_secret(v, page, PAGE);
}

/* For want of frames of the layer's in the host's hands, the control reads an ordinary one. */
static bool layer_into_vm(struct victim *v)
{
	uint8_t page[PAGE];
	unsigned int i, read = 0;

	if (!v->protected)
		return copies(v, module_page(), page);
	for (i = 0; i < layer_pfns && i < 3; i++)
		read += copies(v, layer_pfn[i], page);
	note("%u frames of the layer's known", layer_pfns);
	return read || !layer_pfns;
}

/* The table that the hostile VM's EPTP names lies in a frame of @pfn. */
static bool table_in(struct victim *v, uint64_t pfn)
{
	struct victim *o = hostile_start();
	uint8_t root[PAGE];
	struct atk_run r = { 0 };
	bool done;

	(void)v;
	mem_read(hostile_eptp(o, o->pfn[HOSTILE_GFN]) & ~(PAGE - 1ULL), root, PAGE, ATK_DIRECT);
	mem_write(pfn * PAGE, root, PAGE, ATK_DIRECT);
	r.eptp = pfn * PAGE | 0x1e;
	done = hostile_run(o, HOSTILE_IDLE, &r);
	hostile_end_(o);
	return done;
}

static bool table_in_vm_frame(struct victim *v)
{
	return table_in(v, pfn_of(v, SPARE_GPA));
}

/* --- addresses in an ordinary VM's VMCS ---------------------------------------- */

static bool aimed(struct victim *v, uint32_t field, uint64_t pa, uint32_t ctl, uint32_t bits,
		  uint32_t count)
{
	struct victim *o = hostile_start();
	struct atk_run r = { .npokes = 1 };
	bool done;

	(void)v;
	/* Pokes are made before the second entry: the first one ends at HLT. */
	r.poke[0].field = field;
	r.poke[0].value = pa;
	if (ctl) {
		r.poke[r.npokes].field = ctl;
		r.poke[r.npokes].mask = !count;
		r.poke[r.npokes++].value = count ? count : bits;
	}
	if (field == ENC_VIRTUAL_APIC_ADDR) {
		r.poke[r.npokes].field = ENC_TPR_THRESHOLD;
		r.poke[r.npokes++].value = 0;
	}
	r.eptp = hostile_eptp(o, o->pfn[HOSTILE_GFN]);
	r.exits = 5;
	run_vcpu(o, &r);
	done = !r.failed && r.exits == 5 && r.reason == 12;
	note("%u exits, last reason %#x%s, error %u", r.exits, r.reason,
	     r.failed ? ", the entry failed" : "", r.error);
	hostile_end_(o);
	return done;
}

static uint64_t spare(const struct victim *v)
{
	return pfn_of(v, SPARE_GPA) * PAGE;
}

/* At the victim's frame; for a protected one, at the layer's, too. */
static bool aimed_at(struct victim *v, uint32_t field, uint32_t ctl, uint32_t bits,
		     uint32_t count)
{
	bool hit = aimed(v, field, spare(v), ctl, bits, count);

	if (v->protected && layer_pfns)
		hit |= aimed(v, field, layer_pfn[0] * PAGE, ctl, bits, count);
	return hit;
}

#define AIMED(name, field, ctl, bits)						\
	static bool name(struct victim *v)					\
	{									\
		return aimed_at(v, field, ctl, bits, 0);			\
	}
AIMED(aimed_msr_bitmap, ENC_MSR_BITMAP, 0, 0)
AIMED(aimed_virtual_apic, ENC_VIRTUAL_APIC_ADDR, ENC_CPU_CTLS, 1u << 21)
AIMED(aimed_apic_access, ENC_APIC_ACCESS_ADDR, ENC_CPU2_CTLS, 1u << 0)

static void write_list(const struct victim *v, uint64_t value)
{
	const uint64_t entry[2] = { LSTAR, value };

	mem_write(spare(v), entry, sizeof(entry), ATK_DIRECT);
}

static bool aimed_msr_load(struct victim *v)
{
	write_list(v, 0x1000);
	return aimed_at(v, ENC_ENTRY_MSR_LOAD_ADDR, ENC_ENTRY_MSR_LOAD_COUNT, 0, 1);
}

/* The store list writes: into the victim's frame. */
static bool aimed_msr_store(struct victim *v)
{
	uint64_t entry[2];

	write_list(v, 0x7777);
	aimed_at(v, ENC_EXIT_MSR_STORE_ADDR, ENC_EXIT_MSR_STORE_COUNT, 0, 1);
	mem_read(spare(v), entry, sizeof(entry), ATK_DIRECT);
	return entry[1] != 0x7777 && entry[1] >> 32 != 0xdec0dec0;
}

/* --- the hostile VM itself ------------------------------------------------------ */

static bool any_passed(struct victim *o, enum hostile_what what, struct hostile_entry *e,
		       unsigned int n, struct atk_run *r)
{
	unsigned int i, passed = 0;

	hostile_table(o, e, n);
	if (!hostile_run(o, what, r))
		note("it did not come to its end");
	hostile_result(o, e, n);
	for (i = 0; i < n; i++) {
		if (!e[i].fault)
			note("%s of %#x passes: %#x", e[i].write ? "write" : "read", e[i].index,
			     e[i].value);
		passed += !e[i].fault;
	}
	return passed;
}

/* The MSR bitmap open and no port exits; the first entry has to see it. */
static void open_bitmaps(struct victim *o, struct atk_run *r)
{
	*r = (struct atk_run){ .eptp = hostile_eptp(o, o->pfn[HOSTILE_GFN]), .exits = 2 };
	r->poke[0].field = ENC_MSR_BITMAP;
	r->poke[0].value = module_page() * PAGE;
	r->poke[1].field = ENC_CPU_CTLS;
	r->poke[1].mask = 2;
	r->poke[1].value = 1u << 24;	/* unconditional I/O exiting */
	r->npokes = 2;
	r->alter = ATK_POKE_FIRST;
}

static bool vm_msrs(struct victim *v)
{
	struct hostile_entry good[] = { { LSTAR, 0, 0, 0 }, { 0x277, 0, 0, 0 } };
	struct hostile_entry bad[] = {
		{ 0x1b, 0, 0, 0 }, { 0x1b, 1, 0xfee00900, 0 }, { 0x3a, 0, 0, 0 },
		{ 0x3a, 1, 5, 0 }, { 0x79, 1, 0x1000, 0 }, { 0x9b, 0, 0, 0 }, { 0x9b, 1, 1, 0 },
		{ 0x1f2, 1, 0x1000, 0 }, { 0x200, 0, 0, 0 }, { 0x200, 1, 6, 0 },
		{ 0x250, 1, 0, 0 }, { 0x2ff, 1, 0xc06, 0 }, { 0x400, 1, 0, 0 },
		{ 0x480, 0, 0, 0 }, { 0x48b, 0, 0, 0 }, { 0x48f, 0, 0, 0 }, { 0x490, 0, 0, 0 },
		{ 0x560, 0, 0, 0 }, { 0x560, 1, 0x1000, 0 }, { 0x570, 1, 1, 0 },
		{ 0x600, 0, 0, 0 }, { 0x600, 1, 0x1000, 0 }, { 0x830, 1, 0x500, 0 },
	};
	struct victim *o = hostile_start();
	struct atk_run r;
	bool hit;

	open_bitmaps(o, &r);
	if (v->protected)
		hit = any_passed(o, HOSTILE_MSRS, bad, sizeof(bad) / sizeof(*bad), &r);
	else
		hit = any_passed(o, HOSTILE_MSRS, good, 2, &r);
	hostile_end_(o);
	return hit;
}

/* A closed bitmap makes the hostile KVM answer, with zero: the true values are others. */
static bool any_true_value(const struct hostile_entry *e, unsigned int n)
{
	bool found = false;

	while (n--)
		found |= !e[n].fault && e[n].value;
	return found;
}

/*
 * Another processor opens and closes the MSR bitmap all the time: the layer
 * merges it while it changes.
 */
static bool vm_msrs_raced(struct victim *v)
{
	struct hostile_entry good[] = { { LSTAR, 0, 0, 0 }, { 0x277, 0, 0, 0 } };
	struct hostile_entry bad[] = { { 0x1b, 0, 0, 0 }, { 0x3a, 0, 0, 0 }, { 0x1b, 0, 0, 0 } };
	struct atk_hammer h = { .a = ~0ULL, .limit = STORES, .cpu = 1 };
	struct victim *o = hostile_start();
	struct atk_run r;
	bool hit = false;
	unsigned int i;

	for (i = 0; i < 20 && !hit; i++) {
		open_bitmaps(o, &r);
		/* Read low MSRs 0 to 0x3f; read high MSRs from 0xc0000080 on. */
		h.pa = r.poke[0].value + (v->protected ? 0 : 1024 + 16);
		hammer_start(&h);
		any_passed(o, HOSTILE_MSRS, v->protected ? bad : good, v->protected ? 3 : 2, &r);
		hammer_stop(&h);
		hit = v->protected ? any_true_value(bad, 3) : any_true_value(good, 2);
	}
	note("round %u, %llu stores to the bitmap in the last", i, h.count);
	hostile_end_(o);
	return hit;
}

/* The same with the list of MSRs that entry loads: CSTAR may be there, TSC_ADJUST not. */
static bool msr_list_raced(struct victim *v)
{
	const uint32_t cstar = 0xc0000083, adjust = 0x3b;
	uint64_t list = module_page() * PAGE, old = rdmsr(cstar), was = rdmsr(adjust);
	uint64_t entry[2] = { cstar, 0x77770 };
	struct atk_hammer h = { .pa = list, .a = cstar, .b = adjust, .limit = STORES, .cpu = 1 };
	struct victim *o = hostile_start();
	unsigned int i, loaded = 0, crossed = 0;
	struct atk_run r;

	mem_write(list, entry, sizeof(entry), ATK_DIRECT);
	for (i = 0; i < 20; i++) {
		hammer_start(&h);
		r = (struct atk_run){ .npokes = 2, .alter = ATK_POKE_FIRST };
		r.poke[0].field = ENC_ENTRY_MSR_LOAD_ADDR;
		r.poke[0].value = list;
		r.poke[1].field = ENC_ENTRY_MSR_LOAD_COUNT;
		r.poke[1].value = 1;
		hostile_run(o, HOSTILE_IDLE, &r);
		hammer_stop(&h);
		loaded += rdmsr(cstar) == 0x77770;
		crossed += rdmsr(adjust) != was;
		wrmsr(cstar, old);
	}
	note("%u entries of 20 loaded the one, %u the other; %llu stores in the last", loaded,
	     crossed, h.count);
	hostile_end_(o);
	return v->protected ? crossed : loaded;
}

/* Sleep through PM1_CNT, which the machine's tables name; the control reads the RTC. */
static bool vm_ports(struct victim *v)
{
	struct hostile_entry good[] = { { 0x71, 0, 0, 0 } };
	struct hostile_entry bad[] = {
		{ pm1_cnt(), 1, 0x2400, 0 }, { pm1_cnt(), 0, 0, 0 },
		{ pm1_cnt() - 1, 1, 0xffff, 0 },
		{ pm1_cnt() + 1, 1, 0x24, 0 },
	};
	struct victim *o = hostile_start();
	struct atk_run r;
	bool hit;

	open_bitmaps(o, &r);
	if (v->protected)
		hit = any_passed(o, HOSTILE_PORTS, bad, 4, &r);
	else
		hit = any_passed(o, HOSTILE_PORTS, good, 1, &r);
	hostile_end_(o);
	return hit;
}

/* The layer's status into a page of ours, asked for by the VM; the control asks for it itself. */
static bool vm_calls(struct victim *v)
{
	struct hostile_entry e = { .index = 0x55500000 };
	uint64_t pfn = module_page(), first = 0;
	struct victim *o;
	struct atk_run r = { 0 };

	if (!v->protected) {
		layer_call(0x55500000, pfn, 0, 0);
	} else {
		o = hostile_start();
		e.value = (uint32_t)pfn;
		hostile_table(o, &e, 1);
		hostile_run(o, HOSTILE_CALLS, &r);
		hostile_end_(o);
	}
	mem_read(pfn * PAGE, &first, 8, ATK_DIRECT);
	return first;
}

const struct attack table_attacks[] = {
	{ 100, "KVM swaps two guest frames", swap, TAINTS },
	{ 101, "KVM gives one frame to two guest frames", alias, TAINTS },
	{ 102, "KVM replays an old content", replay, TAINTS },
	{ 103, "KVM puts a frame of the host's over the VM's code", host_frame, TAINTS },
	{ 104, "the same swap before the VM's first touch", swap, FRESH | TAINTS | ENDS },
	{ 105, "the same replay before the VM's first touch", replay, FRESH | TAINTS | ENDS },
	{ 106, "the same host frame before the VM's first touch", host_frame,
	  FRESH | TAINTS | ENDS },
	{ 107, "KVM maps the VM's frame into another VM", into_other_vm, 0 },
	{ 108, "KVM maps frames of the layer into a VM", layer_into_vm, 0 },
	{ 109, "EPTP of a VM points into the VM's frame", table_in_vm_frame, 0 },
	{ 110, "MSR bitmap aimed at the VM's frame", aimed_msr_bitmap, 0 },
	{ 113, "virtual-APIC page aimed at the VM's frame", aimed_virtual_apic, 0 },
	{ 114, "APIC-access page aimed at the VM's frame", aimed_apic_access, 0 },
	{ 115, "MSR-load list in the VM's frame", aimed_msr_load, 0 },
	{ 116, "MSR-store list in the VM's frame", aimed_msr_store, 0 },
	{ 120, "an ordinary VM and the MSRs", vm_msrs, 0 },
	{ 117, "the MSR-load list changes while it is loaded", msr_list_raced, SMP },
	{ 119, "the MSR bitmap changes while it is merged", vm_msrs_raced, SMP },
	{ 121, "an ordinary VM and the sleep ports", vm_ports, 0 },
	{ 122, "an ordinary VM calls the layer as the host does", vm_calls, 0 },
	{ 0 }
};
