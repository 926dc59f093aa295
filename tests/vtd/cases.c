// SPDX-License-Identifier: GPL-2.0
/*
 * The bed for VT-d, the layer's half: what edu reaches, before and after a frame changes
 * its owner by the transitions of ept/transition.c.  Prints TAP.
 *
 * Mutations: with bed.drop one step is left out, and some case must fail.
 */
#include <stdarg.h>
#include "ept/flush.h"
#include "ept/grow.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "ept/shadow.h"
#include "ept/transition.h"
#include "ept/view.h"
#include "iommu/dmar.h"
#include "iommu/emul.h"
#include "iommu/fault.h"
#include "iommu/queue.h"
#include "iommu/table.h"
#include "iommu/take.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "tests/vtd/bed.h"

#define SECRET		0x5ec2e7a5ec2e7a5eULL
#define HOSTS		0x4a554e4b4a554e4bULL
#define BUFFER		0xb0ffe2b0ffe2b0ffULL	/* what edu's buffer holds before it reads */
#define WORDS		(BED_EDU_BYTES / 8)

struct percpu bed_cpu;
struct percpu *cpus[UP_MAX_CPUS];
u32 ncpus;
struct up_config up_config;

static struct dmar dmar;
static struct owner vm;
static u32 number, failures;

/* --- the rest of the image --------------------------------------------------- */

void up_log(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bed_vsay(fmt, args);
	va_end(args);
}

void up_panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bed_vsay(fmt, args);
	va_end(args);
	for (;;)
		bed_die();
}

bool log_due(void)
{
	return number < 20;
}

void note_denied(void)
{
}

/* No VM's table can be shrunk here. */
u64 table_alloc(void)
{
	return pool_alloc();
}

/* --- hardware, and what is left out ------------------------------------------ */

static bool dropped(const char *what)
{
	const char *d = bed.drop;

	while (*d && *d == *what)
		d++, what++;
	return !*d && !*what;
}

static u64 reg_at(u64 pa)
{
	return bed.regs + (pa - bed.regs_pa);
}

u32 mmio_read32(u64 pa)
{
	return READ_ONCE(*(u32 *)reg_at(pa));
}

u64 mmio_read64(u64 pa)
{
	u64 val = READ_ONCE(*(u64 *)reg_at(pa));

	return bed.registers && pa == bed.regs_pa + VTD_ECAP ? val & ~ECAP_QI : val;
}

void mmio_write32(u64 pa, u32 val)
{
	WRITE_ONCE(*(u32 *)reg_at(pa), val);
}

/* Every descriptor of @type becomes one that flushes no translation. */
static void blunt(u32 type)
{
	u64 *d = phys(units[0].queue.pa);
	u32 i;

	for (i = 0; i < PAGE_SIZE / DESC_BYTES; i++)
		if (DESC_TYPE(d[2 * i]) == type)
			d[2 * i] = DESC_CONTEXT | DESC_GLOBAL;
}

void mmio_write64(u64 pa, u64 val)
{
	u64 reg = pa - bed.regs_pa;

	if (reg == VTD_IQT && dropped("iotlb") && units[0].queue.pa)
		blunt(DESC_IOTLB);
	if (reg == ECAP_IRO(units[0].ecap) + IOTLB_REG && dropped("iotlb"))
		return;
	WRITE_ONCE(*(u64 *)reg_at(pa), val);
}

static void do_nothing(u64 pfn)
{
}

static bool always(u64 arg)
{
	return true;
}

static void mutate(void)
{
	struct view *v = (struct view *)__start_views;
	struct flusher *f = (struct flusher *)__start_flushers;

	for (; v < __stop_views; v++) {
		if (dropped("lose"))
			v->lose = do_nothing;
		if (dropped("gain"))
			v->gain = do_nothing;
	}
	for (; f < __stop_flushers; f++)
		if (dropped("flusher"))
			f->done = always;
}

/* --- TAP ------------------------------------------------------------------- */

