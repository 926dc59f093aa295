// SPDX-License-Identifier: GPL-2.0
/*
 * Ring 0 against the layer itself: its calls, VMX instructions aimed at frames
 * that are not the host's, MSRs, control registers, NMIs, the sleep port.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "hostile.h"
#include "vmx/abi/call.h"
#include "vmcs_enc.h"

#define FUZZ_CALLS	6000
#define GUEST_CR3_VALUE	0x11000u

static uint64_t spare(const struct victim *v)
{
	return pfn_of(v, SPARE_GPA);
}

static bool ok(struct atk_call c)
{
	return !c.fault && !c.rax;
}

/* --- VMs of our own, made and taken apart by calls alone ----------------------- */

uint64_t call_create(void)
{
	struct atk_call c = layer_call(UP_CALL_VM_CREATE, 0, 0, 0);

	if (!ok(c))
		note("VM_CREATE: %lld", c.rax);
	return ok(c) ? c.rbx : ~0ULL;
}

void call_end(uint64_t id)
{
	uint64_t list = module_page();
	struct atk_call c;
	int i;

	layer_call(UP_CALL_VM_KILL, id, 0, 0);
	for (i = 0; i < 100; i++) {
		layer_call(UP_CALL_FLUSH, 0, 0, 0);
		c = layer_call(UP_CALL_VM_RECLAIM, id, list, 512);
		if ((ok(c) && !c.rbx) || (int64_t)c.rax == -ENOENT)
			break;
	}
	for (i = 0; i < 100; i++) {
		c = layer_call(UP_CALL_VM_DESTROY, id, 0, 0);
		if (ok(c) || (int64_t)c.rax == -ENOENT)
			return;
	}
}

static bool donate(uint64_t id, uint64_t pfn, uint64_t gfn)
{
	struct up_donation d = { pfn, gfn };
	uint64_t list = module_page();
	struct atk_call c;

	mem_write(list * PAGE, &d, sizeof(d), ATK_DIRECT);
	c = layer_call(UP_CALL_VM_DONATE, id, list, 1);
	note("donating %#lx to VM %lu at %#lx: %lld", pfn, id, gfn, c.rax);
	return ok(c);
}

/* --- calls ------------------------------------------------------------------------ */

struct bind {
	uint64_t id;
	struct atk_call result;
};

/* With this vCPU's VMCS current. */
static int bind_fn(struct shared *sh, void *arg)
{
	struct bind *b = arg;

	b->result = (struct atk_call){
		.rax = UP_CALL_VM_BIND_VCPU, .rbx = b->id, .vcpu = (uint32_t)sh->vcpu + 1,
	};
	return ioctl(attack_fd, ATK_CALL, &b->result);
}

static bool bind(struct victim *v, uint64_t id)
{
	struct bind b = { .id = id };

	victim_pause(v);
	if (victim_do(v, bind_fn, &b, sizeof(b)))
		err(1, "ATK_CALL");
	memcpy(&b, v->sh->arg, sizeof(b));
	note("binding to VM %lu: %lld", id, b.result.rax);
	victim_resume(v);
	return ok(b.result);
}

/* The VMCS of the victim becomes a vCPU of another VM. */
static bool bind_elsewhere(struct victim *v)
{
	uint64_t id = call_create();
	bool hit = bind(v, id);

	if (!v->protected)
		victim_pause(v);
	call_end(id);
	return hit;
}

/* Twice: the second time is the attack, the first the control. */
static bool bind_second(struct victim *v)
{
	struct victim *other;
	bool hit;

	if (!v->protected)
		return bind_elsewhere(v);
	other = hostile_start();
	hit = bind(other, (uint64_t)v->sh->id);
	hit |= bind(v, (uint64_t)v->sh->id);
	victim_kill(other);
	return hit;
}

static bool donate_elsewhere(struct victim *v)
{
	uint64_t id = call_create(), pfn = v->protected ? pfn_of(v, SECRET_GPA) : module_page();
	bool hit = donate(id, pfn, 0x100);

	if (v->protected && layer_pfns)
		hit |= donate(id, layer_pfn[0], 0x101);
	call_end(id);
	return hit;
}

