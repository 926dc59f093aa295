// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile KVM: what it sees of a vCPU after an exit, what it changes before
 * the next entry, and what it injects.  The module runs the vCPU (run.c).
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "attack.h"
#include "vmcs_enc.h"

#define EXITS		36
#define CTL_TPR_SHADOW	(1u << 21)
#define CTL_NMI_WINDOW	(1u << 22)
#define PIN_TIMER	(1u << 6)
#define PIN_VIRTUAL_NMI	(1u << 5)
#define VALID		0x80000000u
#define HAS_ERROR	0x800u
#define TYPE(t)		((t) << 8)
#define EXTERNAL	0u
#define HARDWARE	3u
#define SOFTWARE	4u
#define PRIVILEGED	5u
#define EXCEPTION	6u
#define OTHER		7u
#define GUEST_CR3_VALUE	0x11000u	/* module/guest/layout.h */

static int run_fn(struct shared *sh, void *arg)
{
	struct atk_run *r = arg;

	r->vcpu_fd = sh->vcpu;
	return ioctl(attack_fd, ATK_RUN, r);
}

int run_vcpu(struct victim *v, struct atk_run *r)
{
	int ret;

	victim_pause(v);
	ret = victim_do(v, run_fn, r, sizeof(*r));
	memcpy(r, v->sh->arg, sizeof(*r));
	victim_resume(v);
	if (ret)
		err(1, "ATK_RUN");
	return ret;
}

void run_describe(const struct victim *v, const struct atk_run *r)
{
	note("%s: %u exits, last reason %#x, \"%.40s\"%s, error %u, leak %#x after reason %u",
	     v->protected ? "protected" : "unprotected", r->exits, r->reason, r->chars,
	     r->failed ? ", an entry failed" : "", r->error, r->leak, r->leak_reason);
}

bool run_disturbs(const struct victim *v, const struct atk_run *r)
{
	int passed = 0;
	uint32_t i;

	run_describe(v, r);
	for (i = 0; i < r->nchars; i++) {
		if (r->chars[i] == 'X' || r->chars[i] == 'E')
			return true;
		passed += r->chars[i] == 'S';
	}
	return passed < 3;
}

static struct atk_run poke_run(uint32_t field, uint64_t value)
{
	struct atk_run r = { .exits = EXITS, .npokes = 1 };

	r.poke[0].field = field;
	r.poke[0].value = value;
	return r;
}

static void add_poke(struct atk_run *r, uint32_t field, uint32_t or, uint64_t value)
{
	r->poke[r->npokes].field = field;
	r->poke[r->npokes].mask = or;
	r->poke[r->npokes++].value = value;
}

static bool poke_disturbs(struct victim *v, uint32_t field, uint64_t value)
{
	struct atk_run r = poke_run(field, value);

	run_vcpu(v, &r);
	return run_disturbs(v, &r);
}

/* --- what is seen ------------------------------------------------------------- */

static bool sees(struct victim *v, struct atk_run *r, uint32_t what)
{
	run_vcpu(v, r);
	run_describe(v, r);
	if (r->stop && r->reason != r->stop) {
		note("the exit did not come");
		return false;
	}
	return r->leak & what;
}

#define SEES(name, reason, what)					\
	static bool name(struct victim *v)				\
	{								\
		struct atk_run r = { .exits = EXITS, .stop = reason };	\
									\
		return sees(v, &r, what);				\
	}
SEES(gpr_cpuid, 10, ATK_LEAK_GPR)
SEES(gpr_io, 30, ATK_LEAK_GPR)
SEES(ymm_seen, 0, ATK_LEAK_YMM)
SEES(dr_seen, 0, ATK_LEAK_DR)
SEES(cr2_seen, 0, ATK_LEAK_CR2)

/* With interrupts on, so that the emulator delivers the exit. */
static bool gpr_extint(struct victim *v)
{
	struct atk_run r = poke_run(ENC_GUEST_RFLAGS, 0x200);

	r.poke[0].mask = 1;
	r.exits = 2 * EXITS;
	r.stop = 1;
	run_vcpu(v, &r);
	run_describe(v, &r);
	return r.leak && (v->protected || r.reason == 1);
}

