// SPDX-License-Identifier: GPL-2.0
/*
 * The whole root image with the unit of vtd_hw.h: taken at the launch, seen by the host's
 * driver as emulated registers, asked at each change of owner, given back by the first CPU
 * that leaves; and what is protected where no unit could be taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "root_world.h"
#include "vtd_hw.h"
#include "vmx/cpu/event.h"
#include "ept/device.h"
#include "ept/owner.h"
#include "ept/table.h"
#include "iommu/intr.h"
#include "iommu/launch.h"
#include "iommu/queue.h"
#include "iommu/table.h"

#define RIP0		W_OPERAND
#define HOST_ROOT	200ULL	/* Linux's tables and queue */
#define HOST_CONTEXT	201ULL
#define HOST_QUEUE	202ULL
#define HOST_STATUS	203ULL
#define HOST_TOP	204ULL	/* and three more: the levels of a domain's table */
#define HOST_IRTA	208ULL	/* 65,536 entries; 256 frames */
#define INTR		768ULL	/* the layer's table */
#define TAIL		3
#define CAP		(BIT(10) | 0x606 | CAP_SLLPS_2M)
#define ECAP		(ECAP_C | ECAP_QI | ECAP_IR | BIT(4))

static struct {
	bool dmar, translates, announces, no_all, no_interrupts, no_table, forbids, rmrr_is_ram;
	bool scalable;
	u64 cap;
} how;

#define must(cond)	r_expect(cond, "line %d: %s", __LINE__, #cond)

void cpu_relax(void)
{
	hw_relax();
}

static u64 *word(u64 pfn)
{
	return phys(pfn << PAGE_SHIFT);
}

/* --- firmware and Linux --- */

static u8 table[48 + 16 + 24];

static void put(u8 *p, u64 val, u32 bytes)
{
	memcpy(p, &val, bytes);
}

static void firmware(void)
{
	u32 i, len = how.rmrr_is_ram ? 88 : 64;
	u8 sum = 0;

	memset(table, 0, sizeof(table));
	memcpy(table, "DMAR", 4);
	put(table + 4, len, 4);
	table[36] = 38;
	put(table + 50, 16, 2);
	table[52] = how.no_all ? 0 : 1;
	put(table + 56, HW_BASE, 8);
	if (how.rmrr_is_ram) {
		put(table + 64, 1, 2);
		put(table + 66, 24, 2);
		put(table + 72, 300 << PAGE_SHIFT, 8);
		put(table + 80, (301 << PAGE_SHIFT) - 1, 8);
	}
	for (i = 0; i < len; i++)
		sum += table[i];
	table[9] = -sum;
	up_config.dmar = table;
	up_config.dmar_bytes = len;
}

/* Where it translates: device addresses of four frames, the last two not the host's. */
static u64 *leaf(u32 i)
{
	return word(HOST_TOP + 3) + i;
}

static void domain_of_linux(void)
{
	u32 i;

	for (i = 0; i < 3; i++)
		*word(HOST_TOP + i) = (HOST_TOP + i + 1) << PAGE_SHIFT | 3;
	*leaf(1) = 5 << PAGE_SHIFT | 3;
	*leaf(2) = R_VM_PFN << PAGE_SHIFT | 3;
	*leaf(3) = LAYER_START << PAGE_SHIFT | 3;
	for (i = 0; i < 256; i++) {
		word(HOST_CONTEXT)[2 * i] = HOST_TOP << PAGE_SHIFT | ENTRY_P;
		word(HOST_CONTEXT)[2 * i + 1] = CONTEXT_DID(9) | CONTEXT_AW(4);
		if (i)
			word(HOST_ROOT)[2 * i] = 0;	/* no such bus */
	}
}

#define BUSES	2	/* with devices */

