// SPDX-License-Identifier: GPL-2.0
/*
 * The promises.  They are told from outside the code under test where that is
 * possible: from the owner table, from the tables that hardware walks, from
 * memory and from registers.
 */
#include <string.h>

#include "root_promises.h"
#include "vmx/base/lib.h"
#include "vmx/vm/vcpu.h"
#include "ept/binding.h"
#include "ept/table.h"
#include "tests/proof/sees.h"

#define SECRET_WORD	5	/* of a private frame */
#define DECOY_WORD	0xdec0dec0dec0dec0ULL

static u64 held = R_SECRET;	/* what VMs hold */
static u64 now = 1;			/* an exit each */
static u64 clean[CPUS];			/* when that CPU last exited */
static u64 host_root;
static u64 denied;			/* refused calls */

static struct { u64 entry, since; } seen[TABLE_END];
static bool secret_kept[RAM_END];
static struct {
	enum up_vm_state state;
	u64 measured, cut_since;
	u32 reports;
	u8 measurement[32];
	u8 report[UP_VM_REPORTS][32];
} was[UP_MAX_VMS];

#define LL(x)	((unsigned long long)(x))

static u64 entry_of(u64 pfn)
{
	return pfn < TABLE_END ? fake_owner_table[pfn] : 0;
}

void promises_init(u64 root)
{
	u64 pfn;

	host_root = root;
	memset(was, 0, sizeof(was));
	memset(secret_kept, 0, sizeof(secret_kept));
	for (pfn = 0; pfn < TABLE_END; pfn++)
		seen[pfn].entry = entry_of(pfn);
}

void promises_exit(void)
{
	clean[fake_cpu->cpu] = ++now;
}

static bool flushed_since(u64 then)
{
	u32 i;

	for (i = 0; i < CPUS; i++)
		if (cpus[i]->demoted && !cpus[i]->parked && clean[i] <= then)
			return false;
	return true;
}

static bool host_sees(u64 entry)
{
	return HOST_SEES(entry, FRAME_OWNER(entry), FRAME_STATE(entry),
			 FRAME_ENTRY(OWNER_HOST, FRAME_OWNED, 0));
}

static struct vm *owner_vm(u64 entry)
{
	return FRAME_OWNER(entry) >= OWNER_VM0 ? r_vm(FRAME_OWNER(entry) - OWNER_VM0) : NULL;
}

/* --- frames: which change of owner, and when ------------------------------------ */

static void check_to_host(u64 pfn, u64 old)
{
	u32 id = FRAME_OWNER(old) - OWNER_VM0;

	r_expect(FRAME_OWNER(old) >= OWNER_VM0, "frame %llx: the layer's is the host's now",
		 LL(pfn));
	r_expect(was[id].state == UP_VM_DEAD, "frame %llx: left VM %u, which is alive", LL(pfn),
		 id);
	r_expect(was[id].cut_since && flushed_since(was[id].cut_since),
		 "frame %llx: is back before every CPU flushed", LL(pfn));
	r_expect(page_is_zero(phys(pfn << PAGE_SHIFT)), "frame %llx: back with contents", LL(pfn));
}

static void check_arrival(u64 pfn, u64 old, u64 new)
{
	struct vm *vm = owner_vm(new);

	r_expect(FRAME_OWNER(old) == OWNER_HOST, "frame %llx: taken from owner %u by %u", LL(pfn),
		 FRAME_OWNER(old), FRAME_OWNER(new));
	r_expect(FRAME_STATE(new) == FRAME_PENDING, "frame %llx: owned at once", LL(pfn));
	r_expect(FRAME_OWNER(new) == OWNER_LAYER ||
		 (vm && (vm->own.state == UP_VM_BUILDING || vm->own.state == UP_VM_RUNNABLE)),
		 "frame %llx: joins a VM that takes none", LL(pfn));
}

