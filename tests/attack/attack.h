/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The attack tests: each attack is one row (docs/attacks.md has the same number),
 * tried first on a VM beneath the layer that is not protected, where it must
 * succeed, and then on a protected one, where it must not.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/kvm.h>
#include "abi.h"

#define PAGE		4096u
#define RAM_SIZE	(4u << 20)
#define RAM_PAGES	(RAM_SIZE / PAGE)
#define ROM_SIZE	65536u
#define ROM_PAGES	(ROM_SIZE / PAGE)
#define ROM_GPA		0xffff0000u
#define SECRET_GPA	0x200000u	/* tests/guest/tiny-fw.S */
#define SHARED_GPA	0x300000u
#define SPARE_GPA	0x380000u	/* the VM never touches it */
#define DEVICE_GPA	0x800000u	/* no memory: a device that reads zero */
#define LOG_SIZE	(1u << 18)
#define ARG_SIZE	16384u

/* What a victim is made of and what it says; shared by the driver and its process. */
struct shared {
	int cmd, pause, paused, ended, deaf;
	int (*fn)(struct shared *sh, void *arg);
	int ret;
	int id;				/* of the protected VM */
	int ready;
	int vcpus;			/* 1, or 2 */
	int kvm, vm, vcpu, other;	/* descriptors in the process */
	uint8_t *ram, *rom;		/* addresses in the process */
	struct kvm_run *run;
	struct atk_secret half;
	char key;			/* a character for the VM's COM1 */
	uint32_t nlog;
	char log[LOG_SIZE];
	uint8_t arg[ARG_SIZE] __attribute__((aligned(16)));
	uint8_t page[PAGE];
};

struct victim {
	struct shared *sh;
	pid_t pid;
	bool protected;
	bool loose;		/* frames may have gone to others since */
	bool ghci;		/* it speaks the GHCI, if it is protected */
	uint64_t pfn[RAM_PAGES + ROM_PAGES];
};

typedef int (*victim_fn)(struct shared *sh, void *arg);

#define FRESH	1u	/* takes a VM of its own, not started yet */
#define TAINTS	2u	/* an unprotected VM is of no more use */
#define ENDS	4u	/* so is a protected one */
#define ALONE	8u	/* the unprotected VM's turn is without any protected one */
#define SMP	16u	/* needs two processors; the others run on one */
#define DEVICE	32u	/* needs a device that reads and writes memory */
#define GHCI	64u	/* takes a VM that speaks the GHCI, and does the same without a layer */
#define PAIR	128u	/* takes a VM with two vCPUs: FRESH */

struct attack {
	int number;
	const char *name;
	bool (*act)(struct victim *v);	/* true: the attack reached its aim */
	unsigned int flags;
};

extern const struct attack user_attacks[], tool_attacks[], host_attacks[], vcpu_attacks[],
			   table_attacks[], call_attacks[], smp_attacks[], end_attacks[],
			   qemu_attacks[], device_attacks[], unit_attacks[], ghci_attacks[];

extern int attack_fd, underpin_fd;
#define LAYER_PFNS	64
extern uint64_t layer_pfn[LAYER_PFNS];	/* some frames of the layer's */
extern unsigned int layer_pfns;

/* note() - a comment for whoever reads the report */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* qemu_end() - end the QEMUs that attacks have started */
void qemu_end(void);

/* device_there() - is there a device that attacks?  It is made ready. */
bool device_there(void);

/* What it does then: EDU_BYTES from or to @pa.  device_read(): into the page it returns. */
uint64_t *device_read(uint64_t pa);
void device_write(uint64_t pa, uint64_t word);
bool device_finds_secret(struct victim *v, uint64_t pa);
uint64_t device_page(void);	/* where that page is */
unsigned int device_rid(void);	/* bus, device and function */

/* victim.c */
struct victim *victim_start(bool protect, bool run, int vcpus, const struct atk_secret *half);
void victim_protect(struct victim *v);	/* one that has been started without */
void victim_kill(struct victim *v);
uint64_t victim_release(struct victim *v);	/* returns frames that were not zeroed */
int victim_do(struct victim *v, victim_fn fn, const void *arg, size_t len);
void victim_frames(struct victim *v);	/* learn frames that it has got since */
void victim_pause(struct victim *v);
void victim_resume(struct victim *v);
void victim_io(struct shared *sh, struct kvm_run *run);	/* in the process: serve it */
bool victim_well(struct victim *v, int checks);	/* it passes so many checks of its own */
static inline bool disturbed(struct victim *v)
{
	return !victim_well(v, 3);
}

uint64_t pfn_of(const struct victim *v, uint64_t gpa);
uint64_t pagemap(pid_t pid, const void *hva);
uint64_t now_ms(void);
void nap(unsigned int ms);

/* has_secret() - does the buffer hold some of this VM's secret? */
bool has_secret(const struct victim *v, const void *buf, size_t len);

/* "attack cost [protected]": what a doorbell and a device's register take, for tests/bench */
int ghci_cost(bool protect, const struct atk_secret *half);

/* module calls */
int mem_read(uint64_t pa, void *buf, uint32_t len, uint32_t way);
int mem_write(uint64_t pa, const void *buf, uint32_t len, uint32_t way);
struct atk_call layer_call(uint64_t op, uint64_t a, uint64_t b, uint64_t c);
uint64_t module_page(void);
uint16_t pm1_cnt(void);		/* the ACPI sleep port */
uint64_t rdmsr(uint32_t index);
bool wrmsr(uint32_t index, uint64_t val);

/* smp.c: stores by another processor, and on which this process runs */
void stay_on(int cpu);
void hammer_start(const struct atk_hammer *h);
void hammer_stop(struct atk_hammer *h);

/* VMs made and taken apart by calls alone (calls.c) */
uint64_t call_create(void);
void call_end(uint64_t id);

int run_vcpu(struct victim *v, struct atk_run *r);
void run_describe(const struct victim *v, const struct atk_run *r);
bool run_disturbs(const struct victim *v, const struct atk_run *r);

/* ghci.c: a command for the firmware.  Return: which answer came, with so many characters; or 0 */
char tell(struct victim *v, const char *keys, const char *answers, char *text, unsigned int len);

#endif /* ATTACK_H */