static bool gpr_timer(struct victim *v)
{
	struct atk_run r = poke_run(ENC_PREEMPTION_TIMER, 3000);

	add_poke(&r, ENC_PIN_CTLS, 1, PIN_TIMER);
	r.stop = 52;
	return sees(v, &r, ATK_LEAK_GPR);
}

static bool gpr_nmi_window(struct victim *v)
{
	struct atk_run r = poke_run(ENC_GUEST_ACTIVITY, 0);

	add_poke(&r, ENC_PIN_CTLS, 1, PIN_VIRTUAL_NMI);
	add_poke(&r, ENC_CPU_CTLS, 1, CTL_NMI_WINDOW);
	r.stop = 8;
	return sees(v, &r, ATK_LEAK_GPR);
}

/* Where it executes, its stack and its page tables. */
static bool fields_seen(struct victim *v)
{
	struct atk_run r = { .exits = EXITS, .stop = 10 };

	run_vcpu(v, &r);
	note("RIP %#llx, RSP %#llx, CR3 %#llx", r.rip, r.rsp, r.cr3);
	return r.cr3 == GUEST_CR3_VALUE || (r.rsp && r.rsp <= 0x20000) ||
	       r.leak & ATK_LEAK_FIELD;
}

/* --- entries that fail with the VM's registers loaded ------------------------- */

static bool fails(struct victim *v, struct atk_run *r)
{
	run_vcpu(v, r);
	run_describe(v, r);
	return r->leak;
}

static bool fail_reserved(struct victim *v)
{
	struct atk_run r = poke_run(ENC_ENTRY_INTR_INFO, VALID | 0x1000 | 0x20);

	return fails(v, &r);
}

static bool fail_interrupt(struct victim *v)
{
	struct atk_run r = poke_run(ENC_ENTRY_INTR_INFO, VALID | 0x20);

	return fails(v, &r);
}

static bool fail_tpr(struct victim *v)
{
	struct atk_run r = poke_run(ENC_VIRTUAL_APIC_ADDR, module_page() * PAGE);

	add_poke(&r, ENC_CPU_CTLS, 1, CTL_TPR_SHADOW);
	add_poke(&r, ENC_TPR_THRESHOLD, 0, 0x1f);
	return fails(v, &r);
}

static bool fail_controls(struct victim *v)
{
	struct atk_run r = poke_run(ENC_PIN_CTLS, 0x1f & ~8);

	add_poke(&r, ENC_CPU_CTLS, 1, CTL_NMI_WINDOW);
	return fails(v, &r);
}

/* --- what is changed ---------------------------------------------------------- */

#define POKE(name, field, value) \
	static bool name(struct victim *v) { return poke_disturbs(v, field, value); }
POKE(set_rip, ENC_GUEST_RIP, 0x1000)
POKE(set_rsp, ENC_GUEST_RSP, 0xfffff000)
POKE(set_cr3, ENC_GUEST_CR3, 0x5000)
POKE(set_cr0, ENC_GUEST_CR0, 0x8000003b)	/* TS */
POKE(set_cr4, ENC_GUEST_CR4, 0x2000)
POKE(set_cs, ENC_GUEST_CS_AR, 0xc09b)
POKE(set_halt, ENC_GUEST_ACTIVITY, 1)
POKE(inject_ud, ENC_ENTRY_INTR_INFO, VALID | TYPE(HARDWARE) | 6)
POKE(inject_gp, ENC_ENTRY_INTR_INFO, VALID | TYPE(HARDWARE) | HAS_ERROR | 13)
POKE(inject_pf, ENC_ENTRY_INTR_INFO, VALID | TYPE(HARDWARE) | HAS_ERROR | 14)
POKE(inject_df, ENC_ENTRY_INTR_INFO, VALID | TYPE(HARDWARE) | HAS_ERROR | 8)
POKE(inject_mc, ENC_ENTRY_INTR_INFO, VALID | TYPE(HARDWARE) | 18)

static bool set_efer(struct victim *v)
{
	struct atk_run r = poke_run(ENC_GUEST_EFER, 0);

	add_poke(&r, ENC_ENTRY_CTLS, 0, 0x11ff);	/* no IA-32e mode guest; no EFER load */
	run_vcpu(v, &r);
	return run_disturbs(v, &r);
}

static bool alter(struct victim *v, uint32_t what, uint64_t gprs)
{
	struct atk_run r = {
		.exits = EXITS, .alter = what, .gpr_mask = gprs, .gpr_value = 0x4343434343434343,
	};

	run_vcpu(v, &r);
	return run_disturbs(v, &r);
}