/* Another frame for a guest frame that has one; the control: for one that has none. */
static bool donate_over(struct victim *v)
{
	uint64_t id = v->protected ? (uint64_t)v->sh->id : call_create();
	bool hit = donate(id, module_page(), SECRET_GPA / PAGE);

	if (!v->protected)
		call_end(id);
	return hit;
}

static bool donate_pool(struct victim *v)
{
	uint64_t pfn = v->protected ? pfn_of(v, SECRET_GPA) : module_page();
	uint64_t list = module_page();
	struct atk_call c;

	mem_write(list * PAGE, &pfn, 8, ATK_DIRECT);
	c = layer_call(UP_CALL_POOL_DONATE, list, 1, 0);
	note("pool donation of %#lx: %lld", pfn, c.rax);
	return ok(c);
}

/* Each call that fills or reads a page, aimed at one. */
static bool page_calls(uint64_t id, uint64_t pfn)
{
	unsigned int hits = 0;

	hits += ok(layer_call(UP_CALL_STATUS, pfn, 0, 0));
	hits += ok(layer_call(UP_CALL_LOG, pfn, 0, 0));
	hits += ok(layer_call(UP_CALL_VM_INFO, id, pfn, 0));
	hits += ok(layer_call(UP_CALL_VM_DONATE, id, pfn, 0));
	hits += ok(layer_call(UP_CALL_POOL_DONATE, pfn, 0, 0));
	note("%u of 5 calls take frame %#lx", hits, pfn);
	return hits;
}

static bool page_of_vm(struct victim *v)
{
	uint64_t id = call_create();
	bool hit = page_calls(id, spare(v));

	call_end(id);
	return hit;
}

static bool page_of_layer(struct victim *v)
{
	uint64_t id = call_create();
	bool hit = false;
	unsigned int i;

	if (!v->protected)
		hit = page_calls(id, module_page());
	for (i = 0; v->protected && i < layer_pfns && i < 8; i++)
		hit |= page_calls(id, layer_pfn[i]);
	call_end(id);
	return hit || (v->protected && !layer_pfns);
}

static bool reclaim_live(struct victim *v)
{
	uint64_t id = v->protected ? (uint64_t)v->sh->id : call_create();
	bool hit;

	if (!v->protected)
		layer_call(UP_CALL_VM_KILL, id, 0, 0);
	hit = ok(layer_call(UP_CALL_VM_RECLAIM, id, module_page(), 512));
	hit |= ok(layer_call(UP_CALL_VM_DESTROY, id, 0, 0));
	return hit;
}

static bool measure_again(struct victim *v)
{
	uint64_t id = v->protected ? (uint64_t)v->sh->id : call_create();
	struct atk_call c;
	bool hit;
	int i;

	if (!v->protected)
		bind(v, id);
	c = layer_call(UP_CALL_VM_MEASURE, id, 0, 0);
	for (i = 0; i < 100 && (int64_t)c.rax == -EAGAIN; i++)
		c = layer_call(UP_CALL_VM_MEASURE, id, 0, 0);
	hit = ok(c);
	note("MEASURE: %lld", c.rax);
	if (!v->protected) {
		victim_pause(v);
		call_end(id);
	}
	return hit;
}

/* No protected VM exists while the control runs. */
static bool leave(struct victim *v)
{
	struct atk_call c = layer_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0);
	bool hit = ok(c);

	note("LEAVE_PREPARE: %lld", c.rax);
	if (v->protected)
		hit |= ok(layer_call(UP_CALL_LEAVE, 0, 0, 0));
	else
		layer_call(UP_CALL_LEAVE_PREPARE, 0, 0, 0);
	return hit;
}

static bool fuzz(struct victim *v)
{
	struct atk_fuzz f = { .seed = now_ms() * 2654435761u | 1, .count = FUZZ_CALLS };
	uint64_t id, mine = v->protected ? (uint64_t)v->sh->id : ~0ULL;
	unsigned int i;

	for (i = 0; i < 8; i++)
		f.pfns[i] = module_page();
	for (i = 0; v->protected && i < 6; i++)
		f.pfns[i] = i < 3 || !layer_pfns ? pfn_of(v, SECRET_GPA + i * PAGE) :
			    layer_pfn[i % layer_pfns];
	f.scratch = module_page();
	note("seed %#llx", f.seed);
	if (ioctl(attack_fd, ATK_FUZZ, &f))
		err(1, "ATK_FUZZ");
	note("%llu calls answered, %llu refused", f.answered, f.refused);
	for (id = 0; id < UP_MAX_VMS; id++)
		if (id != mine)
			call_end(id);
	return v->protected ? disturbed(v) : f.answered > 10;
}

