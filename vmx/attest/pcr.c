// SPDX-License-Identifier: GPL-2.0
/* The launch's events, one after the other, into a TPM: see pcr.h. */
#include "vmx/attest/pcr.h"
#include "vmx/abi/errno.h"
#include "vmx/attest/key.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/lock.h"
#include "vmx/base/log.h"
#include "vmx/base/sha256.h"
#include "ept/device.h"
#include "iommu/launch.h"
#include "tpm/tpm.h"

#define PCR		19
#define EVENT_TAG	0x55500000u

enum { EVENT_NONE, EVENT_IMAGE, EVENT_SETTINGS, EVENT_IOMMU, EVENT_KEY, EVENT_END };

_Static_assert((int)UP_TPM_GOOD == TPM_DONE && (int)UP_TPM_NO_BANK == TPM_NO_BANK, "one list");

struct up_settings launch_settings;
enum up_iommu_state launch_iommu;

static struct spinlock lock;	/* of all below */
static struct tpm tpm;
static enum up_tpm state;	/* UP_TPM_GOOD, or why no other event comes */
static bool asked;		/* a command is on its way */
static bool fresh;		/* nobody has extended the PCR before */
static u32 events;		/* that are in the PCR */

void pcr_init(void)
{
	volatile void *regs = device_at(UP_TPM_KEPT + (TPM_LOCALITY - 1) * PAGE_SIZE, 4);

	launch_settings = (struct up_settings){
		.magic = UP_SETTINGS_MAGIC, .version = 2, .flags = up_config.allow_no_iommu,
	};
	memcpy(launch_settings.authority, up_config.authority, sizeof(up_config.authority));
	memcpy(launch_settings.host, up_config.host, sizeof(up_config.host));
	launch_iommu = iommu_state();
	asked = fresh = false;
	events = 0;
	state = regs ? (enum up_tpm)tpm_find(&tpm, regs, TPM_LOCALITY) : UP_TPM_ABSENT;
	if (!key_public())
		state = UP_TPM_NO_KEY;
}

static const void *content(u32 event, u32 *len)
{
	static const char * const iommu[] = {
		[UP_IOMMU_NONE] = "none", [UP_IOMMU_PARTIAL] = "partial", [UP_IOMMU_FULL] = "full",
	};
	const char *word = event == EVENT_END ? "left" : iommu[launch_iommu];

	*len = 32;
	if (event == EVENT_IMAGE)
		return up_config.image_sha256;
	if (event == EVENT_KEY)
		return key_public();
	*len = sizeof(launch_settings);
	if (event == EVENT_SETTINGS)
		return &launch_settings;
	for (*len = 0; word[*len]; ++*len)
		;
	return word;
}

/* Its data are tag, length and content; its digest is theirs. */
static void extend(u32 event)
{
	u32 header[2] = { EVENT_TAG + event };
	const void *bytes = content(event, &header[1]);
	u8 digest[TPM_DIGEST];
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, header, sizeof(header));
	sha256_update(&s, bytes, header[1]);
	sha256_final(&s, digest);
	tpm_extend(&tpm, PCR, digest);
}

/* As a reset leaves it, or a dynamic launch: all ones or all zeros. */
static bool untouched(const u8 pcr[TPM_DIGEST])
{
	u32 i;

	for (i = 1; i < TPM_DIGEST; i++)
		if (pcr[i] != pcr[0])
			return false;
	return !pcr[0] || pcr[0] == 0xff;
}

/* What was asked is done: the next is asked, up to @last. */
static long go_on(u32 last)
{
	if (fresh && asked)
		events++;
	if (!fresh && asked && !untouched(tpm.pcr)) {
		state = UP_TPM_USED;
		return -UP_EIO;
	}
	fresh |= asked;
	asked = events < last;
	if (!fresh)
		tpm_read_pcr(&tpm, PCR);
	else if (asked)
		extend(events + 1);
	return asked ? -UP_EAGAIN : 0;
}

static long poll(u32 last)
{
	enum tpm_result result = TPM_DONE;
	long err = -UP_EIO;

	if (state != UP_TPM_GOOD)
		return -UP_EIO;
	if (asked)
		result = tpm_poll(&tpm);
	if (result == TPM_MORE)
		return -UP_EAGAIN;
	if (result == TPM_DONE)
		err = go_on(last);
	else
		state = (enum up_tpm)result;
	if (err == -UP_EIO)
		up_log("TPM: %u of %u events: reason %u, code %x", events, last, state, tpm.code);
	return err;
}

long pcr_extend(bool end)
{
	long err = -UP_EAGAIN;

	if (!spin_trylock(&lock))
		return err;
	/* What was never begun has no end. */
	err = end && events < EVENT_KEY ? 0 : poll(end ? EVENT_END : EVENT_KEY);
	spin_unlock(&lock);
	return err;
}

void pcr_status(struct up_status *out)
{
	out->tpm = state;
	out->tpm_events = events;
}
