// SPDX-License-Identifier: GPL-2.0
/*
 * Every transition from every state, each with and without a flush between, and
 * with translations of the frame cached everywhere; and single promises of ept/.
 */
#include "ept_child.h"
#include "ept_world.h"

#define F	1540ULL		/* the frame; its neighbours stay the host's */
#define GFN	3ULL
#define OTHER	1541ULL		/* another frame of the host */

/* --- states that a frame can be in --------------------------------------------- */

static void donated(void)
{
	w_donate_vm(0, 0, F, GFN);
}

static void committed(void)
{
	donated();
	w_flush_all();
	expect(!w_commit(1, 0), "commit");
}

static void measuring(void)
{
	committed();
	w_vm_state(0, 0, UP_VM_MEASURING);
}

static void runnable(void)
{
	measuring();
	w_vm_state(0, 0, UP_VM_RUNNABLE);
	w_pvm_touch(1, 0, GFN << PAGE_SHIFT, EPT_W, F);
}

static void late_donated(void)
{
	w_vm_state(0, 0, UP_VM_RUNNABLE);
	donated();
}

static void shared(void)
{
	runnable();
	expect(!w_share(1, 0, GFN), "share");
	w_host_touch(0, F, EPT_W, GLA_USER);
	w_host_touch(2, F, EPT_R, GLA_KERNEL);
}

static void unsharing(void)
{
	shared();
	expect(w_unshare(1, 0, GFN) == -UP_EAGAIN, "unshare");
}

static void dead(void)
{
	runnable();
	w_vm_state(2, 0, UP_VM_DEAD);
}

static void dead_shared(void)
{
	shared();
	w_vm_state(2, 0, UP_VM_DEAD);
}

static void dead_pending(void)
{
	late_donated();
	w_vm_state(2, 0, UP_VM_DEAD);
}

static void dead_cut(void)
{
	dead();
	expect(w_return(0, 0, GFN) == -UP_EAGAIN, "cut");
}

static void others(void)
{
	w_donate_vm(0, 1, F, GFN);
	w_flush_all();
	w_commit(1, 1);
	w_vm_state(0, 1, UP_VM_RUNNABLE);
	w_pvm_touch(2, 1, GFN << PAGE_SHIFT, EPT_W, F);
}

static void hosts(void)
{
	w_host_touch(0, F, EPT_W, GLA_KERNEL);
}

static void hosts_beside_bound(void)
{
	w_vm_state(0, 0, UP_VM_RUNNABLE);
	w_donate_vm(0, 0, OTHER, GFN);
}

static void layers_pending(void)
{
	w_donate_layer(0, F);
}

/* The layer's, and its owner may give it back: it came from pool_alloc(). */
static void layers(void)
{
	u64 keep[600];
	u32 n = 0;

	layers_pending();
	w_flush_all();
	w_pool_commit(0);
	do {
		expect(n < ARRAY_SIZE(keep), "not in the pool");
		keep[n++] = pool_alloc();
	} while (keep[n - 1] >> PAGE_SHIFT != F);
	for (n--; n-- > 0;)
		pool_free(keep[n]);
}

static const struct {
	const char *name;
	void (*make)(void);
} states[] = {
	{ "the host's", hosts },
	{ "the host's, its gfn bound to another", hosts_beside_bound },
	{ "the layer's", layers },
	{ "the layer's, pending", layers_pending },
	{ "a VM's, pending", donated },
	{ "a VM's", committed },
	{ "a VM's that is being measured", measuring },
	{ "a running VM's", runnable },
	{ "a running VM's, pending", late_donated },
	{ "a running VM's, shared", shared },
	{ "a running VM's, being unshared", unsharing },
	{ "a dead VM's", dead },
	{ "a dead VM's, shared", dead_shared },
	{ "a dead VM's, pending", dead_pending },
	{ "a dead VM's, table cut", dead_cut },
	{ "another VM's", others },
};

/* --- transitions ----------------------------------------------------------------- */