/* --- VMX instructions -------------------------------------------------------------- */

static uint32_t vmx(uint32_t op, uint64_t arg, uint64_t val)
{
	struct atk_vmx x = { .vcpu_fd = -1, .op = op, .arg = arg, .val = val };

	if (ioctl(attack_fd, ATK_VMX, &x))
		err(1, "ATK_VMX");
	return x.result;
}

/* The frame is made to look like a VMCS region first. */
static bool as_vmcs(uint64_t pfn, uint32_t op)
{
	struct atk_msr basic = { .index = 0x480 };
	uint32_t revision, result;

	if (ioctl(attack_fd, ATK_MSR, &basic))
		err(1, "ATK_MSR");
	revision = (uint32_t)basic.val & 0x7fffffff;
	mem_write(pfn * PAGE, &revision, 4, ATK_DIRECT);
	result = vmx(op, pfn * PAGE, 0);
	if (result == ATK_OK && op == ATK_VMPTRLD)
		vmx(ATK_VMCLEAR, pfn * PAGE, 0);
	note("frame %#lx: result %u", pfn, result);
	return result == ATK_OK;
}

static bool vmptrld_vm(struct victim *v)
{
	return as_vmcs(spare(v), ATK_VMPTRLD);
}

static bool vmclear_vm(struct victim *v)
{
	return as_vmcs(spare(v), ATK_VMCLEAR);
}

static bool vmcs_in_layer(struct victim *v)
{
	unsigned int i;
	bool hit = false;

	if (!v->protected)
		return as_vmcs(module_page(), ATK_VMPTRLD);
	for (i = 0; i < layer_pfns && i < 4; i++)
		hit |= as_vmcs(layer_pfn[i], ATK_VMPTRLD) | as_vmcs(layer_pfn[i], ATK_VMCLEAR);
	return hit || !layer_pfns;
}

static int copy_fn(struct shared *sh, void *arg)
{
	struct atk_vmx *x = arg;

	x->vcpu_fd = sh->vcpu;
	return ioctl(attack_fd, ATK_VMX, x);
}

/* VMCLEAR writes the VMCS back: what is in a copy of its frame? */
static bool second_vmcs(struct victim *v)
{
	struct atk_vmx x = { .op = ATK_VMCS_COPY, .arg = ENC_GUEST_CR3 };

	victim_pause(v);
	victim_do(v, copy_fn, &x, sizeof(x));
	memcpy(&x, v->sh->arg, sizeof(x));
	note("the copy's CR3: %#llx", x.val);
	victim_resume(v);
	return x.val == GUEST_CR3_VALUE;
}

/* The frame of a VMCS is KVM's to write while the VMCS is not active. */
static bool rewritten_vmcs(struct victim *v)
{
	const uint64_t mark = 0x123456789000;
	struct atk_vmx x = { .op = ATK_VMCS_REWRITE, .arg = ENC_GUEST_CR3, .val = mark };

	victim_pause(v);
	victim_do(v, copy_fn, &x, sizeof(x));
	memcpy(&x, v->sh->arg, sizeof(x));
	note("result %u, CR3 %#llx", x.result, x.val);
	victim_resume(v);
	return x.val == mark;
}

/* The operand of one VMX instruction, executed while the VM's VMCS is current. */
static uint32_t operand_at(struct victim *v, uint64_t pa, uint64_t insn, uint64_t operand)
{
	struct atk_vmx x = { .op = ATK_OPERAND_AT, .arg = pa, .val = insn };

	mem_write(pa, &operand, 8, ATK_DIRECT);
	victim_do(v, copy_fn, &x, sizeof(x));
	memcpy(&x, v->sh->arg, sizeof(x));
	return x.result;
}

