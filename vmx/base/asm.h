/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instructions that C cannot express.  The user-space build of the root
 * logic puts tests/unit/fake/asm.h before this file in the include path: every
 * touch of hardware by the root image is one of these functions.
 */
#ifndef VMX_ASM_H
#define VMX_ASM_H

#include "vmx/base/types.h"
#include "vmx/abi/image.h"
#include "vmx/base/percpu.h"
#include "vmx/base/x86.h"

static inline struct percpu *this_cpu(void)
{
	struct percpu *cpu;

	__asm__("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/**
 * phys() - pointer to a physical address through the layer's direct map
 * @pa: physical address of RAM; anything else faults and stops the layer
 */
static inline void *phys(u64 pa)
{
	return (void *)(UP_DIRECT_BASE + pa);
}

/**
 * mask_below() - all ones if @a < @b, else zero, without a branch to mispredict
 *
 * What a host's number passes a check with is masked by this, so that a processor that
 * runs ahead of the check finds nothing (Spectre v1).  Assembly, since a compiler would
 * see that the check makes it needless.
 */
static inline u64 mask_below(u64 a, u64 b)
{
	u64 mask;

	__asm__("cmp %1, %2; sbb %0, %0" : "=r"(mask) : "rm"(b), "r"(a) : "cc");
	return mask;
}

/** index_below() - @i if it is below @n, else 0; a remainder a compiler would leave out */
static inline u64 index_below(u64 i, u64 n)
{
	return i & mask_below(i, n);
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ __volatile__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 val)
{
	__asm__ __volatile__("wrmsr" : : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
}

/**
 * rdmsr_safe(), wrmsr_safe() - as above, but a #GP is reported
 * Return: 0, or -UP_EIO when the processor raised #GP (vmx/exit/entry.S, fixup table)
 */
int rdmsr_safe(u32 msr, u64 *val);
int wrmsr_safe(u32 msr, u64 val);
int xsetbv_safe(u32 reg, u64 val);

/**
 * rdrand(), rdseed() - 64 random bits
 * Return: false: there are none now
 */
static inline bool rdrand(u64 *word)
{
	bool good;

	__asm__ __volatile__("rdrand %0" : "=r"(*word), "=@ccc"(good));
	return good;
}

static inline bool rdseed(u64 *word)
{
	bool good;

	__asm__ __volatile__("rdseed %0" : "=r"(*word), "=@ccc"(good));
	return good;
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static inline void cpuid(u32 leaf, u32 subleaf, u32 r[4])
{
	__asm__ __volatile__("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			     : "a"(leaf), "c"(subleaf));
}

static inline void outb(u16 port, u8 val)
{
	__asm__ __volatile__("outb %0, %1" : : "a"(val), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 val;

	__asm__ __volatile__("inb %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

/* @size: 1, 2 or 4 bytes */
static inline void port_out(u16 port, u32 size, u32 val)
{
	if (size == 1)
		outb(port, (u8)val);
	else if (size == 2)
		__asm__ __volatile__("outw %w0, %w1" : : "a"(val), "Nd"(port));
	else
		__asm__ __volatile__("outl %0, %w1" : : "a"(val), "Nd"(port));
}

static inline u32 port_in(u16 port, u32 size)
{
	u32 val = 0;

	if (size == 1)
		val = inb(port);
	else if (size == 2)
		__asm__ __volatile__("inw %w1, %w0" : "+a"(val) : "Nd"(port));
	else
		__asm__ __volatile__("inl %w1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline void cpu_relax(void)
{
	__asm__ __volatile__("pause" ::: "memory");
}

/*
 * VMX instructions (SDM vol. 3, chapter 31).  The int functions return 0 on
 * success, -1 for VMfailInvalid and -2 for VMfailValid.
 */
#define VMX_INSN_STATUS(insn, ...) \
	({ \
		bool cf_, zf_; \
		__asm__ __volatile__(insn : "=@ccc"(cf_), "=@ccz"(zf_) \
				     : __VA_ARGS__ : "memory"); \
		cf_ ? -1 : zf_ ? -2 : 0; \
	})

static inline int vmxon(u64 pa)
{
	return VMX_INSN_STATUS("vmxon %2", "m"(pa));
}

static inline void vmxoff(void)
{
	__asm__ __volatile__("vmxoff" ::: "cc", "memory");
}

static inline int vmclear(u64 pa)
{
	return VMX_INSN_STATUS("vmclear %2", "m"(pa));
}

static inline int vmptrld(u64 pa)
{
	return VMX_INSN_STATUS("vmptrld %2", "m"(pa));
}

static inline u64 vmread(u32 field)
{
	u64 val;

	__asm__ __volatile__("vmread %1, %0" : "=rm"(val) : "r"((u64)field) : "cc");
	return val;
}

/* Return: nonzero if it failed: a bug of the layer's, or a field that is absent. */
static inline int vmwrite(u32 field, u64 val)
{
	bool cf, zf;

	/* No memory is touched: values may stay in registers from one to the next. */
	__asm__ __volatile__("vmwrite %2, %3" : "=@ccc"(cf), "=@ccz"(zf)
			     : "rm"(val), "r"((u64)field));
	return cf ? -1 : zf ? -2 : 0;
}

struct inv_desc {
	u64 a, b;
};

/* type: 1 single context, 2 all contexts (SDM vol. 3, INVEPT) */
static inline int invept(u64 type, u64 eptp)
{
	struct inv_desc d = { eptp, 0 };

	return VMX_INSN_STATUS("invept %2, %3", "m"(d), "r"(type));
}

/* type: 0 address, 1 single context, 2 all contexts (SDM vol. 3, INVVPID) */
static inline int invvpid(u64 type, u16 vpid, u64 gla)
{
	struct inv_desc d = { vpid, gla };

	return VMX_INSN_STATUS("invvpid %2, %3", "m"(d), "r"(type));
}

#define DEFINE_REG(name) \
static inline u64 read_##name(void) \
{ \
	u64 val; \
	__asm__ __volatile__("mov %%" #name ", %0" : "=r"(val)); \
	return val; \
} \
static inline void write_##name(u64 val) \
{ \
	__asm__ __volatile__("mov %0, %%" #name : : "r"(val) : "memory"); \
}

DEFINE_REG(cr0)
DEFINE_REG(cr2)
DEFINE_REG(cr3)
DEFINE_REG(cr4)
DEFINE_REG(dr0)
DEFINE_REG(dr1)
DEFINE_REG(dr2)
DEFINE_REG(dr3)
DEFINE_REG(dr6)
DEFINE_REG(dr7)

static inline u64 xgetbv(u32 reg)
{
	u32 lo, hi;

	__asm__ __volatile__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(reg));
	return (u64)hi << 32 | lo;
}

static inline void xsetbv(u32 reg, u64 val)
{
	__asm__ __volatile__("xsetbv" : : "c"(reg), "a"((u32)val), "d"((u32)(val >> 32)));
}

/* area: 64-byte aligned, as large as CPUID.0DH says */
static inline void xsave64(void *area, u64 mask)
{
	__asm__ __volatile__("xsave64 (%0)" : : "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
			     : "memory");
}

static inline void xrstor64(const void *area, u64 mask)
{
	__asm__ __volatile__("xrstor64 (%0)" : : "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
			     : "memory");
}

static inline void wbinvd(void)
{
	__asm__ __volatile__("wbinvd" ::: "memory");
}

/* Clears the buffers that MDS reads, where the processor says so (MD_CLEAR). */
static inline void verw(u16 selector)
{
	__asm__ __volatile__("verw %0" : : "m"(selector) : "cc", "memory");
}

/*
 * Fills the return stack buffer with this place: a RET that it predicts for goes nowhere,
 * and not where the one who ran before has called from.
 */
static inline void fill_rsb(void)
{
	__asm__ __volatile__(".rept 32\n\tcall 1f\n\tint3\n1:\n\t.endr\n\tadd $256, %%rsp"
			     ::: "cc", "memory");
}

/* The lines of a page, written back and forgotten by every cache; @opt: CLFLUSHOPT exists. */
static inline void flush_lines(const void *page, bool opt)
{
	const u8 *p;

	for (p = page; p < (const u8 *)page + PAGE_SIZE; p += CACHE_LINE) {
		if (opt)
			__asm__ __volatile__("clflushopt %0" : : "m"(*p) : "memory");
		else
			__asm__ __volatile__("clflush %0" : : "m"(*p) : "memory");
	}
	__asm__ __volatile__("mfence" ::: "memory");
}

#define L1D_READ	0x10000		/* twice what any processor with L1TF has */

/*
 * What IA32_FLUSH_CMD does, on processors without it: other lines take the place of all
 * that was there.  A first pass fills the TLB, whose misses would load lines, too.
 */
static inline void read_l1d(const u8 *table)
{
	u32 i;

	for (i = 0; i < L1D_READ; i += PAGE_SIZE)
		READ_ONCE(table[i]);
	__asm__ __volatile__("lfence" ::: "memory");
#pragma GCC unroll 16
	for (i = 0; i < L1D_READ; i += CACHE_LINE)
		READ_ONCE(table[i]);
	__asm__ __volatile__("lfence" ::: "memory");
}

static inline void cpu_halt_forever(void)
{
	for (;;)
		__asm__ __volatile__("cli; hlt" ::: "memory");
}

#endif /* VMX_ASM_H */