static void check_state(u64 pfn, u64 old, u64 new)
{
	enum frame_state from = FRAME_STATE(old), to = FRAME_STATE(new);
	struct vm *vm = owner_vm(new);

	r_expect(!vm || FRAME_GFN(old) == FRAME_GFN(new), "frame %llx: bound elsewhere", LL(pfn));
	if (from == FRAME_PENDING && to == FRAME_OWNED) {
		r_expect(flushed_since(seen[pfn].since), "frame %llx: owned before the flush",
			 LL(pfn));
		r_expect(!vm || was[vm->own.id].state == UP_VM_BUILDING ||
			 page_is_zero(phys(pfn << PAGE_SHIFT)),
			 "frame %llx: joins a measured VM with contents", LL(pfn));
	} else if (to == FRAME_SHARED) {
		r_expect(vm && vm->own.state == UP_VM_RUNNABLE &&
			 from == (vm->own.aliased ? FRAME_SHARING : FRAME_OWNED) &&
			 (page_is_zero(phys(pfn << PAGE_SHIFT)) ||
			  (vm->ghci && vm->stub == FRAME_GFN(new))), "frame %llx: shared wrongly",
			 LL(pfn));
		r_expect(from != FRAME_SHARING || flushed_since(seen[pfn].since),
			 "frame %llx: shared before the VM's own flush", LL(pfn));
	} else if (to == FRAME_SHARING) {
		r_expect(vm && vm->own.aliased && from != FRAME_SHARED &&
			 (from != FRAME_PENDING || flushed_since(seen[pfn].since)),
			 "frame %llx: on the way to be shared from state %d", LL(pfn), from);
	} else {
		r_expect(from == to || ((from == FRAME_SHARED || from == FRAME_SHARING) &&
					to == FRAME_PENDING),
			 "frame %llx: from state %d to %d", LL(pfn), from, to);
	}
}

static void check_frame(u64 pfn)
{
	u64 old = seen[pfn].entry, new = entry_of(pfn);

	if (old == new)
		return;
	if (FRAME_OWNER(new) == OWNER_HOST)
		check_to_host(pfn, old);
	else if (FRAME_OWNER(new) != FRAME_OWNER(old))
		check_arrival(pfn, old, new);
	else if (FRAME_OWNER(new) != OWNER_LAYER || FRAME_STATE(new) != FRAME_STATE(old))
		check_state(pfn, old, new);
	if (FRAME_STATE(new) >= FRAME_PENDING && FRAME_STATE(old) != FRAME_STATE(new))
		seen[pfn].since = now;
	seen[pfn].entry = new;
}

/* The VM runs, and keeps a secret in each of its private frames. */
static void keep_secret(u64 pfn)
{
	u64 e = entry_of(pfn), *word = (u64 *)phys(pfn << PAGE_SHIFT) + SECRET_WORD;
	struct vm *vm = owner_vm(e);

	if (!vm || vm->own.state != UP_VM_RUNNABLE || FRAME_STATE(e) != FRAME_OWNED) {
		secret_kept[pfn] = false;
		return;
	}
	r_expect(!secret_kept[pfn] || *word == held, "VM %u: frame %llx is changed", vm->own.id,
		 LL(pfn));
	*word = held;
	secret_kept[pfn] = true;
}

void promises_secret(u64 secret)
{
	u64 pfn;

	held = secret;
	for (pfn = 0; pfn < RAM_END; pfn++)
		if (secret_kept[pfn])
			*((u64 *)phys(pfn << PAGE_SHIFT) + SECRET_WORD) = secret;
}

/* --- tables: what each reaches ---------------------------------------------------- */

enum whose { HOST, ORDINARY, PROTECTED };

static bool is_decoy(u64 gpa, u64 e)
{
	u64 pfn = gpa >> PAGE_SHIFT;

	return FRAME_OWNER(entry_of((e & EPT_ADDR) >> PAGE_SHIFT)) == OWNER_LAYER &&
	       !(e & EPT_X) && !r_hosts(pfn) && pfn < RAM_END &&
	       *(u64 *)phys(e & EPT_ADDR) == DECOY_WORD;
}

