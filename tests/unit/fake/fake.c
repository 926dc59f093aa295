// SPDX-License-Identifier: GPL-2.0
/* Hardware and the rest of the root image, as far as unit tests need them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vmx/attest/challenge.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"

#define WEAK __attribute__((weak))

struct percpu *fake_cpu;
u8 *fake_ram;
u64 fake_ram_size;
u64 *fake_owner_table;
u8 fake_devices[UP_DEVICE_FRAMES * PAGE_SIZE];
WEAK struct percpu *cpus[UP_MAX_CPUS];
WEAK u32 ncpus;
WEAK struct up_config up_config;

void fake_init(u64 frames, u64 table_frames, u32 n)
{
	u32 i;

	fake_ram_size = frames * PAGE_SIZE;
	fake_ram = mmap(NULL, fake_ram_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	fake_owner_table = calloc(table_frames, sizeof(u64));
	ncpus = n;
	for (i = 0; i < n; i++) {
		cpus[i] = calloc(1, sizeof(struct percpu));
		cpus[i]->self = cpus[i];
		cpus[i]->cpu = i;
		cpus[i]->demoted = true;
	}
	fake_cpu = cpus[0];
}

void fake_free(void)
{
	u32 i;

	munmap(fake_ram, fake_ram_size);
	free(fake_owner_table);
	for (i = 0; i < ncpus; i++)
		free(cpus[i]);
}

static void stop(const char *what, u64 arg)
{
	fprintf(stderr, "fake: %s %llx\n", what, (unsigned long long)arg);
	abort();
}

void *phys(u64 pa)
{
	if (pa >= fake_ram_size)
		stop("address is no RAM", pa);
	return fake_ram + pa;
}

/* Mutation */
const char *fake_mutant;
char fake_sites[FAKE_SITES][FAKE_NAME];

bool fake_skip(const char *file, u32 line, const char *what)
{
	static struct { const char *file, *what; u32 line; } sites[FAKE_SITES];
	const char *base = strrchr(file, '/');
	u32 i;

	for (i = 0; i < FAKE_SITES && sites[i].file; i++)
		if (sites[i].line == line && sites[i].file == file && sites[i].what == what)
			return fake_mutant && !strcmp(fake_mutant, fake_sites[i]);
	if (i == FAKE_SITES)
		stop("too many mutation sites", i);
	sites[i].file = file;
	sites[i].line = line;
	sites[i].what = what;
	snprintf(fake_sites[i], FAKE_NAME, "%s:%u %s", base ? base + 1 : file, line, what);
	return fake_mutant && !strcmp(fake_mutant, fake_sites[i]);
}

/* The rest of the image */
WEAK void up_log(const char *fmt, ...)
{
	(void)fmt;
}

WEAK void up_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "up_panic: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	abort();
}

WEAK bool log_due(void)
{
	return true;
}

WEAK void note_denied(void)
{
}

WEAK void zero_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

WEAK bool page_is_zero(const void *page)
{
	const u8 *p = page;

	return !p[0] && !memcmp(p, p + 1, PAGE_SIZE - 1);
}

/* Hardware that a test has to supply if the code it tests uses it */
#define UNUSED_HW(ret, name, args, result) \
	WEAK ret name args { stop(#name, 0); return result; }
#define UNUSED_HW_VOID(name, args) \
	WEAK void name args { stop(#name, 0); }

#pragma GCC diagnostic ignored "-Wunused-parameter"
UNUSED_HW(u64, rdmsr, (u32 msr), 0)
UNUSED_HW_VOID(wrmsr, (u32 msr, u64 val))
UNUSED_HW(int, rdmsr_safe, (u32 msr, u64 *val), 0)
UNUSED_HW(int, wrmsr_safe, (u32 msr, u64 val), 0)
UNUSED_HW(int, xsetbv_safe, (u32 reg, u64 val), 0)
UNUSED_HW(bool, rdrand, (u64 *word), false)
UNUSED_HW(bool, rdseed, (u64 *word), false)
UNUSED_HW(u64, rdtsc, (void), 0)
/* Where a test has no tickets. */
WEAK bool tickets_wanted(void) { return false; }
WEAK void cpuid(u32 leaf, u32 subleaf, u32 r[4]) { memset(r, 0, 4 * sizeof(*r)); }
UNUSED_HW_VOID(outb, (u16 port, u8 val))
UNUSED_HW(u8, inb, (u16 port), 0)
UNUSED_HW_VOID(port_out, (u16 port, u32 size, u32 val))
UNUSED_HW(u32, port_in, (u16 port, u32 size), 0)
WEAK void cpu_relax(void) { }
UNUSED_HW(int, vmxon, (u64 pa), 0)
UNUSED_HW_VOID(vmxoff, (void))
UNUSED_HW(int, vmclear, (u64 pa), 0)
UNUSED_HW(int, vmptrld, (u64 pa), 0)
UNUSED_HW(u64, vmread, (u32 field), 0)
UNUSED_HW(int, vmwrite, (u32 field, u64 val), 0)
WEAK int fake_invept(u64 type, u64 eptp) { return 0; }
WEAK int fake_invvpid(u64 type, u16 vpid, u64 gla) { return 0; }
#define CR(n) \
	UNUSED_HW(u64, read_##n, (void), 0) \
	UNUSED_HW_VOID(write_##n, (u64 val))
CR(cr0) CR(cr2) CR(cr3) CR(cr4) CR(cr8)
CR(dr0) CR(dr1) CR(dr2) CR(dr3) CR(dr6) CR(dr7)
UNUSED_HW(u64, xgetbv, (u32 reg), 0)
UNUSED_HW_VOID(xsetbv, (u32 reg, u64 val))
UNUSED_HW_VOID(xsave64, (void *area, u64 mask))
UNUSED_HW_VOID(xrstor64, (const void *area, u64 mask))
WEAK void wbinvd(void) { }
WEAK void verw(u16 selector) { }
WEAK void fill_rsb(void) { }
WEAK void flush_lines(const void *page, bool opt) { }
WEAK void read_l1d(const u8 *table) { }
WEAK void cpu_halt_forever(void) { stop("halted", 0); }
