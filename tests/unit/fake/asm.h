/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hardware for the user-space build of the root logic.  Compile with
 * -include and this file: the guard keeps vmx/base/asm.h out.
 *
 * Memory is one malloc'ed block from physical address 0 (fake_ram).  Functions
 * that are declared here and not in fake.c are for each test to define as it
 * needs them; fake.c has weak ones that stop the test.
 */
#ifndef VMX_ASM_H
#define VMX_ASM_H

#include "vmx/base/types.h"
#include "vmx/abi/image.h"
#include "vmx/base/percpu.h"

/* The CPU that runs the code under test now. */
extern struct percpu *fake_cpu;

static inline struct percpu *this_cpu(void)
{
	return fake_cpu;
}

extern u8 *fake_ram;
extern u64 fake_ram_size;

/* fake_init() - @frames frames of RAM, an owner table for @table_frames, @n CPUs */
void fake_init(u64 frames, u64 table_frames, u32 n);
void fake_free(void);

/* The layer has to stop when it uses an address that is no RAM: so does the test. */
void *phys(u64 pa);

/* The owner table, instead of UP_TABLE_BASE. */
extern u64 *fake_owner_table;
#define OWNER_TABLE fake_owner_table

/* Registers of devices, instead of UP_MMIO_BASE. */
extern u8 fake_devices[];
#define DEVICE_MAP fake_devices

static inline u64 mask_below(u64 a, u64 b)
{
	return a < b ? ~0ULL : 0;
}

static inline u64 index_below(u64 i, u64 n)
{
	return i & mask_below(i, n);
}

u64 rdmsr(u32 msr);
void wrmsr(u32 msr, u64 val);
int rdmsr_safe(u32 msr, u64 *val);
int wrmsr_safe(u32 msr, u64 val);
int xsetbv_safe(u32 reg, u64 val);
bool rdrand(u64 *word);
bool rdseed(u64 *word);
u64 rdtsc(void);
void cpuid(u32 leaf, u32 subleaf, u32 r[4]);
void outb(u16 port, u8 val);
u8 inb(u16 port);
void port_out(u16 port, u32 size, u32 val);
u32 port_in(u16 port, u32 size);
void cpu_relax(void);

int vmxon(u64 pa);
void vmxoff(void);
int vmclear(u64 pa);
int vmptrld(u64 pa);
u64 vmread(u32 field);
int vmwrite(u32 field, u64 val);

struct inv_desc {
	u64 a, b;
};

int fake_invept(u64 type, u64 eptp);
int fake_invvpid(u64 type, u16 vpid, u64 gla);
#define invept(type, eptp) \
	(fake_skip(__FILE__, __LINE__, "invept") ? 0 : fake_invept(type, eptp))
#define invvpid(type, vpid, gla) fake_invvpid(type, vpid, gla)

/*
 * Mutation: fake_skip() is true at the one place that fake_mutant names, for
 * example "host.c:12 flush_done"; fake_sites lists the places reached so far.
 */
#define FAKE_SITES	64
#define FAKE_NAME	64
extern const char *fake_mutant;
extern char fake_sites[FAKE_SITES][FAKE_NAME];
bool fake_skip(const char *file, u32 line, const char *what);

u64 read_cr0(void);
u64 read_cr2(void);
u64 read_cr3(void);
u64 read_cr4(void);
u64 read_cr8(void);
void write_cr0(u64 val);
void write_cr2(u64 val);
void write_cr3(u64 val);
void write_cr4(u64 val);
void write_cr8(u64 val);
u64 read_dr0(void);
u64 read_dr1(void);
u64 read_dr2(void);
u64 read_dr3(void);
u64 read_dr6(void);
u64 read_dr7(void);
void write_dr0(u64 val);
void write_dr1(u64 val);
void write_dr2(u64 val);
void write_dr3(u64 val);
void write_dr6(u64 val);
void write_dr7(u64 val);
u64 xgetbv(u32 reg);
void xsetbv(u32 reg, u64 val);
void xsave64(void *area, u64 mask);
void xrstor64(const void *area, u64 mask);
void wbinvd(void);
void verw(u16 selector);
void fill_rsb(void);
void flush_lines(const void *page, bool opt);
void read_l1d(const u8 *table);
void cpu_halt_forever(void);

#ifdef FAKE_MUTANTS
/* ept/flush.c itself is compiled without. */
#include "ept/flush.h"
#include "vmx/base/lib.h"
#define zero_page(page) \
	(fake_skip(__FILE__, __LINE__, "zero_page") ? (void)0 : (zero_page)(page))
#define flush_done(ticket) \
	(fake_skip(__FILE__, __LINE__, "flush_done") ? true : (flush_done)(ticket))
#define flush_ticket() \
	(fake_skip(__FILE__, __LINE__, "flush_ticket") ? 0 : (flush_ticket)())
#endif

#endif /* VMX_ASM_H */
