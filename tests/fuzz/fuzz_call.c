// SPDX-License-Identifier: GPL-2.0
/*
 * VMCALLs by a hostile host and by protected VMs, on two CPUs, with all that may
 * happen between them: the whole root image runs, and root_promises.c looks on.
 *
 * Input: records of a byte that says which CPU does what, and its arguments.
 */
#include "../unit/fake/tpm.h"
#include "root_fuzz.h"

#define MAX_STEPS	48
#define EPT_RWX		7

/* A byte names a frame of interest, or, near the end of its range, any number. */
static u64 frame(struct input *in)
{
	static const u64 special[] = {
		0, 1, W_VMCS12 >> 12, W_VMCS12B >> 12, W_VAPIC >> 12, W_MSR_BITMAP >> 12,
		W_APIC_ACCESS >> 12, W_EPTP >> 12, (W_EPTP >> 12) + 3, R_LISTS, R_LISTS + 1,
		LAYER_START, LAYER_START + 1, LAYER_START + 40, LAYER_END - 1, LAYER_END,
		RAM_END - 1, RAM_END, TABLE_END - 1, TABLE_END, 1ULL << 27, 1ULL << 36,
		1ULL << 40, 1ULL << 52, 1ULL << 63, ~0ULL, ~0ULL >> 12,
	};
	u8 sel = (u8)take(in, 1);

	if (sel < 0xc0)
		return 64 + sel;
	if (sel - 0xc0 < ARRAY_SIZE(special))
		return special[sel - 0xc0];
	return sel < 0xf0 ? R_LISTS + sel % 8 : take(in, 8);
}

/* Guest frames: few, so that they meet; VM ids and counts likewise. */
static u64 small(struct input *in, u64 range)
{
	static const u64 special[] = {
		63, 64, 255, 256, 257, 511, 512, 513, 4096, 1ULL << 32, (1ULL << 36) - 1,
		1ULL << 36, 1ULL << 52, 1ULL << 60, ~0ULL,
	};
	u8 sel = (u8)take(in, 1);

	if (sel < 0xe0)
		return sel % range;
	return sel - 0xe0 < (int)ARRAY_SIZE(special) ? special[sel - 0xe0] : take(in, 8);
}

static u64 page_argument(struct input *in)
{
	u8 sel = (u8)take(in, 1);

	return sel < 0x80 ? R_LISTS + sel % 4 : frame(in);
}

/* The host writes a list where it may. */
static u64 write_list(struct input *in, u64 page, bool pairs)
{
	u64 n = take(in, 1) % 8, i, *list;

	if (!r_hosts(page))
		return n;
	list = phys(page << PAGE_SHIFT);
	for (i = 0; i < n; i++) {
		*list++ = frame(in);
		if (pairs)
			*list++ = small(in, 16);
	}
	return n;
}

static void call_with_list(struct input *in, u64 op, u64 id)
{
	u64 page = page_argument(in), n = write_list(in, page, op == UP_CALL_VM_DONATE);

	if (!(take(in, 1) % 8))
		n = small(in, 8);
	if (op == UP_CALL_VM_DONATE)
		r_call(op, id, page, n);
	else
		r_call(op, page, n, 0);
}

#define BEHIND_SECRET	64	/* tests/unit/root_promises.c */

/* Now and then to its end, in front of which the host may do anything else. */
static void sign(struct input *in, u64 op, u64 b, u64 c)
{
	u32 n = take(in, 1) % 4 ? 1 : 12;

	while (n-- && r_call(op, b, c, 0) == -UP_EAGAIN)
		;
}