/*
 * Operands in memory are read and written by the layer: not the VM's.  Each of the
 * instructions succeeds in the control, so that on the protected VM only the
 * operand's frame can be what is wrong, and each has to fault.
 */
static bool operands_in_vm(struct victim *v)
{
	static const char *const insn[] = { "VMPTRST", "INVEPT", "INVVPID", "VMREAD", "VMCLEAR" };
	/* INVVPID's is a VPID; of the others, those that take an address take ours. */
	const uint64_t own = module_page() * PAGE, operand[] = { own, own, 1, own, own };
	const unsigned int n = sizeof(insn) / sizeof(*insn);
	unsigned int i, done = 0, faults = 0;
	uint32_t result;

	victim_pause(v);
	for (i = 0; i < n; i++) {
		result = operand_at(v, spare(v) * PAGE, i, operand[i]);
		note("%s there: result %u", insn[i], result);
		done += result == ATK_OK;
		faults += result == ATK_FAULT;
		if (v->protected && layer_pfns)
			faults += operand_at(v, layer_pfn[0] * PAGE, i, operand[i]) ==
				  ATK_FAULT;
	}
	victim_resume(v);
	if (!v->protected)
		return done == n;
	note("%u of %u fault", faults, 2 * n);
	return faults != 2 * n || disturbed(v);
}

/* All fields, written and read back, with any value; KVM's values are put back. */
static bool vmwrite_all(struct victim *v)
{
	struct atk_vmx x = { .op = ATK_VMWRITE_ALL, .val = 0x5555555555555555 };

	victim_pause(v);
	victim_do(v, copy_fn, &x, sizeof(x));
	memcpy(&x, v->sh->arg, sizeof(x));
	note("%llu fields took the value", x.val);
	victim_resume(v);
	return v->protected ? disturbed(v) : x.val > 50;
}

static bool invalidations(struct victim *v)
{
	uint64_t pa = spare(v) * PAGE;
	unsigned int i, done = 0;

	for (i = 0; i < 5; i++) {
		done += vmx(ATK_INVEPT, i, pa | 0x1e) == ATK_OK;
		done += vmx(ATK_INVEPT, i, ~0ULL) == ATK_OK;
		done += vmx(ATK_INVVPID, i, i) == ATK_OK;
		done += vmx(ATK_INVVPID, ~0ULL, pa) == ATK_OK;
	}
	note("%u of 20 done", done);
	return v->protected ? disturbed(v) : done;
}

/* --- the processor ------------------------------------------------------------------ */

bool wrmsr(uint32_t index, uint64_t val)
{
	struct atk_msr m = { .index = index, .val = val, .write = 1 };

	if (ioctl(attack_fd, ATK_MSR, &m))
		err(1, "ATK_MSR");
	return !m.fault;
}

uint64_t rdmsr(uint32_t index)
{
	struct atk_msr m = { .index = index };

	if (ioctl(attack_fd, ATK_MSR, &m))
		err(1, "ATK_MSR");
	return m.fault ? 0 : m.val;
}

/* The VM's frame as another type of memory, then read. */
static bool mtrr(struct victim *v)
{
	uint64_t pa = pfn_of(v, SECRET_GPA) * PAGE, base = rdmsr(0x20e), mask = rdmsr(0x20f);
	uint8_t page[PAGE] = { 0 };

	if (!wrmsr(0x20e, pa & ~0xffffULL) || !wrmsr(0x20f, 0x7fffff0800 | 0xffff0000))
		note("the MTRR does not take it");
	mem_read(pa, page, PAGE, ATK_DIRECT);
	wrmsr(0x20f, mask);
	wrmsr(0x20e, base);
	return has_secret(v, page, PAGE);
}

/* The APIC's page over the VM's frame; the control writes what is there. */
static bool apic_base(struct victim *v)
{
	uint64_t old = rdmsr(0x1b);

	if (!v->protected)
		return wrmsr(0x1b, old);
	return wrmsr(0x1b, (old & 0xfff) | pfn_of(v, SECRET_GPA) * PAGE);
}

/*
 * Registers by which the processor writes to memory, starts updates, or leaves
 * VMX; the control is an ordinary one.  A microcode update is passed over in
 * silence, so that one is not here.
 */
