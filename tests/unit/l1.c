// SPDX-License-Identifier: GPL-2.0
/* The demoted host and its KVM: see l1.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "l1.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"

bool w_shadowing(void)
{
	const char *wish = getenv("W_SHADOWING");

	return !wish || *wish != '0';
}

void w_use_cpu(u32 n)
{
	fake_cpu = cpus[n];
}

u64 w_vmcs02(void)
{
	return fake_cpu->nested.current->vmcs02_pa;
}

/* L1's page tables: the first 2 MiB by 4 KiB pages, identity, accessed and dirty. */
static void map_l1(void)
{
	u64 *pml4 = phys(W_CR3), *pdpt = phys(0x2000), *pd = phys(0x3000), *pt = phys(0x4000);

	pml4[0] = 0x2000 | 0x27;
	pdpt[0] = 0x3000 | 0x27;
	pd[0] = 0x4000 | 0x27;
	for (u64 i = 0; i < 512; i++)
		pt[i] = i << 12 | 0x63;
	/* The page after the operands' is elsewhere: an access across both is two. */
	pt[(W_OPERAND >> 12) + 1] = W_SCRATCH | 0x63;
}

void w_reset_l1_memory(void)
{
	memset(phys(0), 0, W_VMFRAME);
	map_l1();
	*(u32 *)phys(W_VMXON) = W_REVISION;
	*(u32 *)phys(W_VMCS12) = W_REVISION;
	*(u32 *)phys(W_VMCS12B) = W_REVISION;
	memset(phys(W_MSR_BITMAP), 0xff, PAGE_SIZE);
}

void w_start_l1(struct percpu *cpu, u64 vmcs01)
{
	fake_cpu = cpu;
	cpu->vmcs01_pa = vmcs01;
	vmptrld(vmcs01);
	vmwrite(VMCS_GUEST_CR0, 0x80010033);
	vmwrite(VMCS_CR0_SHADOW, 0x80010033);
	vmwrite(VMCS_CR0_MASK, CR0_NE);
	vmwrite(VMCS_CR4_MASK, CR4_VMXE);
	vmwrite(VMCS_GUEST_CR3, W_CR3);
	vmwrite(VMCS_GUEST_CR4, 0x20a0 | CR4_SMAP);
	vmwrite(VMCS_CR4_SHADOW, 0x20a0 | CR4_SMAP);
	vmwrite(VMCS_GUEST_EFER, 0xd01);
	vmwrite(VMCS_GUEST_PAT, 0x0007040600070406);
	vmwrite(VMCS_GUEST_RIP, 0xffffffff81000000);
	vmwrite(VMCS_GUEST_RSP, 0x8000);
	vmwrite(VMCS_GUEST_RFLAGS, 2);
	vmwrite(VMCS_GUEST_CS_AR, 0xa09b);
	vmwrite(VMCS_GUEST_SS_AR, 0xc093);
}

/*
 * Hardware carries out a VMREAD or VMWRITE of a field that the layer has let it; of those
 * with an operand in memory only that they do not exit is told.
 */
static bool shadowed(u32 reason, u32 info, enum w_outcome *o)
{
	static const u64 mask[] = { 0xffff, ~0ULL, 0xffffffff, ~0ULL };
	u64 enc = fake_cpu->gpr[info >> 28 & 0xf], *reg = &fake_cpu->gpr[info >> 3 & 0xf], *field;

	if (reason != EXIT_REASON_VMREAD && reason != EXIT_REASON_VMWRITE)
		return false;
	field = w_shadowed(enc, reason == EXIT_REASON_VMWRITE);
	if (!field)
		return false;
	*o = guest_cpl() ? W_FAULT : W_SUCCEED;
	if (guest_cpl() || !(info & BIT(10)))
		return true;
	if (reason == EXIT_REASON_VMREAD)
		*reg = *field;
	else
		*field = *reg & mask[VMCS_ENC_WIDTH(enc)];
	return true;
}

enum w_outcome w_insn(u32 reason, u32 info, u64 disp)
{
	u64 vmcs01 = fake_cpu->vmcs01_pa, rip = w_vmcs(vmcs01, VMCS_GUEST_RIP), flags;
	enum w_outcome o;

	if (shadowed(reason, info, &o))
		return o;
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	vmwrite(VMCS_EXIT_INSN_INFO, info);
	vmwrite(VMCS_EXIT_QUAL, disp);
	vmwrite(VMCS_EXIT_INSN_LEN, W_INSN_LEN);
	w_root(reason);
	if (fake_cpu->nested.in_vm)
		return W_ENTERED;
	assert(w_current_pa() == vmcs01);
	if (vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID) {
		assert(vmread(VMCS_GUEST_RIP) == rip);
		vmwrite(VMCS_ENTRY_INTR_INFO, 0);
		return W_FAULT;
	}
	if (vmread(VMCS_GUEST_RIP) == rip)
		return W_RETRY;
	if (vmread(VMCS_GUEST_RIP) != rip + W_INSN_LEN)
		return W_EXITED;
	flags = vmread(VMCS_GUEST_RFLAGS);
	return flags & RFLAGS_CF ? W_FAIL_INVALID : flags & RFLAGS_ZF ? W_FAIL_VALID
									      : W_SUCCEED;
}

/* [disp], no base, no index, DS, 64-bit address */
#define INFO_MEM	(BIT(27) | BIT(22) | 3 << 15 | 2 << 7)