static void host_call(struct input *in)
{
	static const u32 ops[] = {
		UP_CALL_STATUS, UP_CALL_FLUSH, UP_CALL_LOG, UP_CALL_POOL_DONATE,
		UP_CALL_LEAVE_PREPARE, UP_CALL_LEAVE, UP_CALL_VM_CREATE,
		UP_CALL_VM_DONATE, UP_CALL_VM_BIND_VCPU, UP_CALL_VM_MEASURE, UP_CALL_VM_KILL,
		UP_CALL_VM_RECLAIM, UP_CALL_VM_DESTROY, UP_CALL_VM_INFO, UP_CALL_SIGN,
		UP_CALL_VM_REPORT, UP_CALL_TPM, UP_CALL_CHALLENGE, UP_CALL_VM_TICKET,
		/* more often, since they have more to get wrong */
		UP_CALL_VM_DONATE, UP_CALL_VM_DONATE, UP_CALL_VM_DONATE, UP_CALL_VM_INFO,
		UP_CALL_VM_MEASURE, UP_CALL_VM_RECLAIM,
	};
	u64 op = ops[take(in, 1) % ARRAY_SIZE(ops)], id;

	r_to_host();
	switch (op) {
	case UP_CALL_STATUS:
	case UP_CALL_LOG:
		id = page_argument(in);
		r_call(op, id, small(in, 3), 0);
		break;
	case UP_CALL_SIGN:
		sign(in, op, page_argument(in), 0);
		break;
	case UP_CALL_CHALLENGE:
		r_call(op, page_argument(in), 0, 0);
		break;
	case UP_CALL_VM_REPORT:
	case UP_CALL_VM_TICKET:
		id = small(in, 3);
		sign(in, op, id, page_argument(in));
		break;
	case UP_CALL_POOL_DONATE:
		call_with_list(in, op, 0);
		break;
	case UP_CALL_VM_DONATE:
		call_with_list(in, op, small(in, 3));
		break;
	case UP_CALL_VM_CREATE:
		r_call(op, take(in, 1) % 8 == 1, 0, 0);
		break;
	case UP_CALL_VM_RECLAIM:
	case UP_CALL_VM_INFO:
		id = small(in, 3);
		r_call(op, id, page_argument(in), op == UP_CALL_VM_INFO ? 0 : small(in, 64));
		break;
	default:
		r_call(op, small(in, 3), 0, 0);
	}
}

/* Anything in any register, from ring 0 or ring 3. */
static void raw_call(struct input *in)
{
	u64 op = UP_CALL_MAGIC + take(in, 1), ar = vmread(VMCS_GUEST_SS_AR), b, c;
	u8 how = (u8)take(in, 1);
	bool ring3 = how & 1;

	if (how & 0x80)
		op ^= take(in, 8) << 8;
	b = frame(in);
	c = frame(in);
	if (ring3)
		vmwrite(VMCS_GUEST_SS_AR, ar | 3 << 5);
	if (r_call(op, b, c, small(in, 8)) != R_FAULT && ring3)
		r_fail("VMCALL of ring 3 is answered");
	if (!r_left(fake_cpu->cpu))
		vmwrite(VMCS_GUEST_SS_AR, ar);
}

static void try_write(u32 enc, u64 val)
{
	w_vmwrite(enc, val);
}

static const u64 vmcs12[] = { W_VMCS12, W_VMCS12B, R_VMCS12C };

#define ONLY_CLEAR	0x80
#define CLEAR		0x40
#define NO_FIELDS	0x20

static void load_vmcs(u8 how)
{
	u64 pa = vmcs12[how % 32 % ARRAY_SIZE(vmcs12)];

	r_to_host();
	w_insn_mem(EXIT_REASON_VMXON, W_VMXON);
	if (how & (CLEAR | ONLY_CLEAR))
		w_insn_mem(EXIT_REASON_VMCLEAR, pa);
	if (how & ONLY_CLEAR || w_insn_mem(EXIT_REASON_VMPTRLD, pa) != W_SUCCEED ||
	    how & NO_FIELDS)
		return;
	r_quiet(true);
	w_valid_fields(try_write);
	r_quiet(false);
}

static void enter(void)
{
	r_to_host();
	if (w_enter(true) != W_ENTERED && !fake_cpu->nested.in_vm)
		w_enter(false);
}

static void guest_call(struct input *in)
{
	u64 op = UP_GUEST_PRESENT + take(in, 1) % 6, b = small(in, 10);

	if (!fake_cpu->nested.in_vm)
		enter();
	if (!fake_cpu->nested.in_vm || !fake_cpu->vcpu)
		return;
	/* What a VM names lies behind the secret that it keeps in each page. */
	if (op == UP_GUEST_ATTEST)
		sign(in, op, b << 12 | take(in, 1) * 17,
		     (small(in, 8) << 12) + BEHIND_SECRET + take(in, 1) * 17);
	else
		r_call(op, b, op != UP_GUEST_REPORT ? take(in, 1) % 4 ? 1 : small(in, 18) :
			      (small(in, 8) << 12) + BEHIND_SECRET + take(in, 1) * 17, 0);
}

