/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest firmware's parts.  Everything that comes from the host — sizes, file
 * contents, DMA status, even the presence of a layer — is taken for hostile.
 */
#ifndef GUEST_FW_H
#define GUEST_FW_H

#include "vmx/base/types.h"

#define barrier()	__asm__ __volatile__("" ::: "memory")
#include "layout.h"

/* start.S, and what it calls */
struct trap;

extern const u8 trap_entries[32][16];
extern const u8 guest_call_insn[];
s64 guest_call(u64 op, u64 rbx, u64 rcx, u64 *out_rbx);
void __noreturn enter_kernel(u64 entry, void *boot_params);
void __noreturn triple_fault(void);
void fw_main(void);
void trap(struct trap *t);

/* console.c: COM1, polled, one byte an OUT */
void say(const char *text);
void say_hex(u64 value, unsigned int digits);
void say_dec(u64 value);
void say_digest(const char *name, const u8 digest[32]);

/**
 * fail() - say what failed and why, then reset the machine
 *
 * The firmware never goes on after a check has failed: a kernel that was half
 * loaded, or hashed as something that it is not, must not run.
 */
void __noreturn fail(const char *what, const char *why);

/* trap.c */
void trap_init(void);

/* processor.c */
void processor_set_up(bool ghci);
void processors_prepare(void);

/* pm.c */
void pm_set_up(void);

/* layer.c: the layer beneath, if there is one */
void layer_find(void);
bool layer_present(void);
void layer_share(void);
void layer_unshare(void);
u32 layer_ghci(void);
void layer_report(unsigned int index, const u8 digest[32]);

/* Selectors of fw_cfg that the firmware reads (QEMU docs/specs/fw_cfg.rst). */
enum fwcfg_key {
	FWCFG_SIGNATURE		= 0x00,
	FWCFG_ID		= 0x01,
	FWCFG_KERNEL_SIZE	= 0x08,
	FWCFG_INITRD_SIZE	= 0x0b,
	FWCFG_KERNEL_DATA	= 0x11,
	FWCFG_INITRD_DATA	= 0x12,
	FWCFG_CMDLINE_SIZE	= 0x14,
	FWCFG_CMDLINE_DATA	= 0x15,
	FWCFG_SETUP_SIZE	= 0x17,
	FWCFG_SETUP_DATA	= 0x18,
	FWCFG_FILE_DIR		= 0x19,
};

struct sha256;

void fwcfg_open(void);
void fwcfg_close(void);
u32 fwcfg_u32(enum fwcfg_key key);
void fwcfg_read(u16 key, void *dst, u64 len, struct sha256 *hash);
bool fwcfg_find(const char *name, u16 *key, u32 *size);

#ifdef FW_HOSTED	/* in user space, where a test plays the host */
void outb(u16 port, u8 value);
void outw(u16 port, u16 value);
void outl(u16 port, u32 value);
u8 inb(u16 port);
#else
static inline void outb(u16 port, u8 value)
{
	__asm__ __volatile__("outb %0, %1" : : "a" (value), "Nd" (port) : "memory");
}

static inline void outw(u16 port, u16 value)
{
	__asm__ __volatile__("outw %0, %1" : : "a" (value), "Nd" (port) : "memory");
}

static inline void outl(u16 port, u32 value)
{
	__asm__ __volatile__("outl %0, %1" : : "a" (value), "Nd" (port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 value;

	__asm__ __volatile__("inb %1, %0" : "=a" (value) : "Nd" (port) : "memory");
	return value;
}
#endif

#endif /* GUEST_FW_H */
