// SPDX-License-Identifier: GPL-2.0
/*
 * iommu/ with the real transitions of ept/, above the unit of vtd_hw.h: every state that
 * two frames, a VM, a device's memory and the queue can be in, from every state by
 * every event; and mutants, each of which must be found.
 */
#include <string.h>
#include <sys/mman.h>
#include "ept_child.h"
#include "ept_includes.h"
#include "iommu/dmar.h"
#include "iommu/emul.h"
#include "iommu/fault.h"
#include "iommu/intr.h"
#include "iommu/queue.h"
#include "iommu/table.h"
#include "iommu/take.h"
#include "tests/unit/vtd_hw.h"

#define FRAMES		4096ULL		/* 16 MiB, of which 4 MiB are no RAM */
#define RAM_END		3072ULL
#define LAYER_START	512ULL
#define LAYER_END	600ULL
#define FIRST		1536ULL		/* of a 2 MiB that is the host's as a whole */
#define NEIGHBOUR	1700ULL
#define RESERVED	3100ULL		/* an RMRR, no RAM */
#define HOST_ROOT	16ULL		/* Linux's own tables and queue */
#define HOST_CONTEXT	17ULL
#define HOST_QUEUE	18ULL
#define HOST_TAIL	5
#define HOST_IRTA	19ULL		/* 256 entries */
#define HOST_STATUS	20ULL
#define INTR		640ULL		/* 1 MiB of the layer's */
#define INTR_END	896ULL
#define IRTE_FIXED	(IRTE_P | 0x41ULL << 16 | 1ULL << 32)

#define CAP_48		(BIT(10) | 0x606 | CAP_SLLPS_2M)
#define CAP_39		(BIT(9) | 0x206 | CAP_SLLPS_2M)

/* A row each: a kind of unit. */
static const struct kind {
	const char *name;
	u64 cap, ecap;
} kinds[] = {
	{ "48 bits, queue", CAP_48, ECAP_C | ECAP_QI },
	{ "39 bits, queue", CAP_39, ECAP_C | ECAP_QI },
	{ "registers", CAP_48, ECAP_C },
	{ "caching mode", CAP_48 | CAP_CM, ECAP_C | ECAP_QI },
	{ "caching mode, registers", CAP_39 | CAP_CM, ECAP_C },
	{ "tables past the caches", CAP_48, ECAP_QI },
	{ "a write buffer", CAP_48 | CAP_RWBF, ECAP_C | ECAP_QI },
	{ "interrupt remapping", CAP_48, ECAP_C | ECAP_QI | ECAP_IR | BIT(4) },
	{ "no large pages", CAP_48 & ~CAP_SLLPS_2M, ECAP_C | ECAP_QI },
};

static struct owner vm;
static struct dmar dmar;
static const struct kind *kind;

static void fail_at(const char *file, int line, const char *what)
{
	printf("# %s:%d: %s (%s)\n", file, line, what, kind->name);
	fflush(stdout);
	_Exit(1);
}