static void check_leaf(enum whose whose, const struct vm *vm, u64 gpa, u64 e)
{
	u64 pfn = (e & EPT_ADDR) >> PAGE_SHIFT, gfn = gpa >> PAGE_SHIFT, f = entry_of(pfn);
	bool device = (pfn >= DEVICE && pfn < DEVICE_END) || pfn == FAR_DEVICE;
	bool hosts = !f ? pfn >= RAM_END && !device : host_sees(f);
	bool shared = FRAME_OWNER(f) >= OWNER_VM0 && FRAME_STATE(f) == FRAME_SHARED;

	if (whose == HOST)
		r_expect((pfn == gfn && hosts) || is_decoy(gpa, e),
			 "the host reaches frame %llx at %llx, which is %llx", LL(pfn), LL(gfn),
			 LL(f));
	else if (whose == ORDINARY)
		r_expect(hosts && !shared, "an ordinary VM reaches frame %llx, which is %llx",
			 LL(pfn), LL(f));
	else if (gpa & shared_bit())
		r_expect(owner_vm(f) == vm && FRAME_GFN(f) == gfn - binding_gfns() && shared &&
			 vm->own.aliased && !vm->own.unmapped && !(e & EPT_X),
			 "VM %u reaches frame %llx by an alias at %llx, which is %llx", vm->own.id,
			 LL(pfn), LL(gfn), LL(f));
	else
		r_expect(owner_vm(f) == vm && FRAME_GFN(f) == gfn &&
			 FRAME_STATE(f) < FRAME_PENDING && !(vm->own.aliased && shared) &&
			 !vm->own.unmapped, "VM %u reaches frame %llx at %llx, which is %llx",
			 vm->own.id, LL(pfn), LL(gfn), LL(f));
}

static void check_tree(enum whose whose, const struct vm *vm, u64 table, u32 level, u64 gpa)
{
	const u64 *t = phys(table);
	u64 i, j, e;

	r_expect(FRAME_OWNER(entry_of(table >> PAGE_SHIFT)) == OWNER_LAYER,
		 "table %llx is not the layer's", LL(table));
	for (i = 0; i < 512; i++, gpa += EPT_SPAN(level)) {
		e = t[i];
		if (!(e & EPT_RWX))
			continue;
		if (level > 1 && !(e & EPT_LARGE))
			check_tree(whose, vm, e & EPT_ADDR, level - 1, gpa);
		else
			for (j = 0; j < EPT_SPAN(level) && j < 1024 * PAGE_SIZE; j += PAGE_SIZE)
				check_leaf(whose, vm, gpa + j, e + j);
		/* Of a large one that is not all: the register in its midst, too. */
		if (e & EPT_LARGE &&
		    FAR_DEVICE << PAGE_SHIFT >> EPT_SHIFT(level) == gpa >> EPT_SHIFT(level))
			check_leaf(whose, vm, FAR_DEVICE << PAGE_SHIFT,
				   (e & EPT_ADDR) + ((FAR_DEVICE << PAGE_SHIFT) - gpa));
	}
}

/* --- VMs --------------------------------------------------------------------------- */

struct bound {
	u64 all, shared, pending;
};

/* Every entry below @table that names a frame, active or not: the VM's binding. */
static void walk_binding(const struct vm *vm, u64 table, u32 level, u64 gfn, struct bound *n)
{
	const u64 *t = phys(table);
	u64 i, e;

	for (i = 0; i < 512; i++, gfn += EPT_SPAN(level) >> PAGE_SHIFT) {
		if (!t[i] || gfn >= binding_gfns())
			continue;
		if (level > 1) {
			walk_binding(vm, t[i] & EPT_ADDR, level - 1, gfn, n);
			continue;
		}
		e = entry_of((t[i] & EPT_ADDR) >> PAGE_SHIFT);
		r_expect(owner_vm(e) == vm && FRAME_GFN(e) == gfn,
			 "VM %u: gfn %llx is bound to %llx, which is %llx", vm->own.id, LL(gfn),
			 LL(t[i]), LL(e));
		n->all++;
		n->shared += FRAME_STATE(e) == FRAME_SHARED;
		n->pending += FRAME_STATE(e) == FRAME_PENDING;
	}
}

/* The binding and the owner table say the same. */
static void check_binding(const struct vm *vm)
{
	struct bound n = { 0 };
	u64 pfn, owned = 0;

	if (vm->own.gfn_root)
		walk_binding(vm, vm->own.gfn_root, EPT_LEVELS, 0, &n);
	for (pfn = 0; pfn < RAM_END; pfn++)
		owned += FRAME_OWNER(entry_of(pfn)) == OWNER_VM0 + vm->own.id;
	r_expect(n.all == owned && n.all == vm->own.frames && n.shared == vm->own.frames_shared &&
		 n.pending == vm->own.frames_pending,
		 "VM %u: %llu bound, %llu owned, counts %llu %llu %llu", vm->own.id, LL(n.all),
		 LL(owned), LL(vm->own.frames), LL(vm->own.frames_shared),
		 LL(vm->own.frames_pending));
}