static bool bad_msrs(struct victim *v)
{
	static const struct {
		uint32_t index;
		uint64_t val;
	} bad[] = {
		{ 0x3a, 0 }, { 0x3a, 5 }, { 0x9b, 1 }, { 0x1f2, 0x1000 }, { 0x1f3, 0xfffff800 },
		{ 0x480, 0 }, { 0x48b, 0 }, { 0x491, 0 }, { 0x560, 0x1000 }, { 0x561, 0x7f },
		{ 0x570, 1 }, { 0x17d0, 0x1001 },
	};
	unsigned int i;
	bool hit = false;

	if (!v->protected)
		return wrmsr(0xc0000081, rdmsr(0xc0000081));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (wrmsr(bad[i].index, bad[i].val)) {
			note("MSR %#x takes %#lx", bad[i].index, bad[i].val);
			hit = true;
		}
	return hit;
}

static bool cr(uint32_t which, uint64_t set, uint64_t clear)
{
	struct atk_cr c = { .cr = which, .set = set, .clear = clear };

	if (ioctl(attack_fd, ATK_CR, &c))
		err(1, "ATK_CR");
	return !c.fault;
}

/* Values that a processor refuses, in a write that the layer has to look at. */
static bool control_registers(struct victim *v)
{
	const uint64_t ne = 1u << 5, pg = 1u << 31, pe = 1, nw = 1u << 29;
	unsigned int taken = 0;

	if (!v->protected)
		return cr(0, 0, ne);
	taken += cr(0, 0, ne | pg);
	taken += cr(0, 0, ne | pe);
	taken += cr(0, nw, ne);
	taken += cr(0, 1ULL << 40, ne);
	taken += cr(4, 0, 1u << 13);		/* VMXE, in VMX operation */
	taken += cr(4, 1u << 30, 1u << 13);
	note("%u of 6 taken", taken);
	return taken;
}

static bool nmi_flood(struct victim *v)
{
	uint64_t n = 500;

	if (ioctl(attack_fd, ATK_NMIS, &n))
		err(1, "ATK_NMIS");
	note("%lu NMIs came", n);
	return v->protected ? !n || disturbed(v) : n > 0;
}

/* Suspend to RAM would resume outside the layer; the control sets nothing. */
static bool sleep_port(struct victim *v)
{
	uint16_t port = pm1_cnt(), old;

	if (iopl(3))
		err(1, "iopl");
	old = inw(port);
	if (v->protected) {
		outw(old | 0x2400, port);		/* SLP_EN, type 1 */
		outb(0x24, port + 1);
		outl(old | 0x2400u, port);
	} else {
		outw(old, port);
	}
	iopl(0);
	return !v->protected || disturbed(v);
}

#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define PIIX4_PM	0x71138086u	/* the device that decodes PM1_CNT */
#define PM_BASE		0x40u
#define INTERRUPT_LINE	0x3cu		/* the control: bits of its own, for software */

static uint32_t pci_read(uint32_t address)
{
	outl(address, PCI_ADDRESS);
	return inl(PCI_DATA);
}

/* @address: of a register, by double words and by bytes.  Return: it has changed */
static bool pci_flip(uint32_t address, uint32_t bits)
{
	uint32_t old = pci_read(address);
	bool moved;

	outl(old ^ bits, PCI_DATA);
	moved = pci_read(address) != old;
	outb((uint8_t)((old ^ bits) >> 8), PCI_DATA + 1);
	moved |= pci_read(address) != old;
	outl(old, PCI_DATA);
	return moved;
}

/* PM1_CNT at other ports than those that the layer watches; they are moved back. */
static bool move_sleep_port(struct victim *v)
{
	uint32_t device, at = 0;
	bool moved;

	if (iopl(3))
		err(1, "iopl");
	for (device = 1u << 31; device < (1u << 31 | 0x10000) && !at; device += 0x100)
		if (pci_read(device) == PIIX4_PM)
			at = device;
	moved = v->protected ? pci_flip(at | PM_BASE, 0x1000) : pci_flip(at | INTERRUPT_LINE, 0xff);
	iopl(0);
	note("PM device %x: %s", at, moved ? "written" : "unchanged");
	return !at || moved || (v->protected && disturbed(v));
}