static int t_donate_layer(void) { return w_donate_layer(1, F); }
static int t_pool_commit(void) { return w_pool_commit(1); }
static int t_donate_vm(void) { return w_donate_vm(1, 0, F, GFN); }
static int t_donate_vm_elsewhere(void) { return w_donate_vm(1, 0, F, GFN + 1); }
static int t_donate_vm_far(void) { return w_donate_vm(1, 0, F, binding_gfns()); }
static int t_donate_other_vm(void) { return w_donate_vm(1, 1, F, GFN); }
static int t_commit(void) { return w_commit(1, 0); }
static int t_return(void) { return w_return(1, 0, GFN); }
static int t_return_unbound(void) { return w_return(1, 0, GFN + 7); }
static int t_return_other(void) { return w_return(1, 1, GFN); }
static int t_share(void) { return w_share(1, 0, GFN); }
static int t_share_other(void) { return w_share(1, 1, GFN); }
static int t_share_far(void) { return w_share(1, 0, binding_gfns()); }
static int t_unshare(void) { return w_unshare(1, 0, GFN); }
static int t_unshare_unbound(void) { return w_unshare(1, 0, GFN + 7); }
static int t_donate_hole(void) { return w_donate_vm(1, 0, HOLE_START, GFN + 2); }
static int t_donate_nowhere(void) { return w_donate_layer(1, FRAMES + 5); }
static int t_donate_zero(void) { return w_donate_layer(1, 0); }

static const struct {
	const char *name;
	int (*run)(void);
} transitions[] = {
	{ "donate to layer", t_donate_layer }, { "pool commit", t_pool_commit },
	{ "donate to VM", t_donate_vm }, { "donate at another gfn", t_donate_vm_elsewhere },
	{ "donate at impossible gfn", t_donate_vm_far },
	{ "donate to another VM", t_donate_other_vm }, { "donate no RAM", t_donate_hole },
	{ "donate beyond memory", t_donate_nowhere }, { "donate frame 0", t_donate_zero },
	{ "commit", t_commit }, { "return", t_return }, { "return unbound", t_return_unbound },
	{ "return by another VM", t_return_other }, { "share", t_share },
	{ "share by another VM", t_share_other }, { "share impossible gfn", t_share_far },
	{ "unshare", t_unshare }, { "unshare unbound", t_unshare_unbound },
};

/* How the world stands when the transition comes */
enum { PLAIN, FLUSHED, CACHED, DECOYED, VARIANTS };

struct one {
	u32 state, transition, variant;
};

static void touch_everywhere(void)
{
	u32 c;

	for (c = 0; c < CPUS; c++) {
		w_host_touch(c, F, EPT_R, GLA_KERNEL);
		w_host_touch(c, F, EPT_W, GLA_USER);
		w_shadow_touch(c, 0, 0x1000, EPT_R);
		w_pvm_touch(c, 0, GFN << PAGE_SHIFT, EPT_R, F);
	}
}

static void run_one(void *arg)
{
	struct one *one = arg;
	u32 i;

	w_init(500);
	w_kvm_map(0, 0x1000, F << PAGE_SHIFT | 0x37);
	if (one->variant == CACHED)
		touch_everywhere();
	states[one->state].make();
	if (one->variant == FLUSHED)
		w_flush_all();
	if (one->variant == DECOYED)
		touch_everywhere();
	w_check();
	transitions[one->transition].run();
	w_check();
	touch_everywhere();
	w_check();
	/* Again and again: it ends, or stays refused. */
	for (i = 0; i < 3; i++) {
		w_flush_all();
		transitions[one->transition].run();
		w_check();
	}
	touch_everywhere();
	w_check();
	if (states[one->state].make == layers && mframe[F].owner == OWNER_LAYER)
		pool_free(F << PAGE_SHIFT);
	w_teardown();
}