/* Passes everything through, or translates; remaps interrupts; has used its queue. */
static void linux_runs(void)
{
	u64 pa, lo;
	u32 i;

	for (i = 0; i < 256; i++) {
		word(HOST_ROOT)[2 * i] = i < BUSES ? HOST_CONTEXT << PAGE_SHIFT | ENTRY_P : 0;
		word(HOST_CONTEXT)[2 * i] = ENTRY_P | (how.translates ? 0 : CONTEXT_T_PASS << 2);
	}
	if (how.announces)
		domain_of_linux();
	hw.rtaddr = hw.root = HOST_ROOT << PAGE_SHIFT | (how.scalable ? BIT(10) : 0);
	hw.gsts = GCMD_TE | GCMD_SRTP | GCMD_QIE;
	hw.iqa = HOST_QUEUE << PAGE_SHIFT;
	hw.iqt = hw.iqh = TAIL * DESC_BYTES;
	if (how.no_interrupts)
		return;
	hw.gsts |= GCMD_IRE | GCMD_SIRTP;
	hw.irta = hw.interrupts = HOST_IRTA << PAGE_SHIFT | 15;
	word(HOST_IRTA)[2] = IRTE_P | 0x41ULL << 16;
	/* All is remembered by now. */
	must(hw_interrupt(1, &lo, &pa));
	must(how.translates || how.scalable ||
	     hw_dma(0, LAYER_START << PAGE_SHIFT, true, &pa));
}

void r_configure(void)
{
	static const struct up_range layer[] = {
		{ LAYER_START, LAYER_END }, { INTR, INTR + 256 },
	};
	static const struct up_range intr = { INTR, INTR + 256 };

	up_config.allow_no_iommu = !how.forbids;
	up_config.dma_announced = how.announces;
	hw_init(how.cap ? how.cap : CAP, ECAP);
	if (!how.dmar)
		return;
	up_config.layer = layer;
	up_config.layer_chunks = 2;
	up_config.intr = &intr;
	up_config.intr_tables = !how.no_table;
	firmware();
	linux_runs();
}

/* Each in a process of its own: the launch is for once. */
static void launch(void)
{
	how.dmar = true;
	how.forbids = true;
	r_init();
	hw.slow = false;
}

