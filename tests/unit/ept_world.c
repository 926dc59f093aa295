// SPDX-License-Identifier: GPL-2.0
/* See ept_world.h. */
#include "ept_world.h"

#define SECRET		0x5ec2e7a5ec2e7a5eULL	/* written by a protected VM only, in private */
#define JUNK		0x4a554e4b4a554e4bULL	/* what the host writes */
#define NONE		(~0ULL)
#define DECOYS		8
#define SLOTS		8	/* leaf entries of an ordinary VM's EPT12 that KVM plays with */
#define HIST		20000

/* What a translation is for: 0 host, 1 + n ordinary VM n, 16 + n protected VM n */
enum { CTX_HOST = 0, CTX_SHADOW = 1, CTX_PVM = 16, CTX_NOBODY = 99 };

struct tlb_entry {
	bool used;
	u64 root;
	u64 gpa;	/* aligned to its span */
	u32 level;	/* what it spans */
	bool table;	/* ->entry points to the table of ->level - 1, else it is a leaf */
	u64 entry;
	u32 ctx;
};

#define TLB_SIZE 512
static struct cpu_model {
	struct tlb_entry tlb[TLB_SIZE];
	u64 clean;			/* model clock at its last exit */
	u64 root;			/* what it runs in now */
	u64 invept[SHADOWS];		/* KVM's last INVEPT here */
} cpu_model[CPUS];

struct owner pvm[PVMS];
static struct vm_ept *pvm_ept[PVMS];
struct mvm mvm[PVMS];
struct mframe mframe[FRAMES];
u64 eptp12[SHADOWS];
u64 host_root;
u64 steps;

static u64 now = 1;
static u64 pvm_eptp12[PVMS];
static u64 mdecoy[DECOYS];
static u32 mdecoy_next;
static u64 mdecoy_ticket;
static u64 decoy_frames[DECOYS];
static u64 mdonated, mdonated_ticket;
static u64 mlayer;			/* frames that are the layer's and were in its pool */
static struct { u64 time, entry; } hist[SHADOWS][SLOTS][HIST];
static u32 nhist[SHADOWS][SLOTS];
static struct vm_ept *shadow_seen[256];	/* every table that shadow_get() ever gave */
static u32 nshadow_seen;

static const u64 slot_gpa[SLOTS] = {
	0, 0x1000, 0x5000, 0x1ff000, 0x200000, 0x201000, 0xc0000000, 0x400000,
};

#define LARGE_SLOT 7

void fail(const char *fmt, ...)
{
	va_list ap;

	printf("# step %llu, clock %llu: ", (unsigned long long)steps, (unsigned long long)now);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_Exit(1);
}

static u64 rnd_state = 88172645463325252ULL;

u64 rnd(u64 below)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (rnd_state * 0x2545f4914f6cdd1dULL >> 33) % below;
}

