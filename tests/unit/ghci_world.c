// SPDX-License-Identifier: GPL-2.0
/* See ghci_world.h. */
#include <string.h>

#include "ghci_world.h"
#include "vmx/base/x86.h"

#define PTE_TABLE	(PTE_P | PTE_W | PTE_A)

static u8 *guest(u64 gpa)
{
	return phys(((R_VM_PFN << PAGE_SHIFT) + gpa));
}

void g_write_memory(void)
{
	static const u8 tdcall[] = { 0x66, 0x0f, 0x01, 0xcc }, ud2[] = { 0x0f, 0x0b, 0x90, 0x90 };

	*(u64 *)guest(G_PML4) = G_PDPT | PTE_TABLE;
	*(u64 *)guest(G_PDPT) = G_PD | PTE_TABLE;
	*(u64 *)guest(G_PD) = PTE_TABLE | PTE_PS | PTE_D;
	memcpy(guest(G_TEXT), tdcall, sizeof(tdcall));
	memcpy(guest(G_UD2), ud2, sizeof(ud2));
	memcpy(guest(G_SPLIT), tdcall, sizeof(tdcall));
}

void g_long_mode(void)
{
	vmwrite(VMCS_GUEST_CR0, vmread(VMCS_GUEST_CR0) | CR0_PE | CR0_PG);
	vmwrite(VMCS_GUEST_CR3, G_PML4);
	vmwrite(VMCS_GUEST_EFER, EFER_LME | EFER_LMA | EFER_NXE);
	vmwrite(VMCS_GUEST_CS_AR, 0xa09b);
	vmwrite(VMCS_GUEST_SS_AR, 0xc093);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
}

long g_start(void)
{
	long id = r_make_vm_of(G_FRAMES, G_VCPUS);

	if (id < 0 || w_enter(true) != W_ENTERED)
		return -1;
	g_write_memory();
	g_long_mode();
	return id;
}

long g_enable(u64 gfn)
{
	long err = -UP_EAGAIN;
	u32 i;

	for (i = 0; i < 8 && err == -UP_EAGAIN; i++) {
		if (!fake_cpu->nested.in_vm)
			w_enter(false);
		err = r_call(UP_GUEST_GHCI, gfn, 0, 0);
		if (err == -UP_EAGAIN)
			r_flush_all();
	}
	if (!fake_cpu->nested.in_vm)
		w_enter(false);
	return err;
}

void g_undefined(u64 rip)
{
	vmwrite(VMCS_GUEST_RIP, rip);
	vmwrite(VMCS_EXIT_INTR_INFO, INTR_VALID | INTR_TYPE_HARD_EXC << 8 | VEC_UD);
	r_exit(EXIT_REASON_EXCEPTION_NMI, 0);
}