static void every_transition_from_every_state(void)
{
	u32 s, t, v, bad;

	for (s = 0; s < ARRAY_SIZE(states); s++) {
		bad = 0;
		for (t = 0; t < ARRAY_SIZE(transitions); t++) {
			for (v = 0; v < VARIANTS; v++) {
				struct one one = { s, t, v };

				if (in_child(run_one, &one))
					continue;
				printf("# %s: variant %u\n", transitions[t].name, v);
				bad++;
			}
		}
		result(!bad, "a frame that is %s: %zu transitions, %d ways each", states[s].name,
		       ARRAY_SIZE(transitions), VARIANTS);
	}
}

/* --- single promises ---------------------------------------------------------------- */

static void region_comes_back_large(void *arg)
{
	struct up_status s = { 0 };
	u64 i, before;

	(void)arg;
	w_init(500);
	for (i = 1034; i < HOLE_START; i += 256)
		w_host_touch(0, i, EPT_R, GLA_KERNEL);
	ept_stats(&s);
	expect(s.host_2m_frames == 3 * 512, "%llu frames by 2 MiB", s.host_2m_frames);
	for (i = 0; i < 512; i++)
		expect(!w_donate_vm(0, 0, 1536 + i, i), "donate");
	w_host_touch(1, 1536, EPT_R, GLA_USER);
	w_host_touch(1, 2047, EPT_R, GLA_KERNEL);
	w_vm_state(0, 0, UP_VM_DEAD);
	w_return(0, 0, 0);
	w_flush_all();
	before = pool_count();
	for (i = 0; i < 512; i++)
		while (w_return(0, 0, i))
			w_flush_all();
	expect(pool_count() >= before + 3, "the VM's tables are kept");
	w_check();
	w_host_touch(0, 1600, EPT_W, GLA_KERNEL);
	ept_stats(&s);
	expect(s.host_2m_frames == 3 * 512, "%llu frames by 2 MiB after all", s.host_2m_frames);
	w_check();
	w_teardown();
}

/* KVM's tables are memory of the host: a VM's frame is not read as one. */
static void tables_in_foreign_frames(void *arg)
{
	u64 qual = EPT_VIOL_READ, bad[3];
	struct vm_ept *t;
	struct ept_walk w;
	u32 i;

	(void)arg;
	w_init(500);
	expect(!w_donate_vm(0, 0, 2000, 0), "donate");
	bad[0] = 2000ULL << PAGE_SHIFT | EPTP_FLAGS;
	bad[1] = LAYER_START << PAGE_SHIFT | EPTP_FLAGS;
	bad[2] = HOLE_START << PAGE_SHIFT | EPTP_FLAGS;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		expect(ept_walk(bad[i], 0x1000, &w) == -UP_EPERM, "walk through frame %u", i);
		t = shadow_get(bad[i]);
		vm_ept_prepare(t);
		expect(vm_ept_violation(t, bad[i], 0x1000, &qual) == EPT_REFLECT_MISCONFIG,
		       "violation through frame %u", i);
	}
	w_teardown();
}

static u32 count_violations(u64 eptp, u64 gpa, u64 *qual)
{
	struct vm_ept *t = shadow_get(eptp);
	u64 *e;

	vm_ept_prepare(t);
	e = ept_slot(vm_ept_eptp(t) & EPT_ADDR, gpa, 1, NULL);
	if (e && *e & EPT_RWX)
		return 0;
	vm_ept_violation(t, eptp, gpa, qual);
	return 1;
}

/* What KVM fills in answer to a violation is there at the next entry already. */
static void second_violation_is_saved(void *arg)
{
	u64 qual = EPT_VIOL_READ;

	(void)arg;
	w_init(500);
	expect(count_violations(eptp12[0], 0x5000, &qual) == 1, "first");
	w_kvm_map(0, 0x5000, 2000ULL << PAGE_SHIFT | 0x37);
	expect(count_violations(eptp12[0], 0x5000, &qual) == 0, "second");
	w_teardown();
}

