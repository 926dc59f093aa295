// SPDX-License-Identifier: GPL-2.0
/* The launch measurement of a protected VM (vmx/abi/call.h says what it is). */
#include "vmx/vm/vm.h"
#include "vmx/vm/call.h"
#include "vmx/vm/ticket.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"
#include "ept/binding.h"
#include "ept/transition.h"

#define MEASURE_FRAMES	64	/* frames looked at by one call ... */
#define MEASURE_HASHED	4	/* ... of which so many are not zero */

/* One record of the measurement.  Return: true if the content had to be hashed. */
static bool measure_frame(struct vm *vm, u64 gfn, u64 pfn)
{
	static const u8 zero_digest[32] = {	/* SHA-256 of 4096 zero bytes */
		0xad, 0x7f, 0xac, 0xb2, 0x58, 0x6f, 0xc6, 0xe9, 0x66, 0xc0, 0x04, 0xd7, 0xd1,
		0xd1, 0x6b, 0x02, 0x4f, 0x58, 0x05, 0xff, 0x7c, 0xb4, 0x7c, 0x7a, 0x85, 0xda,
		0xbd, 0x8b, 0x48, 0x89, 0x2c, 0xa7,
	};
	const void *page = phys(pfn << PAGE_SHIFT);
	struct {
		u64 gfn;
		u8 digest[32];
	} record = { .gfn = gfn };
	struct sha256 s;
	bool zero;

	frame_flush(pfn);
	zero = page_is_zero(page);

	if (zero) {
		memcpy(record.digest, zero_digest, 32);
	} else {
		sha256_init(&s);
		sha256_update(&s, page, PAGE_SIZE);
		sha256_final(&s, record.digest);
	}
	sha256_update(&vm->hash, &record, sizeof(record));
	vm->frames_measured++;
	return !zero;
}

bool vm_next_frame(struct vm *vm, u64 *gfn, u64 *pfn)
{
	bool found;

	spin_lock(&frames_lock);
	found = binding_next(&vm->own, gfn, pfn);
	spin_unlock(&frames_lock);
	return found;
}

/* Where a ticket is missing nothing has changed: the host may bring one, and call again. */
static long finish(struct vm *vm)
{
	struct sha256 s = vm->hash;
	u8 measurement[32];

	sha256_final(&s, measurement);
	if (!ticket_admits(vm, measurement))
		return -UP_EPERM;
	memcpy(vm->measurement, measurement, sizeof(measurement));
	WRITE_ONCE(vm->own.state, UP_VM_RUNNABLE);
	return 0;
}

/* From here on no frame comes or goes until all are hashed. */
static long measure(struct vm *vm)
{
	u32 n, hashed = 0;
	u64 gfn, pfn;

	if (vm->own.state == UP_VM_BUILDING) {
		if (!vm->nvcpus)
			return -UP_ENOENT;
		if (vm_commit(&vm->own))
			return -UP_EAGAIN;
		WRITE_ONCE(vm->own.state, UP_VM_MEASURING);
		return -UP_EAGAIN;
	}
	if (vm->own.state != UP_VM_MEASURING)
		return -UP_EBUSY;
	for (n = 0; n < MEASURE_FRAMES && hashed < MEASURE_HASHED; n++) {
		gfn = vm->gfn_cursor;
		if (!vm_next_frame(vm, &gfn, &pfn))
			return n ? -UP_EAGAIN : finish(vm);
		hashed += measure_frame(vm, gfn, pfn);
		vm->gfn_cursor = gfn + 1;
	}
	return -UP_EAGAIN;
}

long call_vm_measure(struct percpu *cpu)
{
	struct vm *vm = vm_lock(cpu->gpr[RBX]);
	long err;

	if (!vm)
		return -UP_ENOENT;
	err = measure(vm);
	cpu->gpr[RBX] = vm->frames_measured;
	vm_unlock(vm);
	return err;
}