static void guest_exit(struct input *in)
{
	static const u32 reason[] = { EXIT_REASON_HLT, EXIT_REASON_CPUID, EXIT_REASON_EXTINT,
				      EXIT_REASON_TRIPLE_FAULT, EXIT_REASON_PAUSE,
				      EXIT_REASON_RDMSR, EXIT_REASON_XSETBV, EXIT_REASON_INVD };

	if (!fake_cpu->nested.in_vm)
		return;
	if (fake_cpu->vcpu)
		fake_cpu->gpr[RAX] = fake_cpu->gpr[RCX] = take(in, 1);
	r_exit(reason[take(in, 1) % ARRAY_SIZE(reason)], 0);
}

static void init_sipi(struct input *in)
{
	if (fake_cpu->nested.in_vm)
		r_to_host();
	r_exit(EXIT_REASON_INIT, 0);
	if (take(in, 1) & 1) {
		r_exit(EXIT_REASON_SIPI, 8);
		r_start(fake_cpu->cpu);
	}
}

/* What a host does that protects a VM, or some of it: a way into the depth. */
static void finish_vm(u64 id, u8 how)
{
	u32 i, leave_out = how < 0x80 ? 0 : how & 3, measure = how < 0x80 ? 3 : how >> 2 & 3;

	load_vmcs(how >> 4 & 3);
	if (leave_out != 1)
		r_call(UP_CALL_VM_BIND_VCPU, id, 0, 0);
	if (leave_out != 2)
		r_flush_all();
	for (i = 0; i < 2 * measure; i++)
		r_call(UP_CALL_VM_MEASURE, id, 0, 0);
	if (measure == 3)
		enter();
}

static void build_vm(struct input *in)
{
	u64 *list = phys(R_LISTS << PAGE_SHIFT), n = take(in, 1) % 8 + 1, id, i, pfn;
	u64 first = take(in, 1) % 0x80;
	u8 how = (u8)take(in, 1);

	r_to_host();
	if (!r_hosts(R_LISTS) || r_call(UP_CALL_VM_CREATE, 0, 0, 0))
		return;
	id = r_answer(RBX);
	for (i = 0; i < n; i++) {
		pfn = 64 + first + i;
		list[2 * i] = pfn;
		list[2 * i + 1] = i;
		if (r_hosts(pfn))
			memset(phys(pfn << PAGE_SHIFT), (int)take(in, 1) | 1, 64);
	}
	r_call(UP_CALL_VM_DONATE, id, R_LISTS, n);
	finish_vm(id, how);
	if (how < 0x80)
		return;
	/* Whatever state it was left in, another frame comes, where none is bound. */
	r_to_host();
	list[0] = frame(in);
	list[1] = n + take(in, 1) % 8;
	r_call(UP_CALL_VM_DONATE, id, R_LISTS, 1);
}

static void wake(struct input *in)
{
	if (take(in, 1) & 1)
		return;
	r_exit(EXIT_REASON_SIPI, 8);
	r_start(fake_cpu->cpu);
}

static void step(struct input *in)
{
	u8 what = (u8)take(in, 1);

	w_use_cpu(what >> 7);
	if (r_left(fake_cpu->cpu))
		return;
	if (fake_cpu->parked) {
		wake(in);
		return;
	}
	switch (what % 16) {
	case 0 ... 4:
		host_call(in);
		break;
	case 5:
		raw_call(in);
		break;
	case 6:
		load_vmcs((u8)take(in, 1));
		break;
	case 7:
		if (what & 0x40)
			load_vmcs(what >> 4 & 3);
		enter();
		r_vm_touch(small(in, 16), 1);
		break;
	case 8:
	case 9:
		guest_call(in);
		break;
	case 10:
		r_vm_touch(small(in, 16), take(in, 1) % EPT_RWX + 1);
		break;
	case 11:
		guest_exit(in);
		break;
	case 12:
		what = (u8)take(in, 1);
		r_host_touch(frame(in), what % EPT_RWX + 1, what & 0x80);
		break;
	case 13:
		build_vm(in);
		break;
	case 14:
		r_flush_all();
		break;
	case 15:
		if (take(in, 1) & 1)
			init_sipi(in);
		else
			r_kvm_map(take(in, 1) % 16, frame(in));
	}
}

static void first_time(void)
{
	fake_tpm_reset(0xff);
	r_init();
	root_fuzz_mark();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return root_fuzz_run((struct input){ data, size }, MAX_STEPS, first_time, step);
}