/* After INVEPT one violation brings a whole table back. */
static void fills_come_in_batches(void *arg)
{
	u64 qual = EPT_VIOL_READ;

	(void)arg;
	w_init(500);
	w_kvm_map(0, 0, 2000ULL << PAGE_SHIFT | 0x37);
	w_kvm_map(0, 0x1000, 2001ULL << PAGE_SHIFT | 0x37);
	w_kvm_map(0, 0x1ff000, 2002ULL << PAGE_SHIFT | 0x37);
	expect(count_violations(eptp12[0], 0, &qual) == 1, "first");
	w_kvm_invept(0, 0, 1);
	expect(count_violations(eptp12[0], 0, &qual) == 1, "after INVEPT");
	expect(count_violations(eptp12[0], 0x1000, &qual) == 0, "neighbour");
	expect(count_violations(eptp12[0], 0x1ff000, &qual) == 0, "last of the table");
	w_teardown();
}

/*
 * KVM takes another table of level 1.  What a CPU kept of its walks goes with the INVEPT, with
 * which the shadow table may have been emptied (@filled: it held something), or was empty.
 */
static void table_moves(bool filled)
{
	u64 *new, *pde, qual = EPT_VIOL_READ;
	u32 level;

	w_init(500);
	new = phys(2500ULL << PAGE_SHIFT);
	pde = phys(eptp12[0] & EPT_ADDR);
	fake_cpu = cpus[0];
	w_kvm_map(0, 0x1000, 2000ULL << PAGE_SHIFT | 0x37);
	if (filled)
		expect(count_violations(eptp12[0], 0x1000, &qual) == 1, "filled");
	expect(count_violations(eptp12[0], 0x2000, &qual) == 1, "nothing there");
	for (level = 4; level > 2; level--)
		pde = phys(*pde & EPT_ADDR);
	memset(new, 0, PAGE_SIZE);
	new[1] = 2000ULL << PAGE_SHIFT | 0x37;
	new[2] = 2001ULL << PAGE_SHIFT | 0x37;
	*pde = 2500ULL << PAGE_SHIFT | EPT_RWX;
	w_kvm_invept(0, 0, 1);
	fake_cpu = cpus[1];
	expect(count_violations(eptp12[0], 0x1000, &qual) == 1, "filled again");
	ept_set(ept_slot(vm_ept_eptp(shadow_get(eptp12[0])) & EPT_ADDR, 0x2000, 1, NULL), 0);
	fake_cpu = cpus[0];
	expect(vm_ept_violation(shadow_get(eptp12[0]), eptp12[0], 0x2000, &qual) == EPT_FILLED,
	       "through the table that KVM has now");
	w_teardown();
}

static void an_invept_forgets_kvms_table(void *arg)
{
	(void)arg;
	table_moves(true);
}

static void an_invept_of_nothing_forgets_it_too(void *arg)
{
	(void)arg;
	table_moves(false);
}

/* More tables of KVM's than the layer keeps, more memory than it has: it recycles. */
static void shadow_tables_are_recycled(void *arg)
{
	u64 eptp, qual, i, *root;
	u64 free = 0;

	(void)arg;
	w_init(POOL_RESERVE + 44);
	w_kvm_map(0, 0x1000, 2000ULL << PAGE_SHIFT | 0x37);
	for (i = 0; i < 400; i++) {
		/* Each a root frame of its own, all with VM 0's tables below. */
		root = phys((2048 + i % 200) << PAGE_SHIFT);
		root[0] = *(u64 *)phys(eptp12[0] & EPT_ADDR);
		eptp = (2048 + i % 200) << PAGE_SHIFT | EPTP_FLAGS;
		fake_cpu = cpus[i % CPUS];
		qual = EPT_VIOL_READ;
		expect(count_violations(eptp, 0x1000, &qual) == 1, "table %u", (u32)i);
		expect(count_violations(eptp, 0x1000, &qual) == 0, "table %u again", (u32)i);
		free = pool_count();
		expect(free >= POOL_RESERVE - 4, "reserve is used up: %u", (u32)free);
	}
	w_teardown();
}

