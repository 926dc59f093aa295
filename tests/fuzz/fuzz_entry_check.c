// SPDX-License-Identifier: GPL-2.0
/*
 * VM entries and exits with a VMCS12 that the input has bent: what is accepted
 * leaves VMCS02 within the layer's bounds, and L1 with a state that it may have.
 *
 * Input: records of a command byte and up to 8 bytes of argument.
 */
#include <assert.h>

#include "input.h"
#include "../unit/nested_world.h"
#include "vmx/cpu/paging.h"

#define MAX_STEPS	64

static void check_vmcs02(void)
{
	u64 v = w_vmcs02(), cpu = w_vmcs(v, VMCS_CPU_CTLS), cpu2 = w_vmcs(v, VMCS_CPU2_CTLS);

	assert(cpu & CPU_SECONDARY_CTLS);
	assert((cpu2 & (CPU2_EPT | CPU2_VPID)) == (CPU2_EPT | CPU2_VPID));
	for (u32 c = 0; c < NR_CTLS; c++) {
		static const u32 field[] = { VMCS_PIN_CTLS, VMCS_CPU_CTLS, VMCS_CPU2_CTLS,
					     VMCS_EXIT_CTLS, VMCS_ENTRY_CTLS };
		/* The floor's own: L1 is offered no I/O bitmaps. */
		u64 layers = c == CTLS_CPU ? CPU_IO_BITMAPS : 0;

		assert(!(w_vmcs(v, field[c]) & ~(vmx_caps.ctls[c] >> 32 | layers)));
	}
	assert(w_vmcs(v, VMCS_VPID) >= VVMCS_FIRST_VPID);
	assert(w_vmcs(v, VMCS_VMCS_LINK) == ~0ULL);
	assert(w_vmcs(v, VMCS_HOST_RIP) == 0xffff800000001000);
	assert(!w_vmcs(v, VMCS_EXIT_MSR_LOAD_COUNT) && !w_vmcs(v, VMCS_EXIT_MSR_STORE_COUNT));
	if (w_vmcs(v, VMCS_ENTRY_MSR_LOAD_COUNT))
		assert(w_vmcs(v, VMCS_ENTRY_MSR_LOAD_ADDR) >= W_POOL);
	if (cpu & CPU_MSR_BITMAPS) {
		const u8 *bitmap = phys(w_vmcs(v, VMCS_MSR_BITMAP));

		assert(w_vmcs(v, VMCS_MSR_BITMAP) >= W_POOL);
		assert(bitmap[2048 + 0x79 / 8] >> 0x79 % 8 & 1);
	}
	if (cpu & CPU_IO_BITMAPS)
		assert(w_vmcs(v, VMCS_IO_BITMAP_A) >= W_POOL);
	else
		assert(cpu & CPU_UNCOND_IO_EXITING);
	if (cpu & CPU_TPR_SHADOW)
		assert(w_usable[w_vmcs(v, VMCS_VIRTUAL_APIC_ADDR) >> PAGE_SHIFT]);
	if (cpu2 & CPU2_APIC_ACCESSES)
		assert(w_usable[w_vmcs(v, VMCS_APIC_ACCESS_ADDR) >> PAGE_SHIFT]);
}

/* What VM entry of VMCS01 would refuse must never be there. */
static void check_l1(void)
{
	u64 efer = vmread(VMCS_GUEST_EFER);

	assert(la_canonical(vmread(VMCS_GUEST_RIP), false));
	assert(la_canonical(vmread(VMCS_GUEST_FS_BASE), false));
	assert(la_canonical(vmread(VMCS_GUEST_SYSENTER_ESP), false));
	assert(la_canonical(vmread(VMCS_GUEST_SYSENTER_EIP), false));
	for (u64 pat = vmread(VMCS_GUEST_PAT); pat; pat >>= 8)
		assert((pat & 0xff) <= 7 && (pat & 0xff) != 2 && (pat & 0xff) != 3);
	assert(!(efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)));
	assert(!(vmx_caps.cr0_fixed0 & ~vmread(VMCS_GUEST_CR0)));
	assert(!(vmx_caps.cr4_fixed0 & ~vmread(VMCS_GUEST_CR4)));
	assert(!(vmread(VMCS_GUEST_CR4) & ~vmx_caps.cr4_fixed1));
	assert(pa_valid(vmread(VMCS_GUEST_CR3)));
	assert((efer & (EFER_LME | EFER_LMA)) == (EFER_LME | EFER_LMA));
	assert(!(vmread(VMCS_GUEST_CS_SEL) & 7));
}