static void in_child(void (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		fn();
		_Exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- launch --- */

static bool hosts_registers(void)
{
	return frame_is_hosts(HW_BASE >> PAGE_SHIFT);
}

static bool may_protect(void)
{
	long err = r_call(UP_CALL_VM_CREATE, 0, 0, 0);

	must(!err || err == -UP_ENXIO);
	return !err;
}

static void taken(void)
{
	u64 lo, hi, pa;

	launch();
	must(iommu_state() == UP_IOMMU_FULL && iommu_reason() == UP_IOMMU_FINE && nunits == 1);
	must(hw.root == units[0].root_pa && hw.iqa == units[0].queue.pa);
	must((hw.interrupts & VTD_ADDR) == INTR << PAGE_SHIFT);
	must(hw_interrupt(1, &lo, &hi) && lo == (IRTE_P | 0x41ULL << 16));
	must(!hosts_registers() && devices_in(HW_BASE >> PAGE_SHIFT, 1));
	must(hw_dma(0, 5 << PAGE_SHIFT, true, &pa));
	must(!hw_dma(0, LAYER_START << PAGE_SHIFT, true, &pa));
	must(may_protect());
}

static void the_unit_is_taken(void **state)
{
	(void)state;
	in_child(taken);
}

/* Linux has its unit as it was, registers and all, and no VM is protected. */
static void refuses(enum up_iommu_reason reason)
{
	launch();
	must(iommu_reason() == reason && iommu_state() == UP_IOMMU_NONE && !nunits);
	must((hw.root & VTD_ADDR) == HOST_ROOT << PAGE_SHIFT && hw.root == hw.rtaddr);
	must(hw.iqa == HOST_QUEUE << PAGE_SHIFT && hw.gsts & GCMD_QIE);
	must(how.no_interrupts || (hw.interrupts & VTD_ADDR) == HOST_IRTA << PAGE_SHIFT);
	must(hosts_registers() && !may_protect());
	up_config.allow_no_iommu = 1;
	must(may_protect());
}

static void linux_translates(void)
{
	how.translates = true;
	refuses(UP_IOMMU_TRANSLATING);
}

static void scalable_mode(void)
{
	how.scalable = true;
	refuses(UP_IOMMU_SCALABLE);
}

static void reserved_ram(void)
{
	how.rmrr_is_ram = true;
	refuses(UP_IOMMU_RESERVED);
}

static void no_table(void)
{
	how.no_table = true;
	refuses(UP_IOMMU_MEMORY);
}

static void no_width(void)
{
	how.cap = CAP & ~MASK(12, 8);
	refuses(UP_IOMMU_UNIT);
}

static void what_cannot_be_taken_stays_linuxs(void **state)
{
	(void)state;
	in_child(linux_translates);
	in_child(scalable_mode);
	in_child(reserved_ram);
	in_child(no_table);
	in_child(no_width);
}

static void no_units(void)
{
	how.forbids = true;
	r_init();
	must(iommu_state() == UP_IOMMU_NONE && iommu_reason() == UP_IOMMU_NO_DMAR);
	must(!may_protect());
}

static void without_units_nothing_is_protected(void **state)
{
	(void)state;
	in_child(no_units);
}

static void no_remapping(void)
{
	how.no_interrupts = true;
	launch();
	must(iommu_state() == UP_IOMMU_PARTIAL && iommu_reason() == UP_IOMMU_INTERRUPTS);
	must(!hosts_registers() && may_protect());
}

static void nobody_for_the_rest(void)
{
	how.no_all = true;
	launch();
	must(iommu_state() == UP_IOMMU_PARTIAL && iommu_reason() == UP_IOMMU_SEGMENT);
	must(hw.root == units[0].root_pa && !hosts_registers() && may_protect());
}

/* Interrupts that nobody remaps; devices that firmware may not have listed. */
static void with_less_it_is_partial(void **state)
{
	(void)state;
	in_child(no_remapping);
	in_child(nobody_for_the_rest);
}

/* --- the host's driver --- */

static void touch(u64 reg, u64 qual, const u8 *insn, u32 n)
{
	memcpy(phys(RIP0), insn, n);
	vmwrite(VMCS_GUEST_RIP, RIP0);
	vmwrite(VMCS_GUEST_PHYS_ADDR, HW_BASE + reg);
	vmwrite(VMCS_GUEST_LINEAR, 0xffffc90000000000 | reg);
	r_exit(EXIT_REASON_EPT_VIOLATION, qual | EPT_VIOL_GLA_VALID | EPT_VIOL_GLA_TRANSLATED);
	must(!(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID));
}

static u64 host_reads(u64 reg)
{
	touch(reg, EPT_VIOL_READ, (const u8 []){ 0x8b, 0x07 }, 2);	/* mov (%rdi),%eax */
	must(vmread(VMCS_GUEST_RIP) == RIP0 + 2);
	return fake_cpu->gpr[RAX];
}

/* Return: how often the processor has run the instruction */
static u32 host_writes(u64 reg, u64 val)
{
	u32 times = 0;

	do {
		fake_cpu->gpr[RAX] = val;
		touch(reg, EPT_VIOL_WRITE, (const u8 []){ 0x48, 0x89, 0x07 }, 3);
		must(times++ < 1000);
	} while (vmread(VMCS_GUEST_RIP) == RIP0);
	must(vmread(VMCS_GUEST_RIP) == RIP0 + 3);
	return times;
}

static void says(u32 at, u64 lo, u64 hi)
{
	word(HOST_QUEUE)[2 * at] = lo;
	word(HOST_QUEUE)[2 * at + 1] = hi;
}

static void driver(void)
{
	u64 lo, hi;

	launch();
	must(host_reads(VTD_GSTS) == (GCMD_TE | GCMD_SRTP | GCMD_QIE | GCMD_IRE | GCMD_SIRTP));
	must(host_reads(VTD_IQT) == TAIL * DESC_BYTES);
	says(TAIL, DESC_WAIT | WAIT_SW | 77ULL << 32, HOST_STATUS << PAGE_SHIFT);
	must(host_writes(VTD_IQT, (TAIL + 1) * DESC_BYTES) == 1);
	must((u32)*word(HOST_STATUS) == 77);
	must(host_reads(VTD_IQH) == (TAIL + 1) * DESC_BYTES);
	/* All of a large table is copied, in pieces that root has time for. */
	must(hw_interrupt(1, &lo, &hi));
	word(HOST_IRTA)[2] = IRTE_P | 0x42ULL << 16;
	word(HOST_IRTA)[4] = IRTE_P | 0x55ULL << 16;
	word(HOST_IRTA)[6] = IRTE_P | IRTE_POSTED;
	word(HOST_IRTA)[2 * 65535] = IRTE_P | 0x66ULL << 16;
	says(TAIL + 1, DESC_IEC, 0);
	says(TAIL + 2, DESC_WAIT | WAIT_SW | 78ULL << 32, HOST_STATUS << PAGE_SHIFT);
	must(host_writes(VTD_IQT, (TAIL + 3) * DESC_BYTES) > 16);
	must((u32)*word(HOST_STATUS) == 78);
	must(hw_interrupt(1, &lo, &hi) && lo == (IRTE_P | 0x42ULL << 16));
	must(hw_interrupt(2, &lo, &hi) && lo == (IRTE_P | 0x55ULL << 16));
	must(!hw_interrupt(3, &lo, &hi));
	must(word(INTR)[2 * 65535] == (IRTE_P | 0x66ULL << 16));
	must(hw.root == units[0].root_pa && hw.iqa == units[0].queue.pa);
}

static void the_driver_sees_its_unit(void **state)
{
	(void)state;
	in_child(driver);
}

static void new_table(void)
{
	u64 gsts;

	launch();
	gsts = host_reads(VTD_GSTS);
	word(HOST_IRTA)[2] = IRTE_P | 0x77ULL << 16;
	host_writes(VTD_IRTA, HOST_IRTA << PAGE_SHIFT | 15);
	must(host_writes(VTD_GCMD, (gsts & (GCMD_QIE | GCMD_IRE)) | GCMD_SIRTP) > 16);
	must(word(INTR)[2] == (IRTE_P | 0x77ULL << 16));
	must((hw.interrupts & VTD_ADDR) == INTR << PAGE_SHIFT && hw.gsts & GCMD_IRE);
}

static void a_new_table_is_copied_in_pieces(void **state)
{
	(void)state;
	in_child(new_table);
}

static void no_table_no_entry(void)
{
	how.no_interrupts = true;
	launch();
	*word(0) = R_SECRET;
	word(0)[1] = R_SECRET;
	says(TAIL, DESC_IEC, 0);
	must(host_writes(VTD_IQT, (TAIL + 1) * DESC_BYTES) == 1);
	must(*word(0) == R_SECRET && word(0)[1] == R_SECRET);
}

/* An index of entries, where the layer has no table for them. */
static void without_a_table_no_entry_is_copied(void **state)
{
	(void)state;
	in_child(no_table_no_entry);
}

/* --- owners --- */

static void vm(void)
{
	struct up_status *st;
	u64 pa;
	long id;

	launch();
	must(hw_dma(0, R_VM_PFN << PAGE_SHIFT, true, &pa));	/* remembered */
	id = r_make_vm();
	must(id >= 0);
	must(!hw_dma(0, R_VM_PFN << PAGE_SHIFT, true, &pa));
	must(hw_dma(0, (R_VM_PFN - 1) << PAGE_SHIFT, true, &pa));
	/* Who asks for the status hears of it, once. */
	must(!r_call(UP_CALL_STATUS, R_LISTS, 0, 0));
	st = phys(R_LISTS << PAGE_SHIFT);
	must(st->iommu == UP_IOMMU_FULL && st->iommu_units == 1 && !st->allow_no_iommu);
	must(st->iommu_faults == 1 && !st->iommu_reason);
	must(!r_call(UP_CALL_STATUS, R_LISTS, 0, 0));
	must(st->iommu_faults == 1);
	r_end_vms();
	must(hw_dma(0, R_VM_PFN << PAGE_SHIFT, true, &pa));
}

static void no_device_reaches_a_vm(void **state)
{
	(void)state;
	in_child(vm);
}

static void breaks(void)
{
	u64 *list;
	u32 i;

	launch();
	list = phys(R_LISTS << PAGE_SHIFT);
	w_insn_mem(EXIT_REASON_VMXON, W_VMXON);
	must(!r_call(UP_CALL_VM_CREATE, 0, 0, 0));
	list[0] = R_VM_PFN;
	list[1] = 0;
	hw.mutant = HW_KEEPS_IOTLB;
	hw.fsts |= FSTS_ITE;		/* its queue does nothing more */
	hw.gsts &= ~GCMD_QIE;
	must(!r_call(UP_CALL_VM_DONATE, 0, R_LISTS, 1));
	for (i = 0; i < 5; i++) {
		r_flush_all();
		must(r_call(UP_CALL_VM_MEASURE, 0, 0, 0) != 0);
	}
	must(FRAME_STATE(frame_entry(R_VM_PFN)) == FRAME_PENDING);
}

static void a_unit_that_does_not_answer_holds_frames_back(void **state)
{
	(void)state;
	in_child(breaks);
}

/* --- where Linux translates --- */

static bool leads(u64 iova, u64 pfn)
{
	u64 pa;

	return hw_dma(0, iova << PAGE_SHIFT, true, &pa) && pa == pfn << PAGE_SHIFT;
}

static void launch_translating(void)
{
	how.translates = how.announces = true;
	launch();
	must(iommu_state() == UP_IOMMU_FULL && iommu_reason() == UP_IOMMU_FINE && nunits == 1);
	must(hw.root == units[0].root_pa && hw.gsts & GCMD_TE);
	must(leads(1, 5) && leads(2, R_VM_PFN));
	must(!leads(3, LAYER_START) && !leads(5, 5));
}

static void announces(void)
{
	launch_translating();
	must(host_reads(VTD_CAP) & CAP_CM);
	*leaf(4) = 6 << PAGE_SHIFT | 3;
	*leaf(1) = 0;
	must(leads(1, 5) && !leads(4, 6));	/* nobody has said so */
	says(TAIL, DESC_IOTLB | DESC_ONE | 9 << 16, 4 << PAGE_SHIFT);
	says(TAIL + 1, DESC_WAIT | WAIT_SW | 78ULL << 32, HOST_STATUS << PAGE_SHIFT);
	must(host_writes(VTD_IQT, (TAIL + 2) * DESC_BYTES) == 1);
	must((u32)*word(HOST_STATUS) == 78 && leads(4, 6) && leads(1, 5));
	says(TAIL + 2, DESC_IOTLB | DESC_DOMAIN | 9 << 16, 0);
	host_writes(VTD_IQT, (TAIL + 3) * DESC_BYTES);
	must(leads(4, 6) && !leads(1, 5));
	*leaf(5) = (LAYER_START + 1) << PAGE_SHIFT | 3;
	says(TAIL + 3, DESC_IOTLB | DESC_GLOBAL, 0);
	host_writes(VTD_IQT, (TAIL + 4) * DESC_BYTES);
	must(!leads(5, LAYER_START + 1));
	must(may_protect());
}

static void donates(void)
{
	long id;

	launch_translating();
	id = r_make_vm();
	must(id >= 0 && !leads(2, R_VM_PFN) && leads(1, 5));
	/* Whatever the driver says. */
	says(TAIL, DESC_IOTLB | DESC_GLOBAL, 0);
	host_writes(VTD_IQT, (TAIL + 1) * DESC_BYTES);
	must(!leads(2, R_VM_PFN));
	r_end_vms();
	says(TAIL + 1, DESC_IOTLB | DESC_GLOBAL, 0);
	host_writes(VTD_IQT, (TAIL + 2) * DESC_BYTES);
	must(leads(2, R_VM_PFN));
}

/* 2 MiB as one, all the host's, and some of them the layer's. */
static void large_pages(void)
{
	launch_translating();
	word(HOST_TOP + 2)[1] = EPT_LARGE | 3;
	word(HOST_TOP + 2)[2] = LAYER_START << PAGE_SHIFT | EPT_LARGE | 3;
	says(TAIL, DESC_IOTLB | DESC_GLOBAL, 0);
	host_writes(VTD_IQT, (TAIL + 1) * DESC_BYTES);
	must(leads(512 + R_VM_PFN, R_VM_PFN) && !leads(1024, LAYER_START));
	must(r_make_vm() >= 0);
	must(!leads(512 + R_VM_PFN, R_VM_PFN) && leads(512 + 5, 5));
}

static void turns_off(void)
{
	launch_translating();
	host_writes(VTD_GCMD, GCMD_QIE | GCMD_IRE);
	must(hw.root == dma_root(&units[0]) && leads(5, 5) && !leads(LAYER_START, LAYER_START));
	host_writes(VTD_GCMD, GCMD_QIE | GCMD_IRE | GCMD_TE);
	must(hw.root == units[0].root_pa && leads(1, 5) && !leads(5, 5));
}

/* Devices pass through, and get tables: by sysfs, or for a user's driver. */
static void group_changes(void)
{
	launch();
	must(hw.root == units[0].root_pa && leads(5, 5) && !leads(LAYER_START, LAYER_START));
	domain_of_linux();
	must(leads(5, 5));	/* nobody has said so */
	says(TAIL, DESC_CONTEXT | DESC_ONE, 0);
	host_writes(VTD_IQT, (TAIL + 1) * DESC_BYTES);
	must(leads(1, 5) && !leads(5, 5) && !leads(3, LAYER_START));
	word(HOST_CONTEXT)[0] = ENTRY_P | CONTEXT_T_PASS << 2;
	says(TAIL + 1, DESC_CONTEXT | DESC_ONE, 0);
	host_writes(VTD_IQT, (TAIL + 2) * DESC_BYTES);
	must(leads(5, 5) && !leads(1, 5));
}

/* As many entries to look at as go into so many pieces, and a domain that ends by them. */
static void root_of_all_buses(void)
{
	u32 i;

	launch_translating();
	for (i = 0; i < 256; i++) {
		word(HOST_ROOT)[2 * i] = HOST_CONTEXT << PAGE_SHIFT | ENTRY_P;
		word(HOST_CONTEXT)[2 * i] = ENTRY_P | CONTEXT_T_PASS << 2;
	}
	must(host_writes(VTD_GCMD, GCMD_TE | GCMD_QIE | GCMD_IRE | GCMD_SRTP) > 16);
	must(!leads(1, 5) && leads(5, 5) && !leads(LAYER_START, LAYER_START));
}

static void what_linux_translates_is_copied_and_checked(void **state)
{
	(void)state;
	in_child(announces);
	in_child(donates);
	in_child(large_pages);
	in_child(turns_off);
	in_child(group_changes);
	in_child(root_of_all_buses);
}

/* --- leaving --- */

static void leaves_translating(void)
{
	launch_translating();
	must(!r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0));
	r_call(UP_CALL_LEAVE, 0, 0, 0);
	must(hw.root == units[0].root_pa);
	r_call(UP_CALL_LEAVE, 0, 0, 0);
	must(r_left(fake_cpu->cpu));
	must(hw.root == HOST_ROOT << PAGE_SHIFT && hw.gsts & GCMD_TE);
}

static void leaves(void)
{
	launch();
	says(TAIL, DESC_WAIT | WAIT_SW | 5ULL << 32, HOST_STATUS << PAGE_SHIFT);
	host_writes(VTD_IQT, (TAIL + 1) * DESC_BYTES);
	must(!r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0));
	must(hw.root == units[0].root_pa);
	must(r_call(UP_CALL_LEAVE, 0, 0, 0) == -UP_EAGAIN);	/* NMIs are blocked first */
	must(hw.root == units[0].root_pa);
	r_call(UP_CALL_LEAVE, 0, 0, 0);
	must(r_left(fake_cpu->cpu));
	must(hw.root == HOST_ROOT << PAGE_SHIFT && hw.gsts & GCMD_TE);
	must(hw.iqa == HOST_QUEUE << PAGE_SHIFT && hw.iqt == (TAIL + 1) * DESC_BYTES);
	must((hw.interrupts & VTD_ADDR) == HOST_IRTA << PAGE_SHIFT && hw.gsts & GCMD_IRE);
	must(!iommu_protects());
}

static void the_first_that_leaves_gives_it_back(void **state)
{
	(void)state;
	in_child(leaves);
	in_child(leaves_translating);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_unit_is_taken),
		cmocka_unit_test(what_cannot_be_taken_stays_linuxs),
		cmocka_unit_test(without_units_nothing_is_protected),
		cmocka_unit_test(with_less_it_is_partial),
		cmocka_unit_test(the_driver_sees_its_unit),
		cmocka_unit_test(a_new_table_is_copied_in_pieces),
		cmocka_unit_test(without_a_table_no_entry_is_copied),
		cmocka_unit_test(no_device_reaches_a_vm),
		cmocka_unit_test(what_linux_translates_is_copied_and_checked),
		cmocka_unit_test(a_unit_that_does_not_answer_holds_frames_back),
		cmocka_unit_test(the_first_that_leaves_gives_it_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