/* KVM's tables for a VM of 1 GiB in small pages: every 2 MiB needs a table */
static u64 vm_of_many_tables(void)
{
	u64 i, *t = phys(2048ULL << PAGE_SHIFT);

	t[0] = 2049ULL << PAGE_SHIFT | EPT_RWX;
	t = phys(2049ULL << PAGE_SHIFT);
	t[0] = 2050ULL << PAGE_SHIFT | EPT_RWX;
	t = phys(2050ULL << PAGE_SHIFT);
	for (i = 0; i < 512; i++)	/* the same table everywhere */
		t[i] = 2051ULL << PAGE_SHIFT | EPT_RWX;
	t = phys(2051ULL << PAGE_SHIFT);
	t[7] = 2000ULL << PAGE_SHIFT | 0x37;
	return 2048ULL << PAGE_SHIFT | EPTP_FLAGS;
}

/* One VM needs more tables than there are: it goes on, in less. */
static void one_vm_outgrows_the_pool(void *arg)
{
	u64 eptp, qual, i;

	(void)arg;
	w_init(POOL_RESERVE + 44);
	eptp = vm_of_many_tables();
	for (i = 0; i < 512; i++) {
		qual = EPT_VIOL_READ;
		expect(count_violations(eptp, i * SZ_2M + 0x7000, &qual) == 1, "region");
		expect(count_violations(eptp, i * SZ_2M + 0x7000, &qual) == 0, "region again");
	}
	/* With another CPU in it, its frames wait for a flush: then it goes on too. */
	fake_cpu = cpus[1];
	count_violations(eptp, 0x7000, &qual);
	for (i = 0; i < 512; i++) {
		fake_cpu = cpus[0];
		qual = EPT_VIOL_READ;
		count_violations(eptp, i * SZ_2M + 0x7000, &qual);
		if (count_violations(eptp, i * SZ_2M + 0x7000, &qual)) {
			w_flush_all();
			w_flush_all();
			fake_cpu = cpus[0];
			count_violations(eptp, i * SZ_2M + 0x7000, &qual);
			expect(count_violations(eptp, i * SZ_2M + 0x7000, &qual) == 0, "region");
		}
	}
	w_teardown();
}

/* VMs hold the whole pool, one of them runs elsewhere: the host gets its tables. */
static void host_gets_its_tables(void *arg)
{
	u64 eptp, qual, i, waits = 0;

	(void)arg;
	w_init(POOL_RESERVE + 44);
	ept_caps &= ~EPT_CAP_1G;	/* a table for each GiB */
	eptp = vm_of_many_tables();
	fake_cpu = cpus[1];
	for (i = 0; pool_count() > POOL_RESERVE; i++) {
		qual = EPT_VIOL_READ;
		count_violations(eptp, i * SZ_2M + 0x7000, &qual);
	}
	for (i = 1; i < 36; i++) {
		fake_cpu = cpus[0];
		while (host_ept_violation(i * SZ_1G, EPT_VIOL_READ, 0) != EPT_FILLED) {
			expect(waits++ < 1, "the host waits in vain");
			w_flush_all();
		}
	}
	w_check();
}

static void layer_shrinks_again(void *arg)
{
	u64 i, before;

	(void)arg;
	w_init(100);
	before = pool_count();
	for (i = 0; i < 200; i++)
		expect(!w_donate_layer(i % CPUS, 2100 + i), "donate");
	expect(w_pool_commit(0) == -UP_EAGAIN && pool_count() == before, "usable before the flush");
	w_flush_all();
	expect(!w_pool_commit(0) && pool_count() == before + 200, "not usable after the flush");
	w_teardown();
}

