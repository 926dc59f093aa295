// SPDX-License-Identifier: GPL-2.0
/* A hostile ordinary VM, run by a hostile KVM that passes everything through. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>
#include "hostile.h"

#define CODE		0x1000
#define MEMORY		(HOSTILE_PAGES * PAGE)
#define EXIT_HLT	12

extern const char hostile_code[], hostile_end[], hostile_fault[];

/* si: where to go on after a fault; bp: entries left; di: the entry */
__asm__(".section .rodata\n .code16\n"
	"hostile_code:\n"
	"	out %al, $0xf0\n"
	"1:	mov 0x500, %al\n"
	"	mov 0x600, %bp\n"
	"	mov $0x610, %di\n"
	"	cmp $1, %al\n	je 10f\n"
	"	cmp $2, %al\n	je 20f\n"
	"	cmp $3, %al\n	je 30f\n"
	"	cmp $4, %al\n	je 40f\n"
	"9:	hlt\n"
	"	jmp 1b\n"
	/* copy a page */
	"10:	cld\n"
	"	mov $0x8000, %si\n"
	"	mov $0x7000, %di\n"
	"	mov $1024, %cx\n"
	"	rep movsl\n"
	"	jmp 9b\n"
	/* MSRs */
	"20:	test %bp, %bp\n	jz 9b\n"
	"	movl (%di), %ecx\n"
	"	movl 8(%di), %eax\n"
	"	xorl %edx, %edx\n"
	"	movl $1, 12(%di)\n"
	"	mov $(23f - hostile_code + 0x1000), %si\n"
	"	cmpl $0, 4(%di)\n	jne 21f\n"
	"	rdmsr\n"
	"	movl %eax, 8(%di)\n"
	"	jmp 22f\n"
	"21:	wrmsr\n"
	"22:	movl $0, 12(%di)\n"
	"23:	add $16, %di\n"
	"	dec %bp\n"
	"	jmp 20b\n"
	/* ports */
	"30:	test %bp, %bp\n	jz 9b\n"
	"	movl (%di), %edx\n"
	"	movl 8(%di), %eax\n"
	"	movl $1, 12(%di)\n"
	"	mov $(33f - hostile_code + 0x1000), %si\n"
	"	cmpl $0, 4(%di)\n	jne 31f\n"
	"	in %dx, %ax\n"
	"	movl %eax, 8(%di)\n"
	"	jmp 32f\n"
	"31:	out %ax, %dx\n"
	"32:	movl $0, 12(%di)\n"
	"33:	add $16, %di\n"
	"	dec %bp\n"
	"	jmp 30b\n"
	/* calls of the layer: eax = index, ebx = value */
	"40:	test %bp, %bp\n	jz 9b\n"
	"	movl (%di), %eax\n"
	"	movl 8(%di), %ebx\n"
	"	xorl %ecx, %ecx\n"
	"	vmcall\n"
	"	movl %eax, 12(%di)\n"
	"	add $16, %di\n"
	"	dec %bp\n"
	"	jmp 40b\n"
	"hostile_fault:\n"
	"	add $6, %sp\n"
	"	jmp *%si\n"
	"hostile_end:\n"
	".code64\n .text\n");

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void set_registers(struct shared *sh)
{
	struct kvm_regs regs = { .rip = CODE, .rsp = 0x4000, .rflags = 2 };
	struct kvm_sregs sregs;

	must(ioctl(sh->vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	must(ioctl(sh->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(ioctl(sh->vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void make_vm(struct shared *sh)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	uint16_t fault = (uint16_t)(hostile_fault - hostile_code + CODE);
	int size;

	sh->kvm = must(open("/dev/kvm", O_RDWR), "/dev/kvm");
	sh->vm = must(ioctl(sh->kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	sh->ram = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	madvise(sh->ram, MEMORY, MADV_NOHUGEPAGE);
	memcpy(sh->ram + CODE, hostile_code, (size_t)(hostile_end - hostile_code));
	memcpy(sh->ram + 4 * 6, &fault, 2);
	memcpy(sh->ram + 4 * 13, &fault, 2);
	region.userspace_addr = (uintptr_t)sh->ram;
	must(ioctl(sh->vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	sh->vcpu = must(ioctl(sh->vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	size = must(ioctl(sh->kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	sh->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, sh->vcpu, 0);
	set_registers(sh);
	must(ioctl(sh->vcpu, KVM_RUN, 0), "KVM_RUN");
	sh->run->immediate_exit = 1;
	ioctl(sh->vcpu, KVM_RUN, 0);
	sh->paused = 1;
}

static void hostile_main(struct shared *sh)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGUSR1, SIG_IGN);
	make_vm(sh);
	sh->ready = 1;
	for (;;) {
		if (__atomic_load_n(&sh->cmd, __ATOMIC_ACQUIRE)) {
			sh->ret = sh->fn(sh, sh->arg);
			__atomic_store_n(&sh->cmd, 0, __ATOMIC_RELEASE);
		}
		usleep(300);
	}
}

struct victim *hostile_start(void)
{
	struct victim *o = calloc(1, sizeof(*o));
	uint64_t end = now_ms() + 10000;
	unsigned int i;

	o->sh = mmap(NULL, sizeof(*o->sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	o->sh->pause = 2;
	o->pid = fork();
	if (!o->pid)
		hostile_main(o->sh);
	while (!__atomic_load_n(&o->sh->ready, __ATOMIC_ACQUIRE) && now_ms() < end)
		nap(1);
	if (!o->sh->ready)
		errx(1, "the hostile VM does not start");
	for (i = 0; i < HOSTILE_PAGES; i++)
		o->pfn[i] = pagemap(o->pid, o->sh->ram + i * PAGE);
	return o;
}

uint64_t hostile_eptp(struct victim *o, uint64_t pfn)
{
	uint64_t pairs[HOSTILE_PAGES][2], i;
	struct atk_ept t = { .pairs = (uintptr_t)pairs, .count = HOSTILE_PAGES };

	for (i = 0; i < HOSTILE_PAGES; i++) {
		pairs[i][0] = i;
		pairs[i][1] = i == HOSTILE_GFN ? pfn : o->pfn[i];
	}
	must(ioctl(attack_fd, ATK_EPT, &t), "ATK_EPT");
	return t.eptp;
}

bool hostile_run(struct victim *o, enum hostile_what what, struct atk_run *r)
{
	uint8_t byte = what;

	o->sh->pause = 2;	/* it never runs by itself */
	mem_write(o->pfn[0] * PAGE + HOSTILE_WHAT, &byte, 1, ATK_DIRECT);
	if (!r->eptp)
		r->eptp = hostile_eptp(o, o->pfn[HOSTILE_GFN]);
	r->stop = EXIT_HLT;
	r->exits = 50;
	run_vcpu(o, r);
	note("the hostile VM: %u exits, last reason %#x, address %#llx%s, error %u", r->exits,
	     r->reason, r->gpa, r->failed ? ", its entry failed" : "", r->error);
	return !r->failed && r->reason == EXIT_HLT;
}

void hostile_table(struct victim *o, struct hostile_entry *e, unsigned int n)
{
	uint16_t count = (uint16_t)n;
	uint64_t pa = o->pfn[0] * PAGE + HOSTILE_TABLE;

	mem_write(pa, &count, 2, ATK_DIRECT);
	mem_write(pa + 16, e, n * sizeof(*e), ATK_DIRECT);
}

void hostile_result(struct victim *o, struct hostile_entry *e, unsigned int n)
{
	mem_read(o->pfn[0] * PAGE + HOSTILE_TABLE + 16, e, n * sizeof(*e), ATK_DIRECT);
}
