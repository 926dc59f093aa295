// SPDX-License-Identifier: GPL-2.0
/*
 * The state in which this CPU goes on, demoted: struct up_linux for the layer.  Taken
 * down here, while Linux is still trusted, so that the layer need not know how.
 */
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/special_insns.h>

#include "module.h"

#define AR_UNUSABLE	BIT(16)

static struct up_segment segment(u16 sel, u64 base)
{
	struct up_segment s = { .base = base, .sel = sel, .ar = AR_UNUSABLE };
	u32 ar;

	/* A null selector: unusable (SDM vol. 3, 25.4.1). */
	if (!(sel & ~3))
		return s;
	asm("lar %1, %0" : "=r"(ar) : "r"((u32)sel));
	asm("lsl %1, %0" : "=r"(s.limit) : "r"((u32)sel));
	s.ar = ar >> 8 & 0xf0ff;
	return s;
}

/* Base of a 16-byte system descriptor. */
static u64 system_base(const struct desc_ptr *gdt, u16 sel)
{
	const u64 *d = (const u64 *)(gdt->address + (sel & ~7));

	if (!(sel & ~7))
		return 0;
	return (d[0] >> 16 & 0xffffff) | d[0] >> 56 << 24 | d[1] << 32;
}

#define SELECTOR(name) \
	({ \
		u16 sel_; \
		asm volatile("mov %%" #name ", %0" : "=r"(sel_)); \
		sel_; \
	})

static u64 msr(u32 number)
{
	u64 val;

	rdmsrl(number, val);
	return val;
}

static void capture_segments(struct up_linux *s, const struct desc_ptr *gdt)
{
	u16 ldt, tr;

	store_ldt(ldt);
	store_tr(tr);
	s->seg[0] = segment(SELECTOR(es), 0);
	s->seg[1] = segment(SELECTOR(cs), 0);
	s->seg[2] = segment(SELECTOR(ss), 0);
	s->seg[3] = segment(SELECTOR(ds), 0);
	s->seg[4] = segment(SELECTOR(fs), msr(MSR_FS_BASE));
	s->seg[5] = segment(SELECTOR(gs), msr(MSR_GS_BASE));
	s->seg[6] = segment(ldt, system_base(gdt, ldt));
	s->seg[7] = segment(tr, system_base(gdt, tr));
}

/**
 * up_capture() - this CPU's state for the layer
 * @s: filled in
 *
 * Context: on the CPU, interrupts off, until it calls up_enter().
 */
void up_capture(struct up_linux *s)
{
	struct desc_ptr gdt, idt;

	native_store_gdt(&gdt);
	store_idt(&idt);
	capture_segments(s, &gdt);
	s->gdt_base = gdt.address;
	s->gdt_limit = gdt.size;
	s->idt_base = idt.address;
	s->idt_limit = idt.size;
	s->cr0 = read_cr0();
	s->cr3 = __read_cr3();
	s->cr4 = native_read_cr4();
	get_debugreg(s->dr7, 7);
	s->debugctl = msr(MSR_IA32_DEBUGCTLMSR);
	s->efer = msr(MSR_EFER);
	s->pat = msr(MSR_IA32_CR_PAT);
	s->sysenter_cs = msr(MSR_IA32_SYSENTER_CS);
	s->sysenter_esp = msr(MSR_IA32_SYSENTER_ESP);
	s->sysenter_eip = msr(MSR_IA32_SYSENTER_EIP);
}