/* A tool reads all of memory through the direct map: it gets patterns, the VM lives. */
static void scanning_all_memory(void *arg)
{
	u64 pfn, i;

	(void)arg;
	w_init(500);
	for (i = 0; i < 40; i++)
		w_donate_vm(0, 0, 1600 + 3 * i, i);
	w_flush_all();
	w_commit(0, 0);
	w_vm_state(0, 0, UP_VM_RUNNABLE);
	for (i = 0; i < 40; i++)
		w_pvm_touch(1, 0, i << PAGE_SHIFT, EPT_W, 1600 + 3 * i);
	for (pfn = 0; pfn < HOLE_START; pfn++)
		w_host_touch(pfn % CPUS, pfn, pfn % 2 ? EPT_R : EPT_R | EPT_W, GLA_KERNEL);
	w_check();
	for (i = 0; i < 40; i++)
		w_pvm_touch(2, 0, i << PAGE_SHIFT, EPT_R, 1600 + 3 * i);
	w_teardown();
}

/* Device memory: large pages, and no cached mapping of it for a VM. */
static void device_memory(void *arg)
{
	u64 qual = EPT_VIOL_READ, *e;
	struct vm_ept *t;

	(void)arg;
	w_init(500);
	w_host_touch(0, (3ULL << 30) >> PAGE_SHIFT, EPT_R, GLA_KERNEL);
	e = ept_find(host_root, 3ULL << 30, 3);
	expect(*e == (3ULL << 30 | EPT_LARGE | EPT_RWX | MEMTYPE_WB << 3), "1 GiB: %llx",
	       (unsigned long long)*e);
	w_host_touch(0, HOLE_START + 5, EPT_R, GLA_KERNEL);
	e = ept_find(host_root, HOLE_START << PAGE_SHIFT, 2);
	expect(*e == (HOLE_START << PAGE_SHIFT | EPT_LARGE | EPT_RWX), "2 MiB: %llx",
	       (unsigned long long)*e);
	w_kvm_map(0, 0x1000, (HOLE_START + 5) << PAGE_SHIFT | EPT_RWX | 0x70);
	t = shadow_get(eptp12[0]);
	vm_ept_prepare(t);
	expect(vm_ept_violation(t, eptp12[0], 0x1000, &qual) == EPT_FILLED, "VM");
	e = ept_find(vm_ept_eptp(t) & EPT_ADDR, 0x1000, 1);
	expect(*e == ((HOLE_START + 5) << PAGE_SHIFT | EPT_RWX), "VM: %llx",
	       (unsigned long long)*e);
	expect(host_ept_violation(1ULL << MAXPHYADDR, EPT_VIOL_READ, 0) == EPT_FAULT_DENIED,
	       "an address that the processor has not");
	w_teardown();
}

static const struct {
	const char *name;
	void (*fn)(void *arg);
} promises[] = {
	{ "2 MiB that come back from a VM map at 2 MiB again", region_comes_back_large },
	{ "a frame of a VM, of the layer or no RAM is never walked as a table",
	  tables_in_foreign_frames },
	{ "what KVM maps in answer to a violation needs no second one", second_violation_is_saved },
	{ "after INVEPT one violation fills a table", fills_come_in_batches },
	{ "an INVEPT forgets the walk to KVM's table", an_invept_forgets_kvms_table },
	{ "also when the shadow table was empty", an_invept_of_nothing_forgets_it_too },
	{ "shadow tables are recycled, the reserve stays", shadow_tables_are_recycled },
	{ "one VM goes on when the pool is empty", one_vm_outgrows_the_pool },
	{ "the host gets its tables when VMs hold the pool", host_gets_its_tables },
	{ "donated frames are usable after a flush, and go back", layer_shrinks_again },
	{ "a scan of all memory through the direct map meets decoys", scanning_all_memory },
	{ "device memory keeps its type", device_memory },
};

int main(void)
{
	u32 i;

	every_transition_from_every_state();
	for (i = 0; i < ARRAY_SIZE(promises); i++)
		result(in_child(promises[i].fn, NULL), "%s", promises[i].name);
	printf("1..%d\n", test_number);
	return test_failures != 0;
}