enum w_outcome w_insn_mem(u32 reason, u64 operand)
{
	*(u64 *)phys(W_OPERAND) = operand;
	return w_insn(reason, INFO_MEM, W_OPERAND);
}

/* Register forms: field in rcx, value in rbx. */
#define INFO_REG	(BIT(10) | RBX << 3 | (u32)RCX << 28)

enum w_outcome w_vmread(u32 enc, u64 *val)
{
	enum w_outcome o;

	fake_cpu->gpr[RCX] = enc;
	o = w_insn(EXIT_REASON_VMREAD, INFO_REG, 0);
	*val = fake_cpu->gpr[RBX];
	return o;
}

enum w_outcome w_vmwrite(u32 enc, u64 val)
{
	fake_cpu->gpr[RCX] = enc;
	fake_cpu->gpr[RBX] = val;
	return w_insn(EXIT_REASON_VMWRITE, INFO_REG, 0);
}

u64 w_read(u32 enc)
{
	u64 val;
	enum w_outcome o = w_vmread(enc, &val);

	assert(o == W_SUCCEED);
	return val;
}

void w_write(u32 enc, u64 val)
{
	enum w_outcome o = w_vmwrite(enc, val);

	assert(o == W_SUCCEED);
}

u32 w_insn_error(void)
{
	return (u32)w_read(VMCS_INSN_ERROR);
}

void w_vmxon(void)
{
	enum w_outcome o = w_insn_mem(EXIT_REASON_VMXON, W_VMXON);

	assert(o == W_SUCCEED);
}

void w_load(u64 pa)
{
	enum w_outcome o = w_insn_mem(EXIT_REASON_VMCLEAR, pa);

	assert(o == W_SUCCEED);
	o = w_insn_mem(EXIT_REASON_VMPTRLD, pa);
	assert(o == W_SUCCEED);
}

/* Beyond what is here a VMCS12 may be all zero. */
void w_valid_fields(void (*write)(u32 enc, u64 val))
{
	static const struct { u32 enc; u64 val; } field[] = {
		{ VMCS_PIN_CTLS, 0x16 | PIN_EXTINT_EXITING | PIN_NMI_EXITING },
		{ VMCS_CPU_CTLS, 0x04006172 | CPU_HLT_EXITING | CPU_MSR_BITMAPS | CPU_TPR_SHADOW |
				 CPU_UNCOND_IO_EXITING | CPU_SECONDARY_CTLS },
		{ VMCS_CPU2_CTLS, CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED | CPU2_APIC_ACCESSES },
		{ VMCS_EXIT_CTLS, 0x00036fff | EXIT_LOAD_PAT | EXIT_LOAD_EFER },
		{ VMCS_ENTRY_CTLS, 0x000011ff | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER | ENTRY_IA32E },
		{ VMCS_EPTP, W_EPTP },
		{ VMCS_VPID, 7 },
		{ VMCS_MSR_BITMAP, W_MSR_BITMAP },
		{ VMCS_VIRTUAL_APIC_ADDR, W_VAPIC },
		{ VMCS_APIC_ACCESS_ADDR, W_APIC_ACCESS },
		{ VMCS_VMCS_LINK, ~0ULL },
		{ VMCS_HOST_CR0, 0x80010033 },
		{ VMCS_HOST_CR3, W_CR3 },
		{ VMCS_HOST_CR4, 0x20a0 },
		{ VMCS_HOST_EFER, 0xd01 },
		{ VMCS_HOST_PAT, 0x0007040600070406 },
		{ VMCS_HOST_CS_SEL, 0x10 },
		{ VMCS_HOST_SS_SEL, 0x18 },
		{ VMCS_HOST_TR_SEL, 0x40 },
		{ VMCS_HOST_GS_BASE, 0xffff888000001000 },
		{ VMCS_HOST_RIP, 0xffffffff82000000 },
		{ VMCS_HOST_RSP, 0xffffc90000001000 },
		{ VMCS_GUEST_EFER, 0x500 },
		{ VMCS_GUEST_PAT, 0x0007040600070406 },
		{ VMCS_GUEST_CR0, 0x80000031 },
		{ VMCS_GUEST_CR4, 0x2020 },
		{ VMCS_GUEST_RIP, 0x1000 },
		{ VMCS_GUEST_RFLAGS, 2 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(field); i++)
		write(field[i].enc, field[i].val);
}

void w_fill_valid(void)
{
	w_valid_fields(w_write);
}

enum w_outcome w_enter(bool launch)
{
	/* Not where the last exit left it: the outcome is told by RIP. */
	vmwrite(VMCS_GUEST_RIP, 0xffffffff81000000);
	return w_insn(launch ? EXIT_REASON_VMLAUNCH : EXIT_REASON_VMRESUME, 0, 0);
}

void w_exit(u32 reason)
{
	assert(fake_cpu->nested.in_vm);
	vmwrite(VMCS_EXIT_REASON, reason);
	/* Hardware takes an event's valid bit at every exit (section 28.2). */
	if (!(reason & EXIT_ENTRY_FAILURE))
		vmwrite(VMCS_ENTRY_INTR_INFO, vmread(VMCS_ENTRY_INTR_INFO) & ~INTR_VALID);
	w_root(reason);
	assert(w_current_pa() == (fake_cpu->nested.in_vm ? w_vmcs02() : fake_cpu->vmcs01_pa));
}