void rnd_seed(u64 seed);
void rnd_seed(u64 seed)
{
	rnd_state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

u64 w_kvm_gpa(u32 i)
{
	return slot_gpa[i % SLOTS];
}

/* --- hardware ------------------------------------------------------------ */

u64 rdmsr(u32 msr)
{
	switch (msr) {
	case 0xfe:	/* MTRRCAP: WC, fixed ranges, two variable ones */
		return 0x502;
	case 0x2ff:
		return 0xc06;
	case 0x200:	/* the hole is uncached */
		return HOLE_START << PAGE_SHIFT;
	case 0x201:
		return (MASK(MAXPHYADDR - 1, 12) & ~((HOLE_END - HOLE_START) * PAGE_SIZE - 1)) |
		       0x800;
	case 0x202: case 0x203:
		return 0;
	case 0x259:	/* a0000-bffff */
		return 0;
	case 0x250: case 0x258: case 0x268 ... 0x26f:
		return 0x0606060606060606ULL;
	case 0x48c:
		return BIT(0) | BIT(6) | BIT(14) | BIT(16) | BIT(17) | BIT(20) | BIT(25) | BIT(26);
	}
	fail("unexpected RDMSR %x", msr);
}

int fake_invept(u64 type, u64 eptp)
{
	struct cpu_model *c = &cpu_model[fake_cpu->cpu];
	u32 i;

	expect(type == 1 || type == 2, "INVEPT type %llu", (unsigned long long)type);
	for (i = 0; i < TLB_SIZE; i++)
		if (type == 2 || c->tlb[i].root == (eptp & EPT_ADDR))
			c->tlb[i].used = false;
	return 0;
}

static bool covers(const struct tlb_entry *t, u64 root, u64 gpa)
{
	return t->used && t->root == root && !((t->gpa ^ gpa) >> EPT_SHIFT(t->level));
}

static void tlb_add(struct cpu_model *c, u64 root, u64 gpa, u32 level, bool table, u64 entry,
		    u32 ctx)
{
	u32 i, free = rnd(TLB_SIZE);

	for (i = 0; i < TLB_SIZE; i++) {
		if (c->tlb[i].used && c->tlb[i].root == root && c->tlb[i].level == level &&
		    c->tlb[i].table == table && c->tlb[i].gpa == ALIGN_DOWN(gpa, EPT_SPAN(level)))
			break;
		if (!c->tlb[i].used)
			free = i;
	}
	if (i == TLB_SIZE)
		i = free;
	c->tlb[i] = (struct tlb_entry) { true, root, ALIGN_DOWN(gpa, EPT_SPAN(level)), level, table,
					 entry, ctx };
}

/*
 * Translate as a processor may: any cached translation, or a walk from any
 * cached table.  What is used, and how much is forgotten meanwhile, is random.
 */
static bool translate(u32 cpu, u64 root, u32 ctx, u64 gpa, u64 access, u64 *hpa, u64 *qual)
{
	struct cpu_model *c = &cpu_model[cpu];
	u64 e = 0, perms = EPT_RWX, table = root;
	u32 i, level = EPT_LEVELS, off = rnd(TLB_SIZE);
	struct tlb_entry *t;

	for (i = 0; i < TLB_SIZE; i++) {
		t = &c->tlb[(i + off) % TLB_SIZE];
		if (!covers(t, root, gpa) || !rnd(4))
			continue;
		if (!t->table && (t->entry & access) == access) {
			expect(t->ctx == ctx, "translation of context %u used by %u", t->ctx, ctx);
			*hpa = (t->entry & EPT_ADDR) | (gpa & (EPT_SPAN(t->level) - 1));
			return true;
		}
		if (t->table && t->level - 1 < level) {
			level = t->level - 1;
			table = t->entry & EPT_ADDR;
		}
	}
	for (; ; level--) {
		e = ((u64 *)phys(table))[ept_index(gpa, level)];
		perms &= e;
		if (!(e & EPT_RWX))
			break;
		expect(!ept_entry_misconfigured(e, level), "entry %llx at level %u is misconfigured",
		       (unsigned long long)e, level);
		if (level == 1 || e & EPT_LARGE)
			break;
		tlb_add(c, root, gpa, level, true, e, ctx);
		table = e & EPT_ADDR;
	}
	if (perms && (perms & access) == access) {
		tlb_add(c, root, gpa, level, false, (e & ~(u64)EPT_RWX) | perms, ctx);
		*hpa = (e & EPT_ADDR) | (gpa & (EPT_SPAN(level) - 1));
		return true;
	}
	/* A violation forgets what was used for this address (SDM vol. 3, 29.4.3.1). */
	for (i = 0; i < TLB_SIZE; i++)
		if (covers(&c->tlb[i], root, gpa))
			c->tlb[i].used = false;
	*qual = access | perms << 3 | EPT_VIOL_GLA_VALID | EPT_VIOL_GLA_TRANSLATED;
	return false;
}

/* A table that a CPU may still walk from its caches must not become anything else. */
void __real_pool_free(u64 pa);
void __wrap_pool_free(u64 pa);
void __wrap_pool_free(u64 pa)
{
	const struct tlb_entry *t;
	u32 c, i;

	for (c = 0; c < CPUS; c++) {
		for (i = 0; i < TLB_SIZE; i++) {
			t = &cpu_model[c].tlb[i];
			expect(!t->used || !t->table || (t->entry & EPT_ADDR) != pa ||
			       (t->root != host_root &&
				(c == fake_cpu->cpu || t->root != cpu_model[c].root)),
			       "CPU %u has table %llx of context %u cached, and it is freed", c,
			       (unsigned long long)pa, t->ctx);
		}
	}
	__real_pool_free(pa);
}

/* More to leave out: what takes mappings away. */
void __real_binding_cut(struct owner *o);
void __wrap_binding_cut(struct owner *o);
void __wrap_binding_cut(struct owner *o)
{
	if (!fake_skip("ept", 0, "binding_cut"))
		__real_binding_cut(o);
}

/* ... from each view: its row is bent to come by here. */
#define VIEWS	8
static void (*real_lose[VIEWS])(u64 pfn);

#define LOSE(n) \
	static void lose_##n(u64 pfn) \
	{ \
		if (!fake_skip("view", n, "lose")) \
			real_lose[n](pfn); \
	}
LOSE(0)
LOSE(1)

__attribute__((constructor)) static void bend_views(void)
{
	static void (*const bent[])(u64 pfn) = { lose_0, lose_1 };
	struct view *v = (struct view *)__start_views;
	u32 i, n = __stop_views - __start_views;

	expect(n == ARRAY_SIZE(bent), "%u views", n);
	for (i = 0; i < n; i++) {
		real_lose[i] = v[i].lose;
		v[i].lose = bent[i];
	}
}

/* --- the model ------------------------------------------------------------ */

static bool is_ram(u64 pfn)
{
	return pfn < HOLE_START;
}

static bool done(u64 ticket)
{
	u32 i;

	for (i = 0; i < CPUS; i++)
		if (cpu_model[i].clean <= ticket)
			return false;
	return true;
}

static bool model_is_hosts(u64 pfn)
{
	return !is_ram(pfn) || mframe[pfn].owner == OWNER_HOST ||
	       (mframe[pfn].owner >= OWNER_VM0 && mframe[pfn].state == FRAME_SHARED);
}

static bool model_is_decoy(u64 pfn)
{
	u32 i;

	for (i = 0; i < DECOYS; i++)
		if (decoy_frames[i] == pfn)
			return true;
	return false;
}

static void model_pending(u64 pfn, u32 owner, u64 gfn)
{
	mframe[pfn] = (struct mframe) { owner, FRAME_PENDING, gfn, false, now };
}

/* A pending frame of VM @n becomes usable. */
static void model_commit(u64 pfn)
{
	struct owner *vm = &pvm[mframe[pfn].owner - OWNER_VM0];

	mframe[pfn].state = FRAME_OWNED;
	if (vm->state == UP_VM_RUNNABLE || vm->state == UP_VM_DEAD)
		expect(page_is_zero(phys(pfn << PAGE_SHIFT)), "frame %llx is used before it is zeroed",
		       (unsigned long long)pfn);
}

/* The real code may complete a pending frame when it is touched: only if it may. */
static void model_sync(void)
{
	u64 pfn, e;
	u32 n;

	for (pfn = 0; pfn < HOLE_START; pfn++) {
		e = frame_entry(pfn);
		if (mframe[pfn].state != FRAME_PENDING || FRAME_STATE(e) != FRAME_OWNED ||
		    FRAME_OWNER(e) != mframe[pfn].owner)
			continue;
		if (mframe[pfn].owner == OWNER_LAYER) {
			expect(done(mframe[pfn].pending_since), "frame %llx is pooled too early",
			       (unsigned long long)pfn);
			mframe[pfn].state = FRAME_OWNED;
			mdonated--;
			mlayer++;
			continue;
		}
		n = mframe[pfn].owner - OWNER_VM0;
		expect(done(mvm[n].ticket), "frame %llx is committed before its flush",
		       (unsigned long long)pfn);
		model_commit(pfn);
	}
}

static u32 model_decoy_find(u64 pfn)
{
	u32 i;

	for (i = 0; i < DECOYS && mdecoy[i] != pfn; i++)
		;
	return i;
}

static bool model_clean(u64 pfn)
{
	u32 i = model_decoy_find(pfn);

	if (i < DECOYS) {
		mdecoy[i] = NONE;
		mdecoy_ticket = now;
	}
	return done(mdecoy_ticket);
}

static void model_decoy(u64 pfn)
{
	u64 e = *ept_find(host_root, pfn << PAGE_SHIFT, 1);
	u64 frame = (e & EPT_ADDR) >> PAGE_SHIFT;
	u32 i;

	if (model_decoy_find(pfn) == DECOYS) {
		if (mdecoy[mdecoy_next] != NONE)
			mdecoy_ticket = now;
		mdecoy[mdecoy_next] = pfn;
		mdecoy_next = (mdecoy_next + 1) % DECOYS;
		expect(*(u64 *)phys(e & EPT_ADDR) == 0xdec0dec0dec0dec0ULL, "decoy without pattern");
	}
	for (i = 0; decoy_frames[i] != frame; i++) {
		expect(i + 1 < DECOYS || !decoy_frames[i], "more than %d decoys", DECOYS);
		if (!decoy_frames[i])
			decoy_frames[i] = frame;
		if (decoy_frames[i] == frame)
			break;
	}
	expect((e & EPT_RWX) == (EPT_R | EPT_W), "decoy entry %llx", (unsigned long long)e);
}

/* May @cpu hold this 4 KiB translation now? */
static bool legit(u32 cpu, u32 ctx, u64 gpfn, u64 hpfn)
{
	const struct mframe *m = &mframe[hpfn % FRAMES];
	bool stale_ok;

	if (!is_ram(hpfn) || hpfn >= FRAMES)
		return ctx < CTX_PVM && (ctx != CTX_HOST || gpfn == hpfn);
	stale_ok = m->state == FRAME_PENDING && cpu_model[cpu].clean <= m->pending_since;
	if (ctx >= CTX_PVM) {
		if (m->owner != OWNER_VM0 + ctx - CTX_PVM || m->gfn != gpfn)
			return false;
		return m->state != FRAME_PENDING || stale_ok;
	}
	if (ctx == CTX_HOST && m->owner == OWNER_LAYER && model_is_decoy(hpfn))
		return is_ram(gpfn) && !model_is_hosts(gpfn);
	if (ctx == CTX_HOST && gpfn != hpfn)
		return false;
	if (m->owner == OWNER_HOST)
		return true;
	if (m->owner >= OWNER_VM0 && m->state == FRAME_SHARED)
		return ctx == CTX_HOST;
	return stale_ok;
}

/* --- comparing every view --------------------------------------------------- */

static void check_leaf(u32 cpu, u32 ctx, u64 gpa, u64 e, u32 level, const char *where)
{
	u64 i, hpfn = (e & EPT_ADDR) >> PAGE_SHIFT;

	for (i = 0; i < EPT_SPAN(level) >> PAGE_SHIFT && i < 512; i++)
		expect(legit(cpu, ctx, (gpa >> PAGE_SHIFT) + i, hpfn + i),
		       "CPU %u, context %u: %s maps %llx to %llx, whose owner is %u, state %d",
		       cpu, ctx, where, (unsigned long long)(gpa >> PAGE_SHIFT) + i,
		       (unsigned long long)hpfn + i, mframe[(hpfn + i) % FRAMES].owner,
		       mframe[(hpfn + i) % FRAMES].state);
}

static void check_tlbs(void)
{
	const struct tlb_entry *t;
	u32 i, c, type;

	for (c = 0; c < CPUS; c++) {
		for (i = 0; i < TLB_SIZE; i++) {
			t = &cpu_model[c].tlb[i];
			if (!t->used || t->table)
				continue;
			check_leaf(c, t->ctx, t->gpa, t->entry, t->level, "a stale translation");
			type = t->entry >> 3 & 7;
			if (t->ctx == CTX_HOST &&
			    !model_is_decoy((t->entry & EPT_ADDR) >> PAGE_SHIFT))
				expect((int)type == mtrr_type(t->gpa, EPT_SPAN(t->level)),
				       "CPU %u: %llx cached with memory type %u", c,
				       (unsigned long long)t->gpa, type);
		}
	}
}

static u64 tree_small, tree_large, tree_tables;

/* Every translation that a walk from this table can give */
static void check_tree(u32 cpu, u32 ctx, u64 table, u32 level, u64 gpa, const char *where)
{
	u64 e, i;

	tree_tables++;
	expect(is_ram(table >> PAGE_SHIFT) && mframe[table >> PAGE_SHIFT].owner == OWNER_LAYER,
	       "%s, context %u: table %llx at level %u for %llx is not the layer's", where, ctx,
	       (unsigned long long)table, level, (unsigned long long)gpa);
	for (i = 0; i < 512; i++, gpa += EPT_SPAN(level)) {
		e = ((u64 *)phys(table))[i];
		if (!(e & EPT_RWX))
			continue;
		if (level > 1 && !(e & EPT_LARGE)) {
			check_tree(cpu, ctx, e & EPT_ADDR, level - 1, gpa, where);
			continue;
		}
		check_leaf(cpu, ctx, gpa, e, level, where);
		/* Not executable: a decoy, by chance at its own address. */
		if (frame_entry(gpa >> PAGE_SHIFT) && (e & EPT_ADDR) == gpa && e & EPT_X) {
			tree_small += level == 1;
			tree_large += level > 1 ? EPT_SPAN(level) >> PAGE_SHIFT : 0;
		}
	}
}

static void check_cached_tables(void)
{
	const struct tlb_entry *t;
	u32 i, c;

	for (c = 0; c < CPUS; c++) {
		for (i = 0; i < TLB_SIZE; i++) {
			t = &cpu_model[c].tlb[i];
			if (t->used && t->table &&
			    (t->root == host_root || t->root == cpu_model[c].root))
				check_tree(c, t->ctx, t->entry & EPT_ADDR, t->level - 1, t->gpa,
					   "a stale table");
		}
	}
}

static void check_bindings(u32 n)
{
	u64 e, *p, gfn, frames = 0, shared = 0, pending = 0;
	u64 next = 0, pfn = 0;

	for (gfn = 0; gfn < ARRAY_SIZE(mvm[n].bound); gfn++) {
		p = binding_entry(&pvm[n], gfn);
		expect(!!p == !!mvm[n].bound[gfn], "VM %u: gfn %llx bound: %d", n,
		       (unsigned long long)gfn, !!p);
		if (!p)
			continue;
		e = *p;
		expect((e & EPT_ADDR) >> PAGE_SHIFT == mvm[n].bound[gfn] - 1,
		       "VM %u: gfn %llx is bound to another frame", n, (unsigned long long)gfn);
		expect(binding_next(&pvm[n], &next, &pfn) && next == gfn &&
		       pfn == mvm[n].bound[gfn] - 1, "VM %u: iteration misses gfn %llx", n,
		       (unsigned long long)gfn);
		next++;
		expect(mframe[pfn].owner == OWNER_VM0 + n && mframe[pfn].gfn == gfn, "model: bug");
		expect(!(e & EPT_RWX) || mframe[pfn].state != FRAME_PENDING,
		       "VM %u: pending gfn %llx is mapped", n, (unsigned long long)gfn);
		frames++;
		shared += mframe[pfn].state == FRAME_SHARED;
		pending += mframe[pfn].state == FRAME_PENDING;
	}
	expect(!binding_next(&pvm[n], &next, &pfn), "VM %u: iteration does not end", n);
	expect(frames == pvm[n].frames && shared == pvm[n].frames_shared &&
	       pending == pvm[n].frames_pending, "VM %u: counts %llu %llu %llu", n,
	       (unsigned long long)pvm[n].frames, (unsigned long long)pvm[n].frames_shared,
	       (unsigned long long)pvm[n].frames_pending);
}

void w_check(void)
{
	struct up_status s = { 0 };
	u64 pfn, e, ram = 0, layer = 0, vm = 0;
	u32 i;

	model_sync();
	for (pfn = 0; pfn < FRAMES; pfn++) {
		e = frame_entry(pfn);
		expect(FRAME_OWNER(e) == mframe[pfn].owner, "frame %llx: owner %u, model %u",
		       (unsigned long long)pfn, FRAME_OWNER(e), mframe[pfn].owner);
		expect((int)FRAME_STATE(e) == mframe[pfn].state, "frame %llx: state %d, model %d",
		       (unsigned long long)pfn, FRAME_STATE(e), mframe[pfn].state);
		if (mframe[pfn].owner >= OWNER_VM0)
			expect(FRAME_GFN(e) == mframe[pfn].gfn, "frame %llx: gfn",
			       (unsigned long long)pfn);
		ram += mframe[pfn].owner != 0;
		layer += mframe[pfn].owner == OWNER_LAYER;
		vm += mframe[pfn].owner >= OWNER_VM0;
	}
	check_tlbs();
	check_cached_tables();
	tree_small = tree_large = 0;
	/* What is in a table now must be right for a CPU that flushed just now. */
	for (i = 0; i < CPUS; i++)
		cpu_model[i].clean += BIT(32);
	check_tree(0, CTX_HOST, host_root, EPT_LEVELS, 0, "the host's table");
	for (i = 0; i < nshadow_seen; i++)
		if (vm_ept_eptp(shadow_seen[i]) & EPT_ADDR)
			check_tree(0, CTX_SHADOW, vm_ept_eptp(shadow_seen[i]) & EPT_ADDR,
				   EPT_LEVELS, 0, "a shadow table");
	for (i = 0; i < PVMS; i++)
		if (pvm[i].gfn_root)
			check_tree(0, mvm[i].cut ? CTX_NOBODY : CTX_PVM + i, pvm[i].gfn_root,
				   EPT_LEVELS, 0, "a VM's table");
	for (i = 0; i < CPUS; i++)
		cpu_model[i].clean -= BIT(32);
	for (i = 0; i < PVMS; i++)
		check_bindings(i);
	{
		u64 small = 0, large = 0;

		tree_small = tree_large = 0;
		for (i = 0; i < CPUS; i++)
			cpu_model[i].clean += BIT(32);
		check_tree(0, CTX_HOST, host_root, EPT_LEVELS, 0, "the host's table");
		for (i = 0; i < CPUS; i++)
			cpu_model[i].clean -= BIT(32);
		small = tree_small;
		large = tree_large;
		ept_stats(&s);
		model_sync();
		/* Shared frames are mapped but not the host's; they count as small. */
		expect(s.host_2m_frames == large && s.host_4k_frames == small,
		       "host frames by 2 MiB %llu, is %llu; by 4 KiB %llu, is %llu",
		       s.host_2m_frames, (unsigned long long)large, s.host_4k_frames,
		       (unsigned long long)small);
	}
	expect(s.ram_frames == ram && s.pool_frames == layer && s.vm_frames == vm,
	       "frames of RAM %llu, layer %llu, VMs %llu", s.ram_frames, s.pool_frames,
	       s.vm_frames);
}

/* --- events ------------------------------------------------------------------ */

static void leave_guest(u32 cpu)
{
	steps++;
	now++;
	model_sync();
	fake_cpu = cpus[cpu];
	flush_this_cpu_if_behind(this_cpu());
	cpu_model[cpu].clean = now;
}

static void to_host(u32 cpu)
{
	cpu_model[cpu].root = host_root;
	model_sync();
	check_tlbs();
}

void w_exit(u32 cpu)
{
	leave_guest(cpu);
	to_host(cpu);
}

void w_flush_all(void)
{
	u32 i;

	for (i = 0; i < CPUS; i++)
		w_exit(i);
}

static int same(const char *what, int got, int want)
{
	expect(got == want || got == -UP_ENOMEM, "%s: %d instead of %d", what, got, want);
	return got;
}

int w_donate_layer(u32 cpu, u64 pfn)
{
	int want;

	leave_guest(cpu);
	want = !pfn ? -UP_EINVAL : pfn >= FRAMES || !is_ram(pfn) ? -UP_ENOENT :
	       mframe[pfn].owner != OWNER_HOST ? -UP_EPERM : 0;
	want = same("donate to the layer", host_donate_layer(pfn), want);
	model_sync();
	if (!want) {
		model_pending(pfn, OWNER_LAYER, 0);
		mdonated++;
		mdonated_ticket = now;
	}
	to_host(cpu);
	return want;
}

static int pool_commit(void)
{
	bool all;

	spin_lock(&frames_lock);
	all = donated_to_pool();
	spin_unlock(&frames_lock);
	return all ? 0 : -UP_EAGAIN;
}

int w_pool_commit(u32 cpu)
{
	int want;
	u64 pfn;

	leave_guest(cpu);
	want = mdonated && !done(mdonated_ticket) ? -UP_EAGAIN : 0;
	same("commit the pool", pool_commit(), want);
	for (pfn = 0; pfn < HOLE_START && !want && mdonated; pfn++) {
		if (mframe[pfn].owner == OWNER_LAYER && mframe[pfn].state == FRAME_PENDING) {
			mframe[pfn].state = FRAME_OWNED;
			mlayer++;
		}
	}
	if (!want)
		mdonated = 0;
	to_host(cpu);
	return want;
}

static void model_to_host(u64 pfn)
{
	expect(page_is_zero(phys(pfn << PAGE_SHIFT)), "frame %llx comes back with contents",
	       (unsigned long long)pfn);
	mframe[pfn] = (struct mframe) { OWNER_HOST, FRAME_OWNED, 0, false, 0 };
}

int w_donate_vm(u32 cpu, u32 n, u64 pfn, u64 gfn)
{
	struct owner *vm = &pvm[n];
	int want;

	leave_guest(cpu);
	want = gfn >= binding_gfns() ? -UP_EINVAL : pfn >= FRAMES || !is_ram(pfn) ? -UP_ENOENT :
	       mframe[pfn].owner != OWNER_HOST ? -UP_EPERM :
	       mvm[n].cut || (vm->state != UP_VM_BUILDING && vm->state != UP_VM_RUNNABLE) ?
	       -UP_EBUSY : mvm[n].bound[gfn] ? -UP_EEXIST : 0;
	want = same("donate to a VM", host_donate_vm(vm, pfn, gfn), want);
	if (!want) {
		model_pending(pfn, OWNER_VM0 + n, gfn);
		mvm[n].bound[gfn] = pfn + 1;
		mvm[n].ticket = now;
	}
	to_host(cpu);
	return want;
}

int w_commit(u32 cpu, u32 n)
{
	u64 pfn, pending = 0;
	int want;

	leave_guest(cpu);
	for (pfn = 0; pfn < HOLE_START; pfn++)
		pending += mframe[pfn].owner == OWNER_VM0 + n && mframe[pfn].state == FRAME_PENDING;
	want = pending && !done(mvm[n].ticket) ? -UP_EAGAIN : 0;
	do
		steps++;
	while (vm_commit(&pvm[n]) == -UP_EAGAIN && !want);
	for (pfn = 0; pfn < HOLE_START && !want && pending; pfn++)
		if (mframe[pfn].owner == OWNER_VM0 + n && mframe[pfn].state == FRAME_PENDING)
			model_commit(pfn);
	same("commit a VM", vm_commit(&pvm[n]), want);
	to_host(cpu);
	return want;
}

/* The checks that all operations on a bound gfn begin with, and its frame */
static int model_bound(u32 n, u64 gfn, u64 *pfn)
{
	if (gfn >= binding_gfns())
		return -UP_EINVAL;
	if (gfn >= ARRAY_SIZE(mvm[n].bound) || !mvm[n].bound[gfn])
		return -UP_ENOENT;
	*pfn = mvm[n].bound[gfn] - 1;
	return 0;
}

int w_return(u32 cpu, u32 n, u64 gfn)
{
	u64 got = 0, pfn = 0;
	int want;

	leave_guest(cpu);
	want = model_bound(n, gfn, &pfn);
	if (!want && pvm[n].state != UP_VM_DEAD)
		want = -UP_EBUSY;
	if (!want && !mvm[n].cut) {
		mvm[n].cut = true;
		mvm[n].ticket = now;
	}
	if (!want && (!done(mvm[n].ticket) || !model_clean(pfn)))
		want = -UP_EAGAIN;
	same("VM returns", vm_return_host(&pvm[n], gfn, &got), want);
	if (!want) {
		expect(got == pfn, "another frame came back");
		mvm[n].bound[gfn] = 0;
		model_to_host(pfn);
	}
	to_host(cpu);
	return want;
}

int w_share(u32 cpu, u32 n, u64 gfn)
{
	u64 pfn = 0;
	int want;

	leave_guest(cpu);
	want = model_bound(n, gfn, &pfn);
	if (!want && (mframe[pfn].state != FRAME_OWNED || pvm[n].state != UP_VM_RUNNABLE))
		want = -UP_EBUSY;
	if (!want && !model_clean(pfn))
		want = -UP_EAGAIN;
	same("share", vm_share_host(&pvm[n], gfn), want);
	if (!want) {
		expect(page_is_zero(phys(pfn << PAGE_SHIFT)), "shared with contents");
		mframe[pfn].state = FRAME_SHARED;
	}
	to_host(cpu);
	return want;
}

int w_unshare(u32 cpu, u32 n, u64 gfn)
{
	u64 pfn = 0;
	int want;

	leave_guest(cpu);
	want = model_bound(n, gfn, &pfn);
	if (!want && (mframe[pfn].state == FRAME_OWNED || pvm[n].state != UP_VM_RUNNABLE))
		want = -UP_EBUSY;
	if (!want && mframe[pfn].state == FRAME_SHARED) {
		model_pending(pfn, OWNER_VM0 + n, gfn);
		mvm[n].ticket = now;
	}
	if (!want && !done(mvm[n].ticket))
		want = -UP_EAGAIN;
	same("unshare", vm_unshare_host(&pvm[n], gfn), want);
	if (!want)
		model_commit(pfn);
	to_host(cpu);
	return want;
}

/* Wait until no CPU runs in VM @n: what the caller of these guarantees */
static void stop_vm(u32 n)
{
	u32 i;

	for (i = 0; i < CPUS; i++)
		if (pvm[n].gfn_root && cpu_model[i].root == pvm[n].gfn_root)
			w_exit(i);
}

void w_vm_state(u32 cpu, u32 n, enum up_vm_state state)
{
	u64 pfn;

	if (state == UP_VM_MEASURING || state == UP_VM_RUNNABLE)
		for (pfn = 0; pfn < HOLE_START; pfn++)
			if (mframe[pfn].owner == OWNER_VM0 + n &&
			    mframe[pfn].state == FRAME_PENDING &&
			    pvm[n].state == UP_VM_BUILDING)
				return;		/* not before vm_commit() said 0 */
	leave_guest(cpu);
	pvm[n].state = state;
	to_host(cpu);
}

void w_vm_destroy(u32 cpu, u32 n)
{
	u64 root = pvm[n].gfn_root;
	u32 i, c;
	int err;

	if (pvm[n].state != UP_VM_DEAD || pvm[n].frames) {
		expect(!pvm[n].frames || vm_ept_destroy(pvm_ept[n]) == -UP_EBUSY, "destroyed too early");
		return;
	}
	stop_vm(n);
	leave_guest(cpu);
	do
		err = vm_ept_destroy(pvm_ept[n]);
	while (err == -UP_EAGAIN);
	same("destroy", err, 0);
	for (c = 0; c < CPUS; c++)
		for (i = 0; i < TLB_SIZE && mvm[n].cut; i++)
			expect(!cpu_model[c].tlb[i].used || cpu_model[c].tlb[i].root != root ||
			       cpu_model[c].tlb[i].ctx != CTX_PVM + n,
			       "CPU %u: a translation outlives its VM", c);
	memset(&pvm[n], 0, sizeof(pvm[n]));
	memset(&mvm[n], 0, sizeof(mvm[n]));
	pvm[n].id = n;
	to_host(cpu);
	w_vm_create(cpu, n);
}

void w_vm_create(u32 cpu, u32 n)
{
	leave_guest(cpu);
	pvm_ept[n] = vm_ept_create(&pvm[n]);
	pvm[n].state = pvm_ept[n] ? UP_VM_BUILDING : UP_VM_NONE;
	to_host(cpu);
}

/* The CPU reads and writes the frame that it has reached. */
static void use_frame(u32 ctx, u64 hpa, u64 access)
{
	u64 pfn = hpa >> PAGE_SHIFT, *word;

	if (!is_ram(pfn))
		return;
	word = (u64 *)phys(hpa & PAGE_MASK) + 1 + rnd(8);
	if (ctx < CTX_PVM)
		expect(*word != SECRET, "context %u reads a secret from frame %llx", ctx,
		       (unsigned long long)pfn);
	if (access & EPT_W)
		*word = ctx >= CTX_PVM && mframe[pfn].state == FRAME_OWNED ? SECRET : JUNK;
}

void w_host_touch(u32 cpu, u64 pfn, u64 access, enum gla gla)
{
	u64 hpa, qual, gpa = pfn << PAGE_SHIFT | 0x18;
	enum ept_result r, want;
	u32 tries;

	if (cpu_model[cpu].root != host_root)
		w_exit(cpu);
	for (tries = 0; !translate(cpu, host_root, CTX_HOST, gpa, access, &hpa, &qual); tries++) {
		expect(tries < 3, "host loops at %llx", (unsigned long long)gpa);
		leave_guest(cpu);
		want = pfn < FRAMES && !model_is_hosts(pfn) ?
		       gla == GLA_USER ? EPT_FAULT_USER :
		       access & EPT_X ? EPT_FAULT_DENIED : EPT_FAULT_DECOY :
		       gpa >> MAXPHYADDR ? EPT_FAULT_DENIED : EPT_FILLED;
		r = host_ept_violation(gpa, qual, gla == GLA_USER ? 0x7f0000000000 : ~0ULL << 47);
		expect(r == want || r == EPT_NOMEM, "host touches %llx: %d instead of %d",
		       (unsigned long long)gpa, r, want);
		if (r == EPT_FAULT_DECOY)
			model_decoy(pfn);
		to_host(cpu);
		if (r != EPT_FILLED && r != EPT_FAULT_DECOY)
			return;
	}
	use_frame(CTX_HOST, hpa, access);
}

void w_kvm_map(u32 n, u64 gpa, u64 entry)
{
	struct ept_walk w;
	u32 i;

	now++;
	for (i = 0; i < SLOTS && slot_gpa[i] != gpa; i++)
		;
	expect(i < SLOTS && nhist[n][i] < HIST, "test: no such slot");
	expect(!ept_walk(eptp12[n], gpa, &w), "test: KVM's tables");
	((u64 *)phys(w.table))[ept_index(gpa, i == LARGE_SLOT ? 2 : 1)] = entry;
	hist[n][i][nhist[n][i]].time = now;
	hist[n][i][nhist[n][i]++].entry = entry;
}

/* Did KVM's table say so at some time since it last asked this CPU to forget? */
static bool kvm_said(u32 cpu, u32 n, u32 slot, u64 gpa, u64 hpa, u64 access)
{
	u64 e, until = ~0ULL;
	u32 i;

	for (i = nhist[n][slot]; i-- > 0 && until >= cpu_model[cpu].invept[n];) {
		e = hist[n][slot][i].entry;
		until = hist[n][slot][i].time;
		if ((e & access) == access &&
		    hpa == (e & EPT_ADDR) + (gpa & (EPT_SPAN(slot == LARGE_SLOT ? 2 : 1) - 1)))
			return true;
	}
	return false;
}

void w_shadow_touch(u32 cpu, u32 n, u64 gpa, u64 access)
{
	u64 hpa, qual, e, root;
	enum ept_result r;
	struct vm_ept *t;
	u32 slot, tries;
	bool may;

	for (slot = 0; slot < SLOTS && slot_gpa[slot] != gpa; slot++)
		;
	if (slot == LARGE_SLOT)
		gpa += 0x3000;
	leave_guest(cpu);
	t = shadow_get(eptp12[n]);
	if (!t) {
		to_host(cpu);
		return;
	}
	vm_ept_prepare(t);
	root = vm_ept_eptp(t) & EPT_ADDR;
	for (tries = 0; tries < nshadow_seen && shadow_seen[tries] != t; tries++)
		;
	if (tries == nshadow_seen)
		shadow_seen[nshadow_seen++] = t;
	cpu_model[cpu].root = root;
	check_tlbs();
	for (tries = 0; !translate(cpu, root, CTX_SHADOW + n, gpa, access, &hpa, &qual); tries++) {
		expect(tries < 3, "VM loops at %llx", (unsigned long long)gpa);
		leave_guest(cpu);
		r = vm_ept_violation(t, eptp12[n], gpa, &qual);
		e = nhist[n][slot] ? hist[n][slot][nhist[n][slot] - 1].entry : 0;
		hpa = (e & EPT_ADDR) + (slot == LARGE_SLOT ? 0x3000 : 0);
		may = !is_ram(hpa >> PAGE_SHIFT) || mframe[hpa >> PAGE_SHIFT].owner == OWNER_HOST;
		if (r == EPT_NOMEM) {
			to_host(cpu);
			return;
		}
		if ((e & 3) == 2) {
			expect(r == EPT_REFLECT_MISCONFIG, "misconfiguration missed");
		} else {
			expect(r == ((e & access) == access && may ? EPT_FILLED : EPT_REFLECT),
			       "violation at %llx, KVM's entry %llx: %d", (unsigned long long)gpa,
			       (unsigned long long)e, r);
			expect((qual >> 3 & 7) == (e & 7), "qualification %llx",
			       (unsigned long long)qual);
		}
		if (r != EPT_FILLED) {
			to_host(cpu);
			return;
		}
		vm_ept_prepare(t);
		model_sync();
		check_tlbs();
	}
	expect(kvm_said(cpu, n, slot, gpa, hpa, access), "CPU %u, VM %u: %llx reaches %llx", cpu, n,
	       (unsigned long long)gpa, (unsigned long long)hpa);
	use_frame(CTX_SHADOW + n, hpa, access);
}

void w_pvm_touch(u32 cpu, u32 n, u64 gpa, u64 access, u64 proposal)
{
	u64 hpa, qual, root, mismatches, gfn = gpa >> PAGE_SHIFT;
	struct vm_ept *t = pvm_ept[n];
	enum ept_result r, want;
	struct ept_walk w;
	u32 tries;
	u64 pfn;

	if (pvm[n].state != UP_VM_RUNNABLE || !t)
		return;
	expect(!ept_walk(pvm_eptp12[n], gpa, &w), "test: KVM's tables");
	((u64 *)phys(w.table))[ept_index(gpa, 1)] = proposal << PAGE_SHIFT | 0x70 |
						    (proposal ? EPT_RWX : 0);
	leave_guest(cpu);
	vm_ept_prepare(t);
	root = vm_ept_eptp(t) & EPT_ADDR;
	cpu_model[cpu].root = root;
	model_sync();
	check_tlbs();
	for (tries = 0; !translate(cpu, root, CTX_PVM + n, gpa, access, &hpa, &qual); tries++) {
		expect(tries < 3, "VM loops at %llx", (unsigned long long)gpa);
		leave_guest(cpu);
		pfn = mvm[n].bound[gfn] - 1;
		want = proposal && mvm[n].bound[gfn] &&
		       (mframe[pfn].state != FRAME_PENDING || done(mvm[n].ticket)) ?
		       EPT_FILLED : EPT_REFLECT;
		mismatches = pvm[n].mismatches;
		r = vm_ept_violation(t, pvm_eptp12[n], gpa, &qual);
		expect(r == want, "protected VM's violation at %llx: %d instead of %d",
		       (unsigned long long)gpa, r, want);
		if (proposal)
			expect((pvm[n].mismatches > mismatches) ==
			       (!mvm[n].bound[gfn] || proposal != pfn), "a mismatch is not counted");
		model_sync();
		if (r != EPT_FILLED) {
			to_host(cpu);
			return;
		}
		vm_ept_prepare(t);
		check_tlbs();
	}
	expect(mvm[n].bound[gfn] && hpa >> PAGE_SHIFT == mvm[n].bound[gfn] - 1,
	       "protected VM %u: gfn %llx reaches frame %llx", n, (unsigned long long)gfn,
	       (unsigned long long)(hpa >> PAGE_SHIFT));
	use_frame(CTX_PVM + n, hpa, access);
}

void w_kvm_invept(u32 cpu, u32 n, u64 type)
{
	u32 i;

	leave_guest(cpu);
	shadow_invept(type, eptp12[n]);
	for (i = 0; i < SHADOWS; i++)
		if (type == 2 || i == n)
			cpu_model[cpu].invept[i] = now;
	to_host(cpu);
}

void w_kvm_off(u32 cpu)
{
	leave_guest(cpu);
	shadow_cpu_off();
	to_host(cpu);
}

/* --- beginning and end --------------------------------------------------------- */

/* KVM's tables for gpas 0 to 4 MiB and 3 to 3 GiB + 2 MiB, in host frames from @pfn on */
static u64 kvm_tables(u64 pfn)
{
	u64 *t[7];
	u32 i;

	for (i = 0; i < 7; i++) {
		t[i] = phys((pfn + i) << PAGE_SHIFT);
		expect(mframe[pfn + i].owner == OWNER_HOST, "test: KVM's table");
	}
#define TO(i) ((pfn + (i)) << PAGE_SHIFT | EPT_RWX)
	t[0][0] = TO(1);
	t[1][0] = TO(2);
	t[2][0] = TO(3);
	t[2][1] = TO(4);
	t[1][3] = TO(5);
	t[5][0] = TO(6);
	return pfn << PAGE_SHIFT | EPTP_FLAGS;
}

void w_init(u32 pool_frames)
{
	static const struct up_range ram = { 0, HOLE_START };
	static const struct up_range layer = { LAYER_START, LAYER_END };
	static struct up_range pool = { LAYER_START + 2, 0 };
	static const struct up_config cfg = {
		.cpus = CPUS, .ram_ranges = 1, .layer_chunks = 1, .pool_chunks = 1,
		.maxphyaddr = MAXPHYADDR,
		.table_frames = TABLE_FRAMES,
		.ram = &ram, .layer = &layer, .pool = &pool,
	};
	u64 pfn;
	u32 i;

	fake_init(FRAMES, TABLE_FRAMES, CPUS);
	pool.end_pfn = pool.start_pfn + pool_frames;
	mlayer = pool_frames;
	for (pfn = 0; pfn < FRAMES; pfn++)
		mframe[pfn].owner = !is_ram(pfn) ? 0 :
				    pfn >= LAYER_START && pfn < LAYER_END ?
				    OWNER_LAYER : OWNER_HOST;
	for (i = 0; i < DECOYS; i++)
		mdecoy[i] = NONE;
	expect(!frames_init(&cfg) && !pool_init(&cfg), "initialisation");
	mtrr_init();
	host_root = host_ept_init() & EPT_ADDR;
	expect(host_root, "no root");
	for (i = 0; i < CPUS; i++) {
		cpu_model[i].root = host_root;
		cpu_model[i].clean = now;
		fake_cpu = cpus[i];
		flush_this_cpu();
	}
	for (i = 0; i < SHADOWS; i++)
		eptp12[i] = kvm_tables(16 + 8 * i);
	for (i = 0; i < PVMS; i++) {
		pvm_eptp12[i] = kvm_tables(64 + 8 * i);
		pvm[i].id = i;
		pvm[i].state = UP_VM_BUILDING;
		pvm_ept[i] = vm_ept_create(&pvm[i]);
		expect(pvm_ept[i], "no table for a VM");
	}
}

void w_teardown(void)
{
	struct up_status s;
	u64 gfn;
	u32 n, i;

	for (n = 0; n < PVMS; n++) {
		stop_vm(n);
		w_vm_state(0, n, UP_VM_DEAD);
		for (gfn = 0; gfn < ARRAY_SIZE(mvm[n].bound); gfn++)
			for (i = 0; mvm[n].bound[gfn] && w_return(i % CPUS, n, gfn); i++)
				w_flush_all();
		if (!pvm_ept[n])
			continue;
		w_vm_destroy(0, n);
		expect(!pvm_ept[n] || !vm_ept_destroy(pvm_ept[n]), "destroy");
		pvm[n].gfn_root = 0;
	}
	for (i = 0; i < CPUS; i++)
		w_kvm_off(i);
	while (w_pool_commit(0))
		w_flush_all();
	for (i = 0; i < 100; i++) {
		w_flush_all();
		ept_stats(&s);
	}
	w_check();
	tree_tables = 0;
	check_tree(0, CTX_HOST, host_root, EPT_LEVELS, 0, "the host's table");
	expect(pool_count() + DECOYS + tree_tables == mlayer,
	       "leak: pool %llu, tables %llu, all %llu", (unsigned long long)pool_count(),
	       (unsigned long long)tree_tables, (unsigned long long)mlayer);
	fake_free();
}