/* As docs/architecture.md and vmx/abi/call.h define it, from the owner table. */
static void check_measurement(const struct vm *vm)
{
	struct { u64 gfn; u8 digest[32]; } record;
	u64 pfn, best, last = 0;
	struct sha256 all, one;
	bool any = false;
	u8 digest[32];

	sha256_init(&all);
	for (;; last = record.gfn, any = true) {
		best = TABLE_END;
		for (pfn = 0; pfn < RAM_END; pfn++) {
			u64 e = entry_of(pfn);

			if (owner_vm(e) == vm && (!any || FRAME_GFN(e) > last) &&
			    (best == TABLE_END || FRAME_GFN(e) < FRAME_GFN(entry_of(best))))
				best = pfn;
		}
		if (best == TABLE_END)
			break;
		record.gfn = FRAME_GFN(entry_of(best));
		sha256_init(&one);
		sha256_update(&one, phys(best << PAGE_SHIFT), PAGE_SIZE);
		sha256_final(&one, record.digest);
		sha256_update(&all, &record, sizeof(record));
	}
	sha256_final(&all, digest);
	r_expect(!memcmp(digest, vm->measurement, 32), "VM %u: measured wrongly", vm->own.id);
}

static bool may_become(enum up_vm_state from, enum up_vm_state to)
{
	if (from == to)
		return true;
	if (to == UP_VM_DEAD)
		return from != UP_VM_NONE;
	if (to == UP_VM_NONE)
		return from == UP_VM_DEAD;
	if (from == UP_VM_BUILDING && to == UP_VM_RUNNABLE)
		return true;	/* few frames: one call */
	return to == from + 1 && to <= UP_VM_RUNNABLE;
}

static void check_vcpus(const struct vm *vm)
{
	const struct vcpu *v;
	u32 i;

	r_expect(vm->nvcpus <= UP_VM_MAX_VCPUS, "VM %u: %u vCPUs", vm->own.id, vm->nvcpus);
	for (i = 0; i < vm->nvcpus; i++) {
		v = vm->vcpu[i];
		r_expect(v->vm == vm && v->vv->vcpu == v,
			 "VM %u: its vCPU is another's", vm->own.id);
	}
}

static void check_reports(const struct vm *vm)
{
	u32 i;

	for (i = 0; i < UP_VM_REPORTS; i++)
		if (was[vm->own.id].reports >> i & 1)
			r_expect(vm->reports >> i & 1 &&
				 !memcmp(was[vm->own.id].report[i], vm->report[i], 32),
				 "VM %u: report %u is taken back", vm->own.id, i);
	r_expect(!(vm->reports >> UP_VM_REPORTS), "VM %u: report of no number", vm->own.id);
	r_expect(vm->own.state == UP_VM_DEAD || !vm->death[0], "VM %u: lives, and died of %.20s",
		 vm->own.id, vm->death);
	memcpy(was[vm->own.id].report, vm->report, sizeof(vm->report));
	was[vm->own.id].reports = vm->reports;
}

/* Measurement and reports only ever grow, and a VM only goes on. */
static void check_vm(u32 id)
{
	struct vm *vm = r_vm(id);
	enum up_vm_state state = vm ? vm->own.state : UP_VM_NONE;

	r_expect(may_become(was[id].state, state), "VM %u: from state %d to %d", id, was[id].state,
		 state);
	if (!vm) {
		memset(&was[id], 0, sizeof(was[id]));
		return;
	}
	r_expect(vm->frames_measured >= was[id].measured, "VM %u: measured less", id);
	if (state == UP_VM_RUNNABLE && was[id].state != state)
		check_measurement(vm);
	else if (was[id].state == UP_VM_RUNNABLE)
		r_expect(!memcmp(was[id].measurement, vm->measurement, 32),
			 "VM %u: another measurement", id);
	if (vm->own.unmapped && !was[id].cut_since)
		was[id].cut_since = now;
	memcpy(was[id].measurement, vm->measurement, 32);
	was[id].measured = vm->frames_measured;
	was[id].state = state;
	check_reports(vm);
	check_vcpus(vm);
	check_binding(vm);
	if (vm->own.gfn_root)
		check_tree(PROTECTED, vm, vm->own.gfn_root, EPT_LEVELS, 0);
}