static bool set_gprs(struct victim *v)
{
	return alter(v, 0, 0xff00);
}

static bool set_ymm(struct victim *v)
{
	return alter(v, ATK_ALTER_YMM, 0);
}

static bool set_dr(struct victim *v)
{
	return alter(v, ATK_ALTER_DR, 0);
}

static bool set_cr2(struct victim *v)
{
	return alter(v, ATK_ALTER_CR2, 0);
}

static bool spoil_results(struct victim *v)
{
	return alter(v, ATK_SPOIL, 0);
}

/* After an exit that asks for nothing, claim that something was emulated. */
static bool pretend(struct victim *v)
{
	struct atk_run r = poke_run(ENC_PREEMPTION_TIMER, 3000);

	add_poke(&r, ENC_PIN_CTLS, 1, PIN_TIMER);
	r.exits = 20 * EXITS;
	r.alter = ATK_PRETEND;
	run_vcpu(v, &r);
	return run_disturbs(v, &r);
}

/* --- single steps -------------------------------------------------------------- */

static bool trap_flag(struct victim *v)
{
	struct atk_run r = poke_run(ENC_EXCEPTION_BITMAP, 0xffffffff);

	add_poke(&r, ENC_GUEST_RFLAGS, 1, 0x100);
	run_vcpu(v, &r);
	run_describe(v, &r);
	note("%u exits by exception", r.count[0]);
	return r.count[0] > 10;
}

/* General detect: each access to a debug register faults. */
static bool debug_control(struct victim *v)
{
	return poke_disturbs(v, ENC_GUEST_DR7, 0x2400);
}

/* --- injections ---------------------------------------------------------------- */

static bool inject(struct victim *v, uint32_t info, uint32_t len, bool interrupts_on)
{
	struct atk_run r = poke_run(ENC_ENTRY_INTR_INFO, info);

	add_poke(&r, ENC_ENTRY_INSN_LEN, 0, len);
	add_poke(&r, ENC_ENTRY_INTR_ERROR, 0, 0);
	if (interrupts_on)
		add_poke(&r, ENC_GUEST_RFLAGS, 1, 0x200);
	run_vcpu(v, &r);
	return run_disturbs(v, &r);
}

#define INJECT(name, info, len, on) \
	static bool name(struct victim *v) { return inject(v, info, len, on); }
INJECT(inject_int80, VALID | TYPE(SOFTWARE) | 0x80, 2, false)
INJECT(inject_ext80, VALID | TYPE(EXTERNAL) | 0x80, 0, true)
INJECT(inject_ext13, VALID | TYPE(EXTERNAL) | 13, 0, true)
INJECT(inject_bp, VALID | TYPE(EXCEPTION) | 3, 1, false)
INJECT(inject_db, VALID | TYPE(PRIVILEGED) | 1, 1, false)

/* An NMI is allowed; a descriptor table of the host's choosing is not. */
static bool idt_and_nmi(struct victim *v)
{
	struct atk_run r = poke_run(ENC_ENTRY_INTR_INFO, VALID | TYPE(2u) | 2);

	add_poke(&r, ENC_GUEST_IDTR_BASE, 0, 0x5000);
	run_vcpu(v, &r);
	return run_disturbs(v, &r);
}

/* QEMU's monitor: "nmi", then "cont" of a VM that has not run yet. */
static int nmi_fn(struct shared *sh, void *arg)
{
	(void)arg;
	return ioctl(sh->vcpu, KVM_NMI);
}

static bool nmi_first(struct victim *v)
{
	unsigned int i;

	if (victim_do(v, nmi_fn, NULL, 0))
		err(1, "KVM_NMI");
	victim_resume(v);
	for (i = 0; i < 100 && !v->sh->ended && !memchr(v->sh->log, 'V', v->sh->nlog); i++)
		nap(20);
	return memchr(v->sh->log, 'V', v->sh->nlog);
}

/* --- MSR lists ------------------------------------------------------------------ */

#define LSTAR		0xc0000082u

