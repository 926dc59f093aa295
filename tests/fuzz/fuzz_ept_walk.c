// SPDX-License-Identifier: GPL-2.0
/*
 * KVM's EPT as a hostile host may write it: ept_walk() against a second, naive
 * walk, and what ept/violation.c makes of it, for an ordinary and for a protected VM.
 *
 * Input: u8 flags, u8 access, u64 eptp, u64 gpa, then { u16 where, u64 entry }
 * stored into the first frames of memory, which hold the tables.
 */
#include "ept_includes.h"

#define TABLES		6	/* frames 1 to 6 */
#define LAYER		32	/* to 255: the layer's */
#define RAM_END		1536
#define MAXPHYADDR	36
#define BOUND_GFN	7

static struct owner vm;
static struct vm_ept *vm_ept;
static u64 vm_frame;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

u64 rdmsr(u32 msr)
{
	if (msr == 0x48c)
		return BIT(0) | BIT(6) | BIT(14) | BIT(16) | BIT(17);
	return msr == 0x2ff ? 0x806 : 0;
}

static void require(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct up_range ram = { 0, RAM_END }, layer = { LAYER, 256 };
	static const struct up_range pool = { LAYER + 4, 256 };
	static const struct up_config cfg = {
		.cpus = 1, .ram_ranges = 1, .layer_chunks = 1, .pool_chunks = 1,
		.maxphyaddr = MAXPHYADDR, .table_frames = RAM_END + 512, .ram = &ram,
		.layer = &layer, .pool = &pool,
	};

	(void)argc;
	(void)argv;
	fake_init(RAM_END, RAM_END + 512, 1);
	require(!frames_init(&cfg) && !pool_init(&cfg), "init");
	mtrr_init();
	require(host_ept_init(), "host");
	vm.state = UP_VM_BUILDING;
	vm_ept = vm_ept_create(&vm);
	vm_frame = 300;
	require(!host_donate_vm(&vm, vm_frame, BOUND_GFN), "donate");
	flush_this_cpu();
	require(!vm_commit(&vm), "commit");
	vm.state = UP_VM_RUNNABLE;
	return 0;
}

/* The manual's rules in the order in which it gives them.  0: no translation */
static bool naive(u64 eptp, u64 gpa, u64 *hpa, u64 *access, bool *misconfigured)
{
	u64 e, table = eptp & 0xffffffffff000ULL;
	int level;

	*misconfigured = false;
	*access = 7;
	for (level = 3; level >= 0; level--) {
		if (table >= RAM_END << 12 || FRAME_OWNER(frame_entry(table >> 12)) != OWNER_HOST)
			return false;
		e = ((u64 *)(fake_ram + table))[gpa >> (12 + 9 * level) & 511];
		if ((e & 7) == 0 || gpa >> 48) {
			*access = 0;
			return true;
		}
		*access &= e;
		*misconfigured = (e & 7) == 2 || (e & 7) == 6 ||
				 (e & 0xfffffffffffffULL) >> MAXPHYADDR;
		if (level == 3 && e & 0xf8)
			*misconfigured = true;
		if ((level == 1 || level == 2) && !(e & 0x80) && e & 0x78)
			*misconfigured = true;
		if (level == 0 || (level < 3 && e & 0x80)) {
			if ((e >> 3 & 7) == 2 || (e >> 3 & 7) == 3 || (e >> 3 & 7) == 7)
				*misconfigured = true;
			if ((level == 1 && e & 0x1ff000) || (level == 2 && e & 0x3ffff000))
				*misconfigured = true;
			*hpa = (e & 0xffffffffff000ULL) + (gpa & ((0x1000ULL << 9 * level) - 1));
			*hpa &= ~0xfffULL;
			return true;
		}
		if (*misconfigured)
			return true;
		table = e & 0xffffffffff000ULL;
	}
	return true;
}

static void check_shadow(struct vm_ept *t, u64 gpa, enum ept_result r, u64 access, u64 hpa,
			 u64 want)
{
	u64 *e = ept_slot(vm_ept_eptp(t) & EPT_ADDR, gpa, 2, NULL);
	u64 pfn = hpa >> 12, got;

	if (r != EPT_FILLED)
		return;
	require(access && (want & access) == want, "filled without permission");
	require(e && *e & EPT_RWX, "filled, and nothing is there");
	got = *e & EPT_LARGE ? (*e & EPT_ADDR) + (gpa & (SZ_2M - 1) & PAGE_MASK) : 0;
	if (!(*e & EPT_LARGE)) {
		e = ept_slot(vm_ept_eptp(t) & EPT_ADDR, gpa, 1, NULL);
		got = *e & EPT_ADDR;
	}
	require(!ept_entry_misconfigured(*e, *e & EPT_LARGE ? 2 : 1), "misconfigured");
	require((*e & EPT_RWX) == access, "other permissions than KVM's");
	require(got == hpa, "another frame than KVM's");
	require(pfn >= RAM_END || FRAME_OWNER(frame_entry(pfn)) == OWNER_HOST, "not the host's");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 eptp, gpa, e, qual, hpa = 0, access = 0, want, i;
	struct ept_walk w;
	struct vm_ept *t;
	enum ept_result r;
	bool bad, walkable;
	u16 where;
	int err;

	if (size < 18)
		return 0;
	memset(fake_ram + PAGE_SIZE, 0, TABLES * PAGE_SIZE);
	memcpy(&eptp, data + 2, 8);
	memcpy(&gpa, data + 10, 8);
	eptp = data[0] & 1 ? 1 << 12 | 0x1e : (eptp & 0xffffffffff000ULL) | 0x1e;
	for (i = 18; i + 10 <= size; i += 10) {
		memcpy(&where, data + i, 2);
		memcpy(&e, data + i + 2, 8);
		memcpy(fake_ram + PAGE_SIZE + where % (TABLES * 512) * 8, &e, 8);
	}
	if (data[0] & 2)
		gpa &= MASK(47, 0);
	want = data[1] & 7 ? data[1] & 7 : 1;

	walkable = naive(eptp, gpa, &hpa, &access, &bad);
	err = ept_walk(eptp, gpa, &w);
	require(err == (walkable ? 0 : -UP_EPERM), "walk or not");
	if (walkable) {
		require(w.misconfigured == bad, "misconfigured or not");
		if (!w.misconfigured)
			require(w.access == access, "access");
		if (!w.misconfigured && access)
			require(w.hpa == hpa, "address");
	}

	t = shadow_get(eptp);
	require(t, "shadow");
	vm_ept_prepare(t);
	qual = want;
	r = vm_ept_violation(t, eptp, gpa, &qual);
	require(walkable && !w.misconfigured ? r != EPT_REFLECT_MISCONFIG :
		r == EPT_REFLECT_MISCONFIG, "reflected as");
	check_shadow(t, gpa, r, access, hpa, want);
	vm_ept_prepare(t);
	shadow_invept(2, 0);

	/* The protected VM: only ever its own frame, at its own place. */
	qual = want;
	vm_ept_prepare(vm_ept);
	r = vm_ept_violation(vm_ept, eptp, gpa, &qual);
	require(r != EPT_FILLED || gpa >> 12 == BOUND_GFN, "filled an unbound gfn");
	require((*binding_entry(&vm, BOUND_GFN) & EPT_ADDR) >> 12 == vm_frame, "rebound");
	vm_ept_prepare(vm_ept);
	return 0;
}