/* --- processors -------------------------------------------------------------------- */

static void fill_registers(struct percpu *cpu)
{
	struct regs *r = r_regs(cpu->cpu);
	u64 *x = (u64 *)r->x;
	u32 i;

	for (i = 0; i < NR_GPRS; i++)
		cpu->gpr[i] = held;
	for (i = 0; i < 4; i++)
		r->dr[i] = held;
	for (i = 64; i < PAGE_SIZE / 8; i++)
		x[i] = held;
}

static void check_registers(const struct percpu *cpu)
{
	const struct regs *r = r_regs(cpu->cpu);
	const u64 *x = (const u64 *)r->x;
	u32 i;

	for (i = 0; i < NR_GPRS; i++)
		r_expect(cpu->gpr[i] != held, "CPU %u: the host has register %u", cpu->cpu, i);
	for (i = 0; i < 4; i++)
		r_expect(r->dr[i] != held, "CPU %u: the host has DR%u", cpu->cpu, i);
	for (i = 0; i < PAGE_SIZE / 8; i++)
		r_expect(x[i] != held, "CPU %u: the host has extended state", cpu->cpu);
}

static void check_cpu(struct percpu *cpu)
{
	const struct vvmcs *vv = cpu->nested.current;
	const struct vm *vm;

	if (!cpu->demoted)
		return;
	if (!cpu->nested.in_vm || !cpu->vcpu) {
		r_expect(!cpu->vcpu, "CPU %u: has a vCPU and does not run it", cpu->cpu);
		check_registers(cpu);
		if (cpu->nested.in_vm)
			check_tree(ORDINARY, NULL, w_vmcs(vv->vmcs02_pa, VMCS_EPTP) & EPT_ADDR,
				   EPT_LEVELS, 0);
		return;
	}
	vm = cpu->vcpu->vm;
	r_expect(r_vm(vm->own.id) == vm && cpu->vcpu->index < vm->nvcpus &&
		 vm->vcpu[cpu->vcpu->index] == cpu->vcpu,
		 "CPU %u: runs a vCPU that is gone", cpu->cpu);
	r_expect((w_vmcs(vv->vmcs02_pa, VMCS_EPTP) & EPT_ADDR) == vm->own.gfn_root,
		 "CPU %u: runs VM %u in another's memory", cpu->cpu, vm->own.id);
	if (cpu != fake_cpu)
		return;		/* killed from another CPU it runs on to its next exit */
	r_expect(vm->own.state == UP_VM_RUNNABLE, "CPU %u: enters VM %u in state %d", cpu->cpu,
		 vm->own.id, vm->own.state);
	fill_registers(cpu);
}

void promises_check(void)
{
	u64 pfn;
	u32 i;

	for (i = 0; i < UP_MAX_VMS; i++)
		if (r_vm(i) || was[i].state)
			r_expect(!r_vm(i) || cpus[0]->demoted & cpus[1]->demoted,
				 "VM %u, and a CPU is free", i);
	for (pfn = 0; pfn < TABLE_END; pfn++)
		check_frame(pfn);
	for (i = 0; i < UP_MAX_VMS; i++)
		check_vm(i);
	for (pfn = 0; pfn < RAM_END; pfn++)
		keep_secret(pfn);
	check_tree(HOST, NULL, host_root, EPT_LEVELS, 0);
	for (i = 0; i < CPUS; i++)
		check_cpu(cpus[i]);
}

/* --- two runs ------------------------------------------------------------------------ */

u64 promises_seen(void)
{
	u64 pfn, seen = 0;
	const u64 *word;
	u32 i;

	for (pfn = 0; pfn < TABLE_END; pfn++) {
		seen = seen * 31 + entry_of(pfn);
		if (pfn >= RAM_END || !host_sees(entry_of(pfn)))
			continue;
		word = phys(pfn << PAGE_SHIFT);
		for (i = 0; i < PAGE_SIZE / 8; i++)
			seen = seen * 31 + word[i];
	}
	for (i = 0; i < NR_GPRS && !fake_cpu->nested.in_vm; i++)
		seen = seen * 31 + fake_cpu->gpr[i];
	return seen;
}

/* --- calls: docs/abi.md --------------------------------------------------------------- */