/* The entry list sets LSTAR, the exit list stores it: does the list see the VM's? */
static bool msr_lists(struct victim *v)
{
	uint64_t load = module_page() * PAGE, store = module_page() * PAGE;
	uint64_t in[2] = { LSTAR, 0x123456789000 }, out[2] = { LSTAR, 0x5555 };
	struct atk_run r = poke_run(ENC_ENTRY_MSR_LOAD_ADDR, load);

	mem_write(load, in, sizeof(in), ATK_DIRECT);
	mem_write(store, out, sizeof(out), ATK_DIRECT);
	add_poke(&r, ENC_ENTRY_MSR_LOAD_COUNT, 0, 1);
	add_poke(&r, ENC_EXIT_MSR_STORE_ADDR, 0, store);
	add_poke(&r, ENC_EXIT_MSR_STORE_COUNT, 0, 1);
	run_vcpu(v, &r);
	mem_read(store, out, sizeof(out), ATK_DIRECT);
	note("the store list holds %#lx", out[1]);
	return out[1] != 0x5555;
}

const struct attack vcpu_attacks[] = {
	{ 50, "GPRs after an exit by CPUID", gpr_cpuid, 0 },
	{ 51, "GPRs after an exit by port I/O", gpr_io, 0 },
	{ 52, "GPRs after an exit by external interrupt", gpr_extint, TAINTS },
	{ 53, "GPRs after an exit by preemption timer", gpr_timer, 0 },
	{ 54, "GPRs after an exit by NMI window", gpr_nmi_window, TAINTS },
	{ 55, "XMM and YMM registers after exits", ymm_seen, 0 },
	{ 56, "debug registers after exits", dr_seen, 0 },
	{ 57, "CR2 after exits", cr2_seen, 0 },
	{ 58, "VMCS guest-state fields after exits", fields_seen, 0 },
	{ 60, "resume with another RIP", set_rip, TAINTS },
	{ 61, "resume with another RSP", set_rsp, TAINTS },
	{ 62, "resume with another CR3", set_cr3, TAINTS },
	{ 63, "resume with another CR0", set_cr0, TAINTS },
	{ 64, "resume with another CR4", set_cr4, TAINTS },
	{ 65, "resume with another EFER", set_efer, TAINTS },
	{ 66, "resume with another CS", set_cs, TAINTS },
	{ 67, "resume with other GPRs", set_gprs, TAINTS },
	{ 68, "resume with other YMM registers", set_ymm, TAINTS },
	{ 69, "resume with other debug registers", set_dr, TAINTS },
	{ 70, "resume with another CR2", set_cr2, TAINTS },
	{ 71, "resume with another DR7 (general detect)", debug_control, TAINTS },
	{ 72, "resume in the halted state", set_halt, TAINTS },
	{ 73, "resume with RFLAGS.TF and all exceptions intercepted", trap_flag, TAINTS },
	{ 75, "results for registers that were not asked for", spoil_results, TAINTS },
	{ 76, "claim to have emulated what did not exit", pretend, TAINTS },
	{ 77, "MSR lists: LSTAR in at entry, out at exit", msr_lists, TAINTS },
	{ 78, "another IDT, then an NMI", idt_and_nmi, TAINTS },
	{ 80, "inject int 0x80", inject_int80, TAINTS },
	{ 81, "inject an external interrupt 0x80", inject_ext80, TAINTS },
	{ 82, "inject an external interrupt below 32", inject_ext13, TAINTS },
	{ 83, "inject #UD", inject_ud, TAINTS },
	{ 84, "inject #GP", inject_gp, TAINTS },
	{ 85, "inject #PF", inject_pf, TAINTS },
	{ 86, "inject #DF", inject_df, TAINTS },
	{ 87, "inject #MC", inject_mc, TAINTS },
	{ 88, "inject #BP as a software exception", inject_bp, TAINTS },
	{ 89, "inject #DB as a privileged software exception", inject_db, TAINTS },
	{ 90, "entry fails: reserved bits in the injected event", fail_reserved, TAINTS | ENDS },
	{ 91, "entry fails: interrupt injected with interrupts off", fail_interrupt,
	  TAINTS | ENDS },
	{ 92, "entry fails: TPR threshold", fail_tpr, TAINTS | ENDS },
	{ 93, "entry fails: contradictory controls", fail_controls, TAINTS | ENDS },
	{ 162, "an NMI before the VM's first instruction", nmi_first, FRESH | TAINTS | ENDS },
	{ 0 }
};
