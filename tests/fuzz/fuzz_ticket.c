// SPDX-License-Identifier: GPL-2.0
/*
 * Tickets that a hostile host brings, signed and not, edited anywhere, early and late: what the
 * layer takes was signed by the authority as it is, for here and now; and a VM that is measured to
 * its end has one that names it.
 *
 * Input: records of a byte that says what is done, and its arguments.
 */
#include "root_fuzz.h"
#include "vmx/attest/key.h"
#include "vmx/base/sha256.h"
#include "vmx/sign/ed25519.h"

#define MAX_STEPS	24
#define PAGE		R_LISTS
#define FRAMES		2
#define LIFETIME	1000

static const u8 seed[32] = "the authority";
static struct up_ticket good, now, taken;	/* what fits, what is brought, what was taken */
static struct up_ticket endorsed[MAX_STEPS];	/* all that the authority has signed */
static u32 endorsements;
static u64 made;				/* when its challenge was */
static bool challenged, have_vm;
static u8 measurement[32];

void r_configure(void)
{
	struct ed25519_key key;

	ed25519_make_key(&key, seed);
	memcpy(up_config.authority, key.public, sizeof(up_config.authority));
	memset(up_config.host, 0x40, sizeof(up_config.host));
}

static void build(void)
{
	u64 *list = phys(PAGE << PAGE_SHIFT), i;
	struct sha256 s;

	w_insn_mem(EXIT_REASON_VMXON, W_VMXON);
	r_expect(!r_call(UP_CALL_VM_CREATE, 0, 0, 0) && !r_answer(RBX), "no VM");
	for (i = 0; i < FRAMES; i++) {
		list[2 * i] = R_VM_PFN + i;
		list[2 * i + 1] = i;
	}
	r_expect(!r_call(UP_CALL_VM_DONATE, 0, PAGE, FRAMES), "no memory");
	w_insn_mem(EXIT_REASON_VMCLEAR, r_vmcs12[0]);
	w_insn_mem(EXIT_REASON_VMPTRLD, r_vmcs12[0]);
	w_fill_valid();
	r_expect(!r_call(UP_CALL_VM_BIND_VCPU, 0, 0, 0), "no vCPU");
	for (i = 0; i < 4; i++) {
		r_flush_all();
		r_call(UP_CALL_VM_MEASURE, 0, 0, 0);
	}
	s = r_vm(0)->hash;
	sha256_final(&s, measurement);
	have_vm = true;
}

static void challenge(void)
{
	r_expect(!r_call(UP_CALL_CHALLENGE, PAGE, 0, 0), "no challenge");
	memcpy(good.challenge, phys(PAGE << PAGE_SHIFT), sizeof(good.challenge));
	made = r_tsc[0];
	challenged = true;
}

static void fit(void)
{
	good.magic = UP_TICKET_MAGIC;
	good.version = UP_TICKET_VERSION;
	good.size = sizeof(good);
	good.lifetime = LIFETIME;
	good.frames = FRAMES;
	good.vcpus = 1;
	memset(good.host, 0x40, sizeof(good.host));
	memcpy(good.image, up_config.image_sha256, sizeof(good.image));
	key_nonce(good.nonce);
	memcpy(good.measurement, measurement, sizeof(measurement));
	now = good;
}

static void sign(void)
{
	struct ed25519_key key;
	struct ed25519_job job;

	ed25519_make_key(&key, seed);
	ed25519_sign(&job, &key, &now, UP_TICKET_SIGNED);
	while (ed25519_step(&job, now.signature))
		;
	if (endorsements < MAX_STEPS)
		endorsed[endorsements++] = now;
}

static bool is_endorsed(const struct up_ticket *t)
{
	u32 i;

	for (i = 0; i < endorsements && memcmp(&endorsed[i], t, sizeof(*t)); i++)
		;
	return i < endorsements;
}

static void bring(u32 calls)
{
	long err = -UP_EAGAIN;

	while (calls-- && err == -UP_EAGAIN) {
		memcpy(phys(PAGE << PAGE_SHIFT), &now, sizeof(now));
		err = r_call(UP_CALL_VM_TICKET, 0, PAGE, 0);
	}
	if (err)
		return;
	r_expect(is_endorsed(&now), "taken, and never signed");
	r_expect(now.magic == UP_TICKET_MAGIC && now.version == UP_TICKET_VERSION &&
		 now.size == sizeof(now) && !now.flags && !now.reserved, "taken, and malformed");
	r_expect(!memcmp(now.host, good.host, 96), "taken, for another place");	/* to nonce */
	r_expect(challenged && !memcmp(now.challenge, good.challenge, 32), "taken twice");
	r_expect(r_tsc[0] - made < now.lifetime && now.lifetime < UP_TICKET_LIFETIME, "too late");
	challenged = false;
	taken = now;
}

static void measure(void)
{
	if (r_call(UP_CALL_VM_MEASURE, 0, 0, 0))
		return;
	r_expect(!challenged || taken.magic, "a VM without a ticket");
	r_expect(!memcmp(taken.measurement, measurement, 32) && taken.vcpus == 1 &&
		 taken.frames >= FRAMES, "a VM of another ticket");
	r_expect(r_tsc[0] - made < taken.lifetime, "a VM too late");
}

static void step(struct input *in)
{
	u8 what = (u8)take(in, 1);
	u64 at;

	if (!have_vm)
		build();
	switch (what % 8) {
	case 0:
		if (!challenged && !taken.magic)
			challenge();
		fit();
		sign();
		break;
	case 1:
		at = take(in, 2) % sizeof(now);
		((u8 *)&now)[at] ^= (u8)take(in, 1);
		break;
	case 2:
		sign();
		break;
	case 3:
		bring(30);
		break;
	case 4:
		bring(take(in, 1) % 30);
		break;
	case 5:
		measure();
		break;
	case 6:
		at = take(in, 2);
		r_tsc[0] = what & 0x80 ? r_tsc[0] - at : r_tsc[0] + at;
		break;
	case 7:
		now = endorsements ? endorsed[take(in, 1) % endorsements] : now;
	}
}

static void first_time(void)
{
	r_init();
	root_fuzz_mark();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&good, 0, sizeof(good));
	now = taken = good;
	endorsements = 0;
	challenged = have_vm = false;
	r_tsc[0] = r_tsc[1] = 1 << 30;
	return root_fuzz_run((struct input){ data, size }, MAX_STEPS, first_time, step);
}