#define E(name)	BIT(UP_E##name)
#define LIST	BIT(63)		/* what was done before the error stays */

static const struct {
	u64 op, errors;
	enum { NO_PAGE, PAGE_RBX, PAGE_RCX } page;
} abi[] = {
	{ UP_CALL_STATUS, E(INVAL), PAGE_RBX },
	{ UP_CALL_LEAVE, E(BUSY) | E(PERM) | E(AGAIN), NO_PAGE },
	{ UP_CALL_FLUSH, 0, NO_PAGE },
	{ UP_CALL_LOG, E(INVAL), PAGE_RBX },
	{ UP_CALL_POOL_DONATE, E(INVAL) | E(NOENT) | E(PERM) | LIST, PAGE_RBX },
	{ UP_CALL_LEAVE_PREPARE, E(INVAL) | E(BUSY), NO_PAGE },
	{ UP_CALL_SIGN, E(INVAL) | E(AGAIN) | E(PERM), PAGE_RBX },
	{ UP_CALL_TPM, E(INVAL) | E(AGAIN) | E(BUSY) | E(IO), NO_PAGE },
	{ UP_CALL_CHALLENGE, E(INVAL) | E(PERM), PAGE_RBX },
	{ UP_CALL_VM_CREATE, E(INVAL) | E(PERM) | E(NXIO) | E(NOSPC) | E(NOMEM), NO_PAGE },
	{ UP_CALL_VM_DONATE, E(INVAL) | E(NOENT) | E(PERM) | E(EXIST) | E(BUSY) | E(NOMEM) | LIST,
	  PAGE_RCX },
	{ UP_CALL_VM_BIND_VCPU, E(NOENT) | E(BUSY) | E(NOSPC) | E(EXIST) | E(NOMEM), NO_PAGE },
	{ UP_CALL_VM_MEASURE, E(NOENT) | E(BUSY) | E(AGAIN) | E(PERM), NO_PAGE },
	{ UP_CALL_VM_KILL, E(NOENT), NO_PAGE },
	{ UP_CALL_VM_RECLAIM, E(INVAL) | E(NOENT) | E(BUSY) | E(AGAIN), PAGE_RCX },
	{ UP_CALL_VM_DESTROY, E(NOENT) | E(BUSY) | E(AGAIN), NO_PAGE },
	{ UP_CALL_VM_INFO, E(INVAL) | E(NOENT), PAGE_RCX },
	{ UP_CALL_VM_REPORT, E(INVAL) | E(NOENT) | E(AGAIN) | E(PERM), PAGE_RCX },
	{ UP_CALL_VM_TICKET, E(INVAL) | E(NOENT) | E(AGAIN) | E(BUSY) | E(PERM), PAGE_RCX },
	{ UP_GUEST_PRESENT, 0, NO_PAGE },
	{ UP_GUEST_SHARE, E(INVAL) | E(PERM) | E(NOENT) | E(BUSY) | E(AGAIN) | LIST, NO_PAGE },
	{ UP_GUEST_UNSHARE, E(INVAL) | E(PERM) | E(NOENT) | E(BUSY) | E(AGAIN) | LIST, NO_PAGE },
	{ UP_GUEST_GHCI, E(INVAL) | E(NOENT) | E(EXIST) | E(BUSY) | E(AGAIN) | E(PERM), NO_PAGE },
	{ UP_GUEST_REPORT, E(INVAL) | E(EXIST), NO_PAGE },
	{ UP_GUEST_ATTEST, E(INVAL) | E(AGAIN) | E(PERM), NO_PAGE },
};

static u32 abi_row(u64 op)
{
	bool guest = op >= UP_GUEST_PRESENT;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(abi) && abi[i].op != op; i++)
		;
	return guest == fake_cpu->nested.in_vm ? i : ARRAY_SIZE(abi);
}

void promises_before_call(struct up_before *b)
{
	const struct vm *vm;
	u64 pfn;
	u32 i;

	b->rbx = fake_cpu->gpr[RBX];
	b->rcx = fake_cpu->gpr[RCX];
	for (pfn = 0; pfn < TABLE_END; pfn++)
		b->owner[pfn] = entry_of(pfn);
	memset(b->vm, 0, sizeof(b->vm));
	for (i = 0; i < UP_MAX_VMS; i++) {
		vm = r_vm(i);
		if (!vm)
			continue;
		b->vm[i].state = vm->own.state;
		b->vm[i].nvcpus = vm->nvcpus;
		b->vm[i].reports = vm->reports;
		b->vm[i].frames = vm->own.frames;
		b->vm[i].shared = vm->own.frames_shared;
		b->vm[i].measured = vm->frames_measured;
	}
}