const struct attack call_attacks[] = {
	{ 130, "hypercall: bind a second VMCS to the VM", bind_second, TAINTS },
	{ 131, "hypercall: bind the VM's VMCS to another VM", bind_elsewhere, TAINTS },
	{ 132, "hypercall: donate the VM's frame to another VM", donate_elsewhere, 0 },
	{ 133, "hypercall: a second frame for a guest frame", donate_over, 0 },
	{ 134, "hypercall: donate the VM's frame to the layer", donate_pool, 0 },
	{ 135, "hypercall: results into the VM's frame", page_of_vm, TAINTS },
	{ 136, "hypercall: results into frames of the layer", page_of_layer, 0 },
	{ 137, "hypercall: reclaim and destroy a VM that runs", reclaim_live, 0 },
	{ 138, "hypercall: measure again", measure_again, TAINTS },
	{ 139, "hypercall: leave", leave, ALONE },
	{ 140, "hypercalls with any arguments", fuzz, TAINTS | ALONE },
	{ 141, "VMPTRLD of the VM's frame", vmptrld_vm, TAINTS },
	{ 142, "VMCLEAR of the VM's frame", vmclear_vm, TAINTS },
	{ 143, "VMPTRLD and VMCLEAR of the layer's frames", vmcs_in_layer, 0 },
	{ 144, "a second VMCS for the same vCPU: a copy of the frame", second_vmcs,
	  TAINTS | ENDS },
	{ 145, "VMWRITE of all fields", vmwrite_all, TAINTS },
	{ 146, "INVEPT and INVVPID with any operand", invalidations, 0 },
	{ 147, "VMX instructions with operands in the VM's frame and the layer's", operands_in_vm,
	  TAINTS },
	{ 148, "the frame of the VM's VMCS, rewritten while that is not active", rewritten_vmcs,
	  TAINTS | ENDS },
	{ 150, "MTRRs over the VM's frame", mtrr, 0 },
	{ 151, "the APIC's page over the VM's frame", apic_base, 0 },
	{ 152, "MSRs: VMX capabilities, SMM, PT, hardware feedback", bad_msrs, 0 },
	{ 153, "control registers with refused values", control_registers, 0 },
	{ 154, "a flood of NMIs", nmi_flood, 0 },
	{ 155, "sleep by PM1_CNT", sleep_port, 0 },
	{ 156, "move of the sleep ports", move_sleep_port, 0 },
	{ 0 }
};

/* --- the end: rmmod ------------------------------------------------------------------ */

static int delete_module(const char *name, unsigned int flags)
{
	return (int)syscall(SYS_delete_module, name, flags);
}

/* The control unloads a module that nobody uses. */
static bool rmmod(struct victim *v)
{
	int ret;

	if (!v->protected)
		return !system("modprobe loop && rmmod loop");
	ret = delete_module("underpin", O_NONBLOCK);
	note("rmmod: %s", ret ? strerror(errno) : "done");
	return !ret || disturbed(v);
}

/* Forced: it may wait, but the VM stays what it is. */
static bool rmmod_forced(struct victim *v)
{
	uint8_t page[PAGE] = { 0 };
	pid_t pid;
	bool gone;

	if (!v->protected)
		return !system("modprobe loop && rmmod -f loop");
	pid = fork();
	if (!pid) {
		close(underpin_fd);	/* closed after the module has gone it is an oops */
		_exit(delete_module("underpin", O_NONBLOCK | O_TRUNC) ? 1 : 0);
	}
	nap(200);
	gone = waitpid(pid, NULL, WNOHANG) == pid;
	note("rmmod -f has %s", gone ? "ended" : "to wait");
	mem_read(pfn_of(v, SECRET_GPA) * PAGE, page, PAGE, ATK_DIRECT);
	return has_secret(v, page, PAGE) || disturbed(v);
}

const struct attack end_attacks[] = {
	{ 160, "rmmod while a protected VM exists", rmmod, 0 },
	{ 161, "rmmod -f while a protected VM exists", rmmod_forced, 0 },
	{ 0 }
};