/* Back to a state in which L1 can execute instructions from its page tables. */
static void mend_l1(void)
{
	vmwrite(VMCS_GUEST_CR0, 0x80010033);
	vmwrite(VMCS_GUEST_CR3, W_CR3);
	vmwrite(VMCS_GUEST_CR4, 0x20a0);
	vmwrite(VMCS_CR4_SHADOW, 0x20a0);
	vmwrite(VMCS_GUEST_EFER, 0xd01);
	vmwrite(VMCS_GUEST_RIP, 0xffffffff81000000);
	vmwrite(VMCS_GUEST_RFLAGS, 2);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	w_events_clear();
}

static void bend_field(struct input *in)
{
	u32 row = (u32)take(in, 1) % NR_VMCS_ROWS;
	u32 enc = vmcs_field[row].encoding;
	u64 val = take(in, 8), old;

	if (w_vmread(enc, &old) != W_SUCCEED)
		return;
	w_vmwrite(enc, take(in, 1) & 1 ? old ^ (1ULL << val % 64) : val);
}

/* An entry that names an MSR of interest, in a list that all three counts may use. */
static void bend_list(struct input *in)
{
	static const u32 msr[] = { 0xc0000080, 0x174, 0x175, 0x176, 0x277, 0x1d9, 0x79, 0x480,
				   0xc0000082, 0xc0000101, 0x10, 0x1b };
	u64 *entry = (u64 *)phys(W_MSR_LIST) + 2 * (take(in, 1) % 4);

	entry[0] = msr[take(in, 1) % ARRAY_SIZE(msr)];
	entry[1] = take(in, 8);
	w_vmwrite(VMCS_EXIT_MSR_LOAD_ADDR, W_MSR_LIST);
	w_vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, take(in, 1) % 5);
	w_vmwrite(VMCS_ENTRY_MSR_LOAD_ADDR, W_MSR_LIST);
	w_vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, take(in, 1) % 5);
	w_vmwrite(VMCS_EXIT_MSR_STORE_ADDR, W_MSR_LIST);
	w_vmwrite(VMCS_EXIT_MSR_STORE_COUNT, take(in, 1) % 5);
}

static void step(struct input *in)
{
	switch (take(in, 1) % 8) {
	case 0:
	case 1:
		bend_field(in);
		break;
	case 2:
		((u8 *)phys(W_MSR_BITMAP))[take(in, 2) % (4 * PAGE_SIZE)] = (u8)take(in, 1);
		break;
	case 3:
		bend_list(in);
		break;
	case 4:
		w_insn_mem(take(in, 1) & 1 ? EXIT_REASON_VMCLEAR : EXIT_REASON_VMPTRLD,
			   take(in, 1) & 1 ? W_VMCS12 : W_VMCS12B);
		break;
	case 5:
		w_enter(true);
		break;
	case 6:
		w_enter(false);
		break;
	case 7:
		w_insn((u32)(EXIT_REASON_VMCLEAR + take(in, 1) % 7), (u32)take(in, 4), take(in, 8));
	}
}

static void leave_l2(struct input *in)
{
	u32 reason = (u32)take(in, 1);

	check_vmcs02();
	vmwrite(VMCS_EXIT_QUAL, take(in, 4));
	vmwrite(VMCS_GUEST_PHYS_ADDR, 0x5000);
	vmwrite(VMCS_EXIT_INTR_INFO, take(in, 4));
	vmwrite(VMCS_IDT_VECTORING_INFO, take(in, 4));
	/* Hardware has checked these, and what the VM may change in them. */
	vmwrite(VMCS_GUEST_EFER, 0xd01);
	vmwrite(VMCS_GUEST_PAT, 0x0007040600070406);
	fake_cpu->gpr[RCX] = take(in, 4);
	ev.ept_result = (enum ept_result)(take(in, 1) % 3);
	w_exit(reason & 0x80 ? (33 + (reason & 1)) | EXIT_ENTRY_FAILURE : reason);
	if (fake_cpu->nested.in_vm) {
		check_vmcs02();
		w_exit(EXIT_REASON_TRIPLE_FAULT);
	}
	check_l1();
	mend_l1();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u32 pool;

	if (!fake_cpu)
		w_init(1);
	mend_l1();
	w_reset_l1_memory();
	w_vmxon();
	pool = w_pool_used;
	w_load(W_VMCS12);
	w_fill_valid();
	for (u32 i = 0; i < MAX_STEPS && in.left; i++) {
		step(&in);
		if (fake_cpu->nested.in_vm)
			leave_l2(&in);
		if (!fake_cpu->nested.vmxon)
			break;
		mend_l1();
	}
	nested_cpu_reset(fake_cpu);
	assert(w_pool_used == pool);
	return 0;
}