/* But for what completes by itself: a frame given to the pool, its flush done. */
static u64 changes(const struct up_before *b)
{
	u64 pfn, e, n = 0;

	for (pfn = 0; pfn < TABLE_END; pfn++) {
		e = entry_of(pfn);
		n += e != b->owner[pfn] && !(FRAME_OWNER(e) == OWNER_LAYER &&
					     FRAME_OWNER(b->owner[pfn]) == OWNER_LAYER);
	}
	return n;
}

/* What a call was given to fill or to read was the host's own. */
static void check_page(const struct up_before *b, u64 op, u32 row)
{
	u64 pfn = abi[row].page == PAGE_RBX ? b->rbx : b->rcx;

	if (abi[row].page != NO_PAGE)
		r_expect(pfn < RAM_END && FRAME_OWNER(b->owner[pfn]) == OWNER_HOST,
			 "call %llx: uses frame %llx", LL(op), LL(pfn));
}

/* A report is what lay in a private page of the VM's. */
static void check_report(const struct up_before *b)
{
	const struct vm *vm = fake_cpu->vcpu->vm;
	u64 pfn, offset = b->rcx & (PAGE_SIZE - 1);

	for (pfn = 0; pfn < RAM_END; pfn++)
		if (owner_vm(b->owner[pfn]) == vm &&
		    FRAME_GFN(b->owner[pfn]) == b->rcx >> PAGE_SHIFT)
			break;
	r_expect(!(b->vm[vm->own.id].reports >> b->rbx & 1), "VM %u: report %llu is made again",
		 vm->own.id, LL(b->rbx));
	r_expect(pfn < RAM_END && FRAME_STATE(b->owner[pfn]) == FRAME_OWNED &&
		 offset <= PAGE_SIZE - 32 && b->rbx < UP_VM_REPORTS &&
		 !memcmp(vm->report[b->rbx], (u8 *)phys(pfn << PAGE_SHIFT) + offset, 32),
		 "report %llu from %llx", LL(b->rbx), LL(b->rcx));
}

void promises_after_call(const struct up_before *b, u64 op, long result)
{
	static struct up_before after;
	u32 row = abi_row(op);
	u64 n = changes(b);

	r_expect(result == R_FAULT || result >= -63, "call %llx: result %ld", LL(op), result);
	if (result == R_FAULT || row == ARRAY_SIZE(abi))
		r_expect(result == R_FAULT || result == -UP_ENOSYS, "call %llx is answered: %ld",
			 LL(op), result);
	else
		r_expect(!result || (result < 0 && abi[row].errors & BIT(-result)),
			 "call %llx: error %ld is not documented", LL(op), result);
	if (!result)
		check_page(b, op, row);
	if (!result && op == UP_GUEST_REPORT)
		check_report(b);
	if (!result || result == -UP_EAGAIN)
		return;
	if (result < 0 && !fake_cpu->nested.in_vm)
		denied++;
	if (row < ARRAY_SIZE(abi) && (abi[row].errors & LIST)) {
		r_expect(fake_cpu->nested.in_vm || n == r_answer(RBX) || !n,
			 "call %llx: %llu done, %llu changed", LL(op), LL(r_answer(RBX)), LL(n));
		return;
	}
	promises_before_call(&after);
	r_expect(!n && !memcmp(b->vm, after.vm, sizeof(after.vm)),
		 "call %llx: refused (%ld), and something changed", LL(op), result);
}

/* Refused calls count; refusals of other kinds may be counted besides. */
void promises_end(void)
{
	u64 page = r_host_frame();
	struct up_status *s = phys(page << PAGE_SHIFT);
	long err = r_call(UP_CALL_STATUS, page, fake_cpu->cpu, 0);

	r_expect(!err && s->abi == UP_ABI_VERSION && s->vms == 0 && s->vm_frames == 0,
		 "status: %ld", err);
	r_expect(s->denied >= denied, "%llu calls refused, %llu counted", LL(denied), s->denied);
}