#define must(cond) \
	do { \
		if (!(cond)) \
			fail_at(__FILE__, __LINE__, #cond); \
	} while (0)

/* What ept/ needs and has no part here. */
u64 table_alloc(void)
{
	return pool_alloc();
}

/* --- the world ------------------------------------------------------------------- */

static void do_nothing(u64 pfn)
{
	(void)pfn;
}

static bool always(u64 ticket)
{
	(void)ticket;
	return true;
}

static void mutate(enum hw_mutant mutant)
{
	struct view *v = (struct view *)__start_views;
	struct flusher *f = (struct flusher *)__start_flushers;

	hw.mutant = mutant;
	for (; v < __stop_views; v++) {
		if (mutant == HW_NO_LOSE)
			v->lose = do_nothing;
		if (mutant == HW_NO_GAIN)
			v->gain = do_nothing;
	}
	for (; f < __stop_flushers; f++)
		if (mutant == HW_NO_FLUSHER)
			f->done = always;
}

static void frames(void)
{
	static const struct up_range ram = { 0, RAM_END };
	static const struct up_range layer[] = { { LAYER_START, LAYER_END }, { INTR, INTR_END } };
	static const struct up_range pool = { LAYER_START + 2, LAYER_END };

	fake_init(FRAMES, FRAMES, 1);
	up_config = (struct up_config){
		.cpus = 1, .ram_ranges = 1, .layer_chunks = 2, .pool_chunks = 1, .maxphyaddr = 39,
		.table_frames = FRAMES, .ram = &ram, .layer = layer, .pool = &pool,
	};
	must(!frames_init(&up_config) && !pool_init(&up_config));
	dmar.units = 1;
	dmar.unit[0].regs = (struct dmar_range){ HW_BASE, HW_BASE + 0xfff };
	dmar.regions = 1;
	dmar.region[0] = (struct dmar_range){ RESERVED << PAGE_SHIFT,
					      ((RESERVED + 2) << PAGE_SHIFT) - 1 };
}

static u64 *word(u64 pfn)
{
	return phys(pfn << PAGE_SHIFT);
}

/* Linux passes everything through, by tables and a queue of its own. */
static void linux_passes(void)
{
	u32 i;

	for (i = 0; i < 256; i++) {
		word(HOST_ROOT)[2 * i] = HOST_CONTEXT << PAGE_SHIFT | ENTRY_P;
		word(HOST_CONTEXT)[2 * i] = ENTRY_P | CONTEXT_T_PASS << 2;
		word(HOST_CONTEXT)[2 * i + 1] = CONTEXT_DID(3) | CONTEXT_AW(4);
	}
	hw_init(kind->cap, kind->ecap);
	hw.rtaddr = hw.root = HOST_ROOT << PAGE_SHIFT;
	hw.gsts = GCMD_TE | GCMD_SRTP;
	hw.pmen = 0;
	if (kind->ecap & ECAP_QI) {
		hw.gsts |= GCMD_QIE;
		hw.iqa = HOST_QUEUE << PAGE_SHIFT;
		hw.iqt = hw.iqh = HOST_TAIL * DESC_BYTES;
		for (i = 0; i < 512; i++)
			word(HOST_QUEUE)[i] = 0xabababab00000000ULL | i;
	}
	if (kind->ecap & ECAP_IR) {
		hw.gsts |= GCMD_IRE | GCMD_SIRTP;
		hw.irta = hw.interrupts = HOST_IRTA << PAGE_SHIFT | IRTA_EIME | 7;
		word(HOST_IRTA)[2] = IRTE_FIXED;
		word(HOST_IRTA)[3] = 0x40008;
	}
}

/* At no moment is the host refused. */
static void no_gap(void)
{
	must(hw_reaches(1, NEIGHBOUR << PAGE_SHIFT));
}

static void world(const struct kind *k, enum hw_mutant mutant)
{
	u64 pa;
	u32 d;

	kind = k;
	frames();
	linux_passes();
	mutate(mutant);
	must(!unit_add(&dmar.unit[0]));
	units[0].intr_pa = kind->ecap & ECAP_IR ? INTR << PAGE_SHIFT : 0;
	must(unit_use(&units[0]) == UNIT_PASSTHROUGH);
	/* Everything that the layer is about to own is remembered by now. */
	for (d = 0; d < HW_DEVICES; d++)
		must(hw_dma(d, (LAYER_START + 1) << PAGE_SHIFT, true, &pa));
	must(!dma_init(&up_config, &dmar));
	hw.watch = no_gap;
	must(!unit_take(&units[0]));
	hw.watch = NULL;
	hw.slow = true;
	vm.state = UP_VM_BUILDING;
}

/* --- what must hold ------------------------------------------------------------------ */

static bool hosts(u64 pfn)
{
	return frame_entry(pfn) ? frame_is_hosts(pfn) : pfn == RESERVED || pfn == RESERVED + 1;
}

static void check_frame(u64 pfn)
{
	u64 e = frame_entry(pfn);
	u32 d;

	for (d = 0; d < HW_DEVICES; d++) {
		if (hosts(pfn))
			must(hw_reaches(d, pfn << PAGE_SHIFT));
		else if (FRAME_STATE(e) != FRAME_PENDING)
			must(!hw_reaches(d, pfn << PAGE_SHIFT));
	}
}

static void check(void)
{
	static const u64 watched[] = {
		0, 1, HOST_ROOT, LAYER_START, LAYER_START + 1, LAYER_START + 2, LAYER_END - 1,
		LAYER_END, INTR, INTR_END - 1, FIRST, FIRST + 1, FIRST + 2, NEIGHBOUR,
		2047, 2048, RAM_END - 1, RAM_END, RESERVED - 1, RESERVED, RESERVED + 1,
		RESERVED + 2, FRAMES,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(watched); i++)
		check_frame(watched[i]);
	/* The registers lie above all that is mapped. */
	must(!hw_reaches(0, HW_BASE));
}

/* --- events ------------------------------------------------------------------------- */

static void touch(u64 pfn, u32 device)
{
	u64 pa;

	hw_dma(device, pfn << PAGE_SHIFT, false, &pa);
}

static void give_back(u64 gfn)
{
	u64 pfn;

	vm.state = UP_VM_DEAD;
	vm_return_host(&vm, gfn, &pfn);
	if (!vm.frames && vm.unmapped) {
		binding_cut(&vm);
		memset(&vm, 0, sizeof(vm));
		vm.state = UP_VM_BUILDING;
	}
}

static void reap(void)
{
	spin_lock(&frames_lock);
	donated_to_pool();
	spin_unlock(&frames_lock);
}

static void run_vm(void)
{
	if (vm.state == UP_VM_BUILDING && vm.frames && !vm_commit(&vm))
		vm.state = UP_VM_RUNNABLE;
}

static void donate(void)
{
	host_donate_vm(&vm, FIRST, 0);
}

static void commit(void)
{
	vm_commit(&vm);
}

static void die(void)
{
	give_back(0);
}

static void share(void)
{
	vm_share_host(&vm, 0);
}

static void unshare(void)
{
	vm_unshare_host(&vm, 0);
}

static void grow(void)
{
	host_donate_layer(FIRST + 1);
}

static void touch_first(void)
{
	touch(FIRST, 0);
}

static void touch_second(void)
{
	touch(FIRST + 1, 1);
	touch(NEIGHBOUR, 1);
}

static void (*const events[])(void) = {
	touch_first, touch_second, donate, commit, flush_this_cpu, die, run_vm, share, unshare,
	grow, reap,
};

/* --- every state --------------------------------------------------------------------- */

#define SEEN		(1u << 16)
#define DEPTH		40

static struct shared {
	u64 seen[SEEN];
	u32 states, steps;
	bool failed;
} *shared;

static u64 mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

/* What can make a difference for what comes: no counters, no addresses of tables. */
static u64 state_now(void)
{
	const struct unit_queue *q = &units[0].queue;
	u64 h = 1, pfn;
	u32 d, i;

	for (pfn = FIRST; pfn < FIRST + 2; pfn++) {
		h = mix(h, frame_entry(pfn));
		for (d = 0; d < HW_DEVICES; d++)
			for (i = 0; i < 16; i++)
				if (hw.iotlb[d][i].valid &&
				    hw.iotlb[d][i].iova == pfn << PAGE_SHIFT)
					h = mix(h, 8 * d + 2 + hw.iotlb[d][i].nothing);
	}
	h = mix(h, vm.state | vm.unmapped << 8 | vm.frames_pending << 9);
	h = mix(h, q->epoch ? 2 + (q->epoch >= vm.flush_ticket) :
			      q->reached >= vm.flush_ticket);
	h = mix(h, fake_cpu->flushed_epoch >= vm.flush_ticket);
	h = mix(h, fake_cpu->flushed_epoch == flush_epoch());
	h = mix(h, (q->epoch == flush_epoch()) << 1 | (q->reached == flush_epoch()));
	h = mix(h, hw.waited << 2 | hw.iotlb_waits << 1 | (hw.iqh != hw.iqt));
	return h ? h : 1;
}

static bool new_state(void)
{
	u64 h = state_now();
	u32 i = h % SEEN;

	for (; shared->seen[i]; i = (i + 1) % SEEN)
		if (shared->seen[i] == h)
			return false;
	shared->seen[i] = h;
	return ++shared->states < SEEN / 2;
}

/* A process is a copy of the world: each event is tried in one of its own. */
static void explore(u32 depth)
{
	int status;
	pid_t pid;
	u32 n;

	for (n = 0; n < ARRAY_SIZE(events) && !shared->failed; n++) {
		pid = fork();
		if (!pid) {
			shared->steps++;
			events[n]();
			check();
			if (depth < DEPTH && new_state())
				explore(depth + 1);
			_Exit(shared->failed);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			shared->failed = true;
	}
}

static void *explored[2];

static void explore_kind(void *arg)
{
	const struct kind *k = explored[0];
	enum hw_mutant mutant = (enum hw_mutant)(uintptr_t)explored[1];

	(void)arg;
	if (mutant && (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
		abort();
	world(k, mutant);
	check();
	explore(0);
	if (shared->failed)
		_Exit(1);
}

static bool survives(const struct kind *k, enum hw_mutant mutant)
{
	memset(shared, 0, sizeof(*shared));
	explored[0] = (void *)(uintptr_t)k;
	explored[1] = (void *)(uintptr_t)mutant;
	return in_child(explore_kind, NULL);
}

/* --- back to Linux -------------------------------------------------------------------- */

static void give(void *arg)
{
	u64 pa;
	u32 i;

	world(arg, HW_SOUND);
	hw.slow = false;
	must(!hw_dma(0, LAYER_START << PAGE_SHIFT, true, &pa));
	hw.watch = no_gap;
	must(unit_give(&units[0]));
	must(unit_use(&units[0]) == UNIT_PASSTHROUGH);
	must(hw.root == HOST_ROOT << PAGE_SHIFT);
	must(hw_reaches(0, LAYER_START << PAGE_SHIFT));
	if (!(kind->ecap & ECAP_QI))
		return;
	must(hw.gsts & GCMD_QIE && hw.iqa == HOST_QUEUE << PAGE_SHIFT);
	must(hw.iqh == HOST_TAIL * DESC_BYTES && hw.iqt == hw.iqh && !(hw.fsts & FSTS_QUEUE));
	/* Else nobody could switch the queue off again, the next launch among them. */
	must(hw.last_type == DESC_WAIT);
	for (i = 0; i < 512; i++)
		must(word(HOST_QUEUE)[i] == (0xabababab00000000ULL | i));
}

static void off_and_back(void *arg)
{
	kind = arg;
	frames();
	hw_init(kind->cap, kind->ecap);
	must(!unit_add(&dmar.unit[0]) && unit_use(&units[0]) == UNIT_OFF);
	must(!dma_init(&up_config, &dmar) && !unit_take(&units[0]));
	vm.state = UP_VM_BUILDING;
	check();
	must(hw.gsts & GCMD_TE && hw.fectl[0] >> 31);
	must(unit_give(&units[0]) && unit_use(&units[0]) == UNIT_OFF);
	must(!(hw.gsts & (GCMD_QIE | GCMD_IRE)) && !(hw.fectl[0] >> 31));
}

/* --- single facts ---------------------------------------------------------------------- */

static void fault_names(void *arg)
{
	struct unit_fault_record f;
	u64 pa;

	world(arg, HW_SOUND);
	must(!fault_take(&units[0], 0, &f));
	must(!hw_dma(1, LAYER_START << PAGE_SHIFT, true, &pa));
	must(fault_take(&units[0], 0, &f));
	must(f.source == 1 && f.address == LAYER_START << PAGE_SHIFT && f.write);
	must(!hw_dma(0, HW_BASE, false, &pa));
	must(fault_take(&units[0], 0, &f));
	must(!f.source && f.address == HW_BASE && !f.write);
	must(!hw_dma(0, HW_BASE, false, &pa));
	faults_report();
	must(faults_seen() == 1 && !fault_take(&units[0], 0, &f));
}

static void reserved_is_ram(void *arg)
{
	kind = arg;
	frames();
	hw_init(kind->cap, kind->ecap);
	dmar.region[0] = (struct dmar_range){ FIRST << PAGE_SHIFT, (FIRST << PAGE_SHIFT) + 0xfff };
	must(!unit_add(&dmar.unit[0]) && dma_init(&up_config, &dmar) == -UP_EINVAL);
}

/* Splitting takes a frame: without one nothing changes, and nobody is refused. */
static void pool_is_empty(void *arg)
{
	world(arg, HW_SOUND);
	must(!host_donate_vm(&vm, NEIGHBOUR, 9));	/* the VM has its table */
	while (pool_alloc())
		;
	must(host_donate_vm(&vm, 1024, 0) == -UP_ENOMEM);
	must(host_donate_layer(1024) == -UP_ENOMEM);
	must(frame_host_usable(1024));
	must(hw_reaches(0, 1024 << PAGE_SHIFT) && hw_reaches(0, 1025 << PAGE_SHIFT));
}

/* An error in the queue: what was lost stays pending for ever. */
static void queue_breaks(void *arg)
{
	world(arg, HW_SOUND);
	must(!host_donate_vm(&vm, FIRST, 0));
	hw.fsts |= FSTS_IQE;
	flush_this_cpu();
	must(vm_commit(&vm) == -UP_EAGAIN);
	hw.fsts = 0;
	flush_this_cpu();
	must(vm_commit(&vm) == -UP_EAGAIN && !frame_ready(&vm, FIRST, 0));
}

static void bad_units(void *arg)
{
	kind = arg;
	frames();
	hw_init(CAP_48 & ~MASK(12, 8), ECAP_C);
	must(unit_add(&dmar.unit[0]) == UNIT_LEVELS);
	hw_init(CAP_48 | 0xffULL << 40, ECAP_C);
	must(unit_add(&dmar.unit[0]) == UNIT_RANGE);
	hw_init(CAP_48, ECAP_C);
	hw.ecap |= MASK(17, 8);
	must(unit_add(&dmar.unit[0]) == UNIT_RANGE);
	hw.cap = hw.ecap = ~0ULL;
	must(unit_add(&dmar.unit[0]) == UNIT_ABSENT);
	must(!nunits);
}

/* --- the emulated unit -------------------------------------------------------------------- */

static void host_says(u64 lo, u64 hi)
{
	u64 iqt = emul_read(&units[0], VTD_IQT, 8), size = PAGE_SIZE;

	word(HOST_QUEUE)[iqt / 8] = lo;
	word(HOST_QUEUE)[iqt / 8 + 1] = hi;
	emul_write(&units[0], VTD_IQT, 8, (iqt + DESC_BYTES) % size);
}

static bool host_waits(u32 data, u64 pa)
{
	host_says(DESC_WAIT | WAIT_SW | (u64)data << 32, pa);
	return !(emul_read(&units[0], VTD_FSTS, 4) & FSTS_IQE) &&
	       emul_read(&units[0], VTD_IQH, 8) == emul_read(&units[0], VTD_IQT, 8);
}

/* What hardware uses is the layer's, whatever the host does. */
static void layers_registers(void)
{
	must(hw.root == dma_root(&units[0]) && hw.gsts & GCMD_TE);
	must(hw.iqa == units[0].queue.pa && hw.gsts & GCMD_QIE);
	must((hw.interrupts & VTD_ADDR) == INTR << PAGE_SHIFT);
	must(hw.fectl[0] >> 31 && hw.iectl[0] >> 31 && !hw.pmen);
}

static void interrupts(enum hw_mutant mutant)
{
	u64 lo, hi, *theirs;

	world(&kinds[7], mutant);
	hw.slow = false;
	theirs = word(HOST_IRTA);
	must(hw_interrupt(1, &lo, &hi) && lo == IRTE_FIXED && hi == 0x40008);
	must(!hw_interrupt(2, &lo, &hi));
	theirs[2] = IRTE_FIXED | 0x99ULL << 40;
	must(hw_interrupt(1, &lo, &hi) && lo == IRTE_FIXED);	/* nobody has said so */
	host_says(DESC_IEC | IEC_INDEX | 1ULL << 32, 0);
	must(host_waits(7, HOST_STATUS << PAGE_SHIFT) && (u32)*word(HOST_STATUS) == 7);
	must(hw_interrupt(1, &lo, &hi) && lo == (IRTE_FIXED | 0x99ULL << 40));
	theirs[2] = 0;
	theirs[4] = IRTE_FIXED | IRTE_POSTED;			/* writes to a descriptor */
	theirs[6] = IRTE_FIXED | 5 << 5;			/* INIT */
	theirs[8] = IRTE_FIXED | 2 << 5;			/* SMI */
	theirs[10] = IRTE_FIXED | 4 << 5;			/* NMI */
	host_says(DESC_IEC, 0);
	must(!hw_interrupt(1, &lo, &hi) && !hw_interrupt(2, &lo, &hi));
	must(!hw_interrupt(3, &lo, &hi) && !hw_interrupt(4, &lo, &hi));
	must(hw_interrupt(5, &lo, &hi));
	/* Another table */
	word(HOST_IRTA + 30)[2] = IRTE_FIXED | 0x77ULL << 40;
	emul_write(&units[0], VTD_IRTA, 8, (HOST_IRTA + 30) << PAGE_SHIFT | 7);
	must(!hw_interrupt(1, &lo, &hi));
	emul_write(&units[0], VTD_GCMD, 4, GCMD_TE | GCMD_QIE | GCMD_IRE | GCMD_SIRTP);
	must(emul_read(&units[0], VTD_GSTS, 4) & GCMD_SIRTP);
	must(hw_interrupt(1, &lo, &hi) && lo == (IRTE_FIXED | 0x77ULL << 40));
	layers_registers();
}

static void emul_interrupts(void *arg)
{
	(void)arg;
	interrupts(HW_SOUND);
}

static void mutant_interrupts(void *arg)
{
	(void)arg;
	interrupts(HW_KEEPS_INTERRUPTS);
}

/* A status address in a frame that is not the host's is a write by the unit's own hand. */
static void emul_status(void *arg)
{
	static const u64 targets[] = { LAYER_START, INTR, FIRST, RESERVED, FRAMES, 1ULL << 40 };
	u64 was[ARRAY_SIZE(targets)];
	u32 i;

	world(arg, HW_SOUND);
	hw.slow = false;
	must(!host_donate_vm(&vm, FIRST, 0));
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		was[i] = targets[i] < FRAMES ? *word(targets[i]) : 0;
		must(!host_waits(0x5a5a5a5a, targets[i] << PAGE_SHIFT));
		must(targets[i] >= FRAMES || *word(targets[i]) == was[i]);
		/* The driver skips it, and the queue goes on. */
		word(HOST_QUEUE)[emul_read(&units[0], VTD_IQH, 8) / 8] = DESC_CONTEXT | DESC_GLOBAL;
		emul_write(&units[0], VTD_FSTS, 4, FSTS_IQE);
		must(host_waits(i, HOST_STATUS << PAGE_SHIFT));
		must((u32)*word(HOST_STATUS) == i);
	}
	layers_registers();
}

static void emul_registers(void *arg)
{
	struct unit *u = &units[0];

	world(arg, HW_SOUND);
	hw.slow = false;
	must(emul_read(u, VTD_VER, 4) == 0x10 && emul_read(u, VTD_RTADDR, 8) == HOST_ROOT << 12);
	must(emul_read(u, VTD_IQA, 8) == HOST_QUEUE << PAGE_SHIFT);
	must(!(emul_read(u, VTD_ECAP, 8) & (BIT(2) | MASK(63, 24))));
	must(emul_read(u, VTD_CAP + 4, 4) == hw.cap >> 32 && !emul_read(u, VTD_CAP + 1, 4));
	emul_write(u, VTD_RTADDR, 8, LAYER_START << PAGE_SHIFT);
	emul_write(u, VTD_GCMD, 4, GCMD_TE | GCMD_QIE | GCMD_IRE | GCMD_SRTP);
	emul_write(u, VTD_IQA, 8, LAYER_START << PAGE_SHIFT);
	must(emul_read(u, VTD_IQA, 8) == HOST_QUEUE << PAGE_SHIFT);	/* it is on */
	emul_write(u, VTD_GCMD, 4, 0);
	emul_write(u, VTD_PMEN, 4, PMEN_EPM);
	emul_write(u, VTD_FECTL, 4, 0);
	emul_write(u, VTD_FEADDR, 4, 0x12345678);
	emul_write(u, VTD_IECTL, 4, 0);
	must(!(emul_read(u, VTD_GSTS, 4) & (GCMD_TE | GCMD_QIE | GCMD_IRE)));
	must(hw.root == dma_root(u) && hw.gsts & GCMD_TE && hw.gsts & GCMD_QIE);
	must(!(hw.gsts & GCMD_IRE));		/* the host's to turn off */
	must(hw.fectl[0] >> 31 && !hw.fectl[2] && hw.iectl[0] >> 31 && !hw.pmen);
	emul_write(u, VTD_IQA, 8, LAYER_START << PAGE_SHIFT);
	emul_write(u, VTD_GCMD, 4, GCMD_QIE);
	must(!host_waits(1, HOST_STATUS << PAGE_SHIFT) && !*word(HOST_STATUS));
}

static void emul_give(void *arg)
{
	u32 i;

	world(arg, HW_SOUND);
	hw.slow = false;
	for (i = 0; i < 300; i++)
		must(host_waits(i, HOST_STATUS << PAGE_SHIFT));
	must(unit_give(&units[0]));
	must(hw.iqh == (HOST_TAIL + 300) % 256 * DESC_BYTES && hw.iqt == hw.iqh);
	must(hw.iqa == HOST_QUEUE << PAGE_SHIFT && !(hw.fsts & FSTS_QUEUE));
	must(hw.interrupts == (HOST_IRTA << PAGE_SHIFT | IRTA_EIME | 7) && hw.gsts & GCMD_IRE);
}

/* --- mutants ------------------------------------------------------------------------------ */

static const struct {
	enum hw_mutant mutant;
	const char *name;
	u32 kind;
} mutants[] = {
	{ HW_KEEPS_IOTLB, "a flush of translations, queued", 0 },
	{ HW_KEEPS_IOTLB, "a flush of translations, by register", 2 },
	{ HW_KEEPS_CONTEXT, "a flush of context entries, queued", 0 },
	{ HW_KEEPS_CONTEXT, "a flush of context entries, by register", 2 },
	{ HW_EARLY_STATUS, "waiting for the queue", 0 },
	{ HW_EARLY_STATUS, "waiting for the register", 2 },
	{ HW_NO_FLUSH_LINE, "the cache flush of an entry", 5 },
	{ HW_NO_FLUSH_LINES, "the cache flush of a table", 5 },
	{ HW_NO_WRITE_BUFFER, "the flush of the write buffer", 6 },
	{ HW_NO_CACHING_MODE, "the flush behind a gain in caching mode", 3 },
	{ HW_NO_CACHING_MODE, "the same, by register", 4 },
	{ HW_NO_LOSE, "taking a lost frame out", 0 },
	{ HW_NO_GAIN, "putting a frame back", 0 },
	{ HW_NO_FLUSHER, "the units' part in the epoch", 0 },
};

static void fact(const char *name, void (*fn)(void *), u32 k)
{
	result(in_child(fn, (void *)(uintptr_t)&kinds[k]), "%s (%s)", name, kinds[k].name);
}

int main(void)
{
	u32 i;

	setvbuf(stdout, NULL, _IOLBF, 0);

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		result(survives(&kinds[i], HW_SOUND) && shared->states > 100,
		       "%s: every state by every event", kinds[i].name);
		printf("# %u states, %u events\n", shared->states, shared->steps);
		fact("Linux gets back what it had, without a gap", give, i);
		fact("a unit that was off is off again", off_and_back, i);
	}
	fact("a fault says who wanted what", fault_names, 0);
	fact("reserved memory that is RAM is refused", reserved_is_ram, 0);
	fact("without a frame to split with, nothing is lost", pool_is_empty, 0);
	fact("a queue that fails vouches for nothing", queue_breaks, 0);
	fact("what no table can serve is refused", bad_units, 0);
	fact("the host's interrupts are remapped by checked copies", emul_interrupts, 7);
	fact("no status is written but to the host's memory", emul_status, 7);
	fact("whatever the host writes, hardware's registers are the layer's", emul_registers, 7);
	fact("after 300 waits it gets back its queue where it goes on", emul_give, 7);
	result(!in_child(mutant_interrupts, NULL),
	       "without a flush of interrupt entries something fails");
	for (i = 0; i < ARRAY_SIZE(mutants); i++)
		result(!survives(&kinds[mutants[i].kind], mutants[i].mutant),
		       "without %s something fails", mutants[i].name);
	printf("1..%d\n", test_number);
	return test_failures != 0;
}