#define result(ok, fmt, ...) \
	do { \
		bool ok_ = (ok); \
		number++; \
		failures += !ok_; \
		bed_say("TAP %sok %u - " fmt, ok_ ? "" : "not ", number, ##__VA_ARGS__); \
	} while (0)

/* --- the attacker ------------------------------------------------------------ */

static u64 *words(u64 pa)
{
	return phys(pa);
}

static void fill(u64 pa, u64 word)
{
	u32 i;

	for (i = 0; i < PAGE_SIZE / 8; i++)
		WRITE_ONCE(words(pa)[i], word);
}

static bool holds(u64 pa, u64 word, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (READ_ONCE(words(pa)[i]) != word)
			return false;
	return true;
}

/* What edu gets at @pa, in the host's frame for results. */
static void device_read(u64 pa)
{
	fill(bed.pattern_pa, BUFFER);
	bed_edu(bed.pattern_pa, false);
	bed_edu(pa, false);
	fill(bed.result_pa, 0);
	bed_edu(bed.result_pa, true);
}

/* It is the frame's content, of which no two words in a row need be the same. */
static bool device_reads(u64 pa)
{
	device_read(pa);
	return !memcmp(words(bed.result_pa), words(pa), BED_EDU_BYTES);
}

/* None of its words has come out; there are some, and QEMU's refusal reads as zeros. */
static bool device_is_blind(u64 pa)
{
	u32 i, some = 0;

	device_read(pa);
	for (i = 0; i < WORDS; i++) {
		some += !!words(pa)[i];
		if (words(pa)[i] && words(bed.result_pa)[i] == words(pa)[i])
			return false;
	}
	return some;
}

static void device_write(u64 pa, u64 word)
{
	fill(bed.pattern_pa, word);
	bed_edu(bed.pattern_pa, false);
	bed_edu(pa, true);
}

static bool device_writes(u64 pa)
{
	device_write(pa, HOSTS + 1);
	return holds(pa, HOSTS + 1, WORDS);
}

static bool device_changes_nothing(u64 pa)
{
	static u64 before[PAGE_SIZE / 8];

	memcpy(before, phys(pa), PAGE_SIZE);
	device_write(pa, HOSTS + 2);
	return !memcmp(before, phys(pa), PAGE_SIZE);
}

/* --- faults ------------------------------------------------------------------ */

static u32 forget_faults(void)
{
	struct unit_fault_record f;
	u32 i, n = 0;

	for (i = 0; i < CAP_NFR(units[0].cap); i++)
		n += fault_take(&units[0], i, &f);
	unit_write32(&units[0], VTD_FSTS, (u32)FSTS_PFO);
	return n;
}

/* The one fault that is recorded says who wanted what. */
static bool fault_says(u64 pa, bool write)
{
	struct unit_fault_record f;
	u32 i;

	for (i = 0; i < CAP_NFR(units[0].cap); i++)
		if (fault_take(&units[0], i, &f))
			break;
	if (i == CAP_NFR(units[0].cap))
		return false;
	forget_faults();
	if (f.source == bed.source && f.address == pa + bed.offset && f.write == write)
		return true;
	bed_say("fault: source %x address %lx %s reason %x", f.source, f.address,
		f.write ? "write" : "read", f.reason);
	return false;
}

static void is_out_of_reach(u64 pa, const char *what)
{
	bool blind;

	forget_faults();
	blind = device_is_blind(pa);
	result(blind, "%s: edu cannot read it", what);
	result(fault_says(pa, false), "%s: the fault names source, address and direction", what);
	result(device_changes_nothing(pa), "%s: edu cannot write it", what);
	result(fault_says(pa, true), "%s: and the fault of that, too", what);
}

/*
 * Linux's driver says that it has mapped something again: where its own queue goes on, and
 * behind its back, so that there is nothing in it afterwards.
 */
static void announce(void)
{
	struct unit_host *h = &units[0].host;
	u64 iqt = h->iqt, *d = phys((h->iqa & VTD_ADDR) + iqt), was[2] = { d[0], d[1] };
	u32 size = PAGE_SIZE << IQA_SIZE(h->iqa);

	if (!bed.offset)
		return;
	d[0] = DESC_IOTLB | DESC_GLOBAL;
	d[1] = 0;
	while (!emul_write(&units[0], VTD_IQT, 8, (iqt + DESC_BYTES) % size))
		;
	d[0] = was[0];
	d[1] = was[1];
	h->iqt = h->iqh = iqt;
}

static void is_in_reach(u64 pa, const char *what)
{
	announce();
	forget_faults();
	result(device_reads(pa), "%s: edu reads it", what);
	result(device_writes(pa), "%s: edu writes it", what);
	result(!forget_faults(), "%s: no fault", what);
}

/* --- transitions --------------------------------------------------------------- */

static u64 frame(u32 i)
{
	return bed.frames_pfn + i;
}

static u64 frame_pa(u32 i)
{
	return frame(i) << PAGE_SHIFT;
}

static bool commit(void)
{
	u32 i;

	for (i = 0; i < 100; i++) {
		if (!vm_commit(&vm))
			return true;
		flush_this_cpu();
	}
	return false;
}

static bool give_back(u64 gfn)
{
	u64 pfn;
	u32 i;

	vm.state = UP_VM_DEAD;
	for (i = 0; i < 100; i++) {
		if (!vm_return_host(&vm, gfn, &pfn))
			return true;
		flush_this_cpu();
	}
	return false;
}

static void vm_new(void)
{
	if (vm.gfn_root)
		pool_free(vm.gfn_root);	/* all that was bound has gone back */
	memset(&vm, 0, sizeof(vm));
	vm.state = UP_VM_BUILDING;
}

static bool unshared(u64 gfn)
{
	u32 i;

	for (i = 0; i < 100; i++) {
		if (!vm_unshare_host(&vm, gfn))
			return true;
		flush_this_cpu();
	}
	return false;
}

/* --- the cases ------------------------------------------------------------------- */

static void one_life(void)
{
	u64 pa = frame_pa(0);

	vm_new();
	fill(pa, HOSTS);
	result(device_reads(pa), "a host's frame: edu reads it");
	result(!host_donate_vm(&vm, frame(0), 0), "it is donated to a VM");
	result(device_reads(pa), "until it is committed the unit may remember it (control)");
	result(commit(), "the donation is committed");
	fill(pa, SECRET);
	is_out_of_reach(pa, "a VM's frame");
	is_in_reach(frame_pa(1), "its neighbour in the same 2 MiB");
	vm.state = UP_VM_RUNNABLE;
	result(!vm_share_host(&vm, 0), "the VM shares it");
	fill(pa, SECRET);
	is_in_reach(pa, "a shared frame");
	result(unshared(0), "the VM takes it back");
	fill(pa, SECRET);
	is_out_of_reach(pa, "a frame that was shared");
	result(give_back(0), "the VM dies, and the frame is the host's");
	result(holds(pa, 0, PAGE_SIZE / 8), "and zeroed");
	fill(pa, HOSTS);
	is_in_reach(pa, "a frame that came back");
}

static void layers_own(void)
{
	u64 pool = pool_alloc(), root = unit_read64(&units[0], VTD_RTADDR);

	fill(pool, SECRET);
	is_out_of_reach(pool, "a frame of the layer");
	is_out_of_reach(root, "the root table");
	is_out_of_reach(words(root)[0] & VTD_ADDR, "the context table");
	is_out_of_reach(words(words(root)[0] & VTD_ADDR)[2 * (bed.source & 0xff)] & VTD_ADDR,
			"a second-level table");
	if (units[0].queue.pa)
		is_out_of_reach(units[0].queue.pa, "the invalidation queue");
	pool_free(pool);
}

/* No memory whose content could be compared: the fault must tell. */
static void registers(void)
{
	forget_faults();
	bed_edu(bed.regs_pa, false);
	result(fault_says(bed.regs_pa, false), "the unit's registers: edu may not read them");
	bed_edu(bed.regs_pa, true);
	result(fault_says(bed.regs_pa, true), "nor write them");
}

/* Gone for good: nobody's until the pool has it. */
static void growth(void)
{
	u64 pa = frame_pa(BED_FRAMES - 1);
	u64 free = pool_count();
	u32 i;

	fill(pa, HOSTS);
	result(device_reads(pa) && !host_donate_layer(frame(BED_FRAMES - 1)),
	       "a frame that edu has just read is donated to the pool");
	for (i = 0; i < 100 && pool_count() == free; i++) {
		flush_this_cpu();
		spin_lock(&frames_lock);
		donated_to_pool();
		spin_unlock(&frames_lock);
	}
	fill(pa + 8, 0);
	result(pool_count() > free, "and joins it");
}

/* Again and again, with edu at it before, during and after. */
static void cycles(void)
{
	u32 n = BED_FRAMES - 1, early = 0, leaked = 0, changed = 0, refused = 0, stuck = 0;
	u32 i, c;
	u64 pa;

	forget_faults();
	for (c = 0; c < bed.cycles; c++) {
		pa = frame_pa(c % n);
		vm_new();
		for (i = 0; i < n; i++)
			fill(frame_pa(i), HOSTS);
		bed_edu(pa, c & 1);		/* translated, and remembered */
		for (i = 0; i < n; i++)
			stuck += !!host_donate_vm(&vm, frame(i), i);
		early += !vm_commit(&vm) && READ_ONCE(bed_cpu.flushed_epoch) < vm.flush_ticket;
		stuck += !commit();
		for (i = 0; i < n; i++)
			fill(frame_pa(i), SECRET);
		bed_edu(pa, c & 1);
		if (!(c & 1))
			bed_edu(bed.result_pa, true);
		leaked += holds(bed.result_pa, SECRET, 1);
		forget_faults();
		for (i = 0; i < n; i++)
			changed += !holds(frame_pa(i), SECRET, PAGE_SIZE / 8);
		for (i = 0; i < n; i++)
			stuck += !give_back(i);
		announce();
		bed_edu(pa, c & 1);
		refused += forget_faults();
	}
	result(!stuck && !early, "%u times %u frames are lost and come back", bed.cycles, n);
	result(!leaked, "edu reads none of them meanwhile");
	result(!changed, "and changes none");
	result(!refused, "and once they are back it is refused none");
}

static int begin(void)
{
	static struct up_range ram[BED_RANGES], layer, pool;
	u32 i;

	for (i = 0; i < bed.ranges; i++)
		ram[i] = (struct up_range){ bed.ram[i].start_pfn, bed.ram[i].end_pfn };
	layer = (struct up_range){ bed.layer_pfn, bed.layer_pfn + bed.layer_frames };
	pool = layer;
	up_config = (struct up_config){
		.cpus = 1, .ram_ranges = bed.ranges, .layer_chunks = 1, .pool_chunks = 1,
		.maxphyaddr = bed.maxphyaddr, .table_frames = bed.table_frames,
		.ram = ram, .layer = &layer, .pool = &pool,
	};
	bed_cpu.self = &bed_cpu;
	bed_cpu.demoted = true;
	cpus[0] = &bed_cpu;
	ncpus = 1;
	return pool_init(&up_config) ? : frames_init(&up_config);
}

static bool take(void)
{
	enum dmar_fault bad = dmar_parse(bed.dmar, bed.dmar_bytes, &dmar);
	u64 layers, pa = frame_pa(0);

	result(!bad && dmar.units == 1, "the DMAR table is accepted, and has one unit");
	if (bad || unit_add(&dmar.unit[0]))
		return false;
	bed_say("unit: cap %lx, ecap %lx, levels %u", units[0].cap, units[0].ecap,
		units[0].levels);
	result(!begin(), "frames and pool");
	result(unit_use(&units[0]) == bed.use, "what Linux does with it is %u", bed.use);
	if (bed.use == UNIT_SCALABLE)
		return false;	/* nothing takes the place of those tables */
	units[0].translates = bed.use == UNIT_TRANSLATING;
	layers = pool_alloc();
	fill(layers, SECRET);
	fill(pa, HOSTS);
	result(device_reads(pa) && device_writes(pa),
	       "without the tables edu reads and writes a frame (control)");
	result(device_reads(layers), "one of the layer's, too (control)");
	pool_free(layers);
	result(!dma_init(&up_config, &dmar), "tables for %lu frames of RAM", bed.table_frames);
	if (unit_take(&units[0])) {
		result(false, "the unit is taken");
		return false;
	}
	result(!units[0].queue.pa == !!bed.registers, "it is taken, and flushed by %s",
	       bed.registers ? "registers" : "a queue");
	return true;
}

void bed_run(void)
{
	u64 pa = frame_pa(0);

	mutate();
	if (take()) {
		is_in_reach(pa, "a frame of the host");
		layers_own();
		registers();
		one_life();
		growth();
		cycles();
		faults_report();
		result(unit_give(&units[0]), "the unit is given back");
		fill(pa, HOSTS);
		result(unit_use(&units[0]) == bed.use && device_reads(pa), "as it was");
	}
	bed_say("TAP 1..%u", number);
	bed_say("bed: %u failed", failures);
}
