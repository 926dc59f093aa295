// SPDX-License-Identifier: GPL-2.0
/*
 * Weak mode (docs/attestation.md): where the layer finds no TPM whose localities it could keep,
 * but the kernel has one, the host side extends the launch's events into its PCR 15.  That says
 * what this kernel was told by the layer, and is worth what the kernel is.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <crypto/sha2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/tpm.h>

#include "module.h"

#define PCR		15
#define EVENT_TAG	0x55500000u	/* and the event's number */
#define CONTENT		sizeof(struct up_settings)	/* the longest */

enum { EVENT_IMAGE = 1, EVENT_SETTINGS, EVENT_IOMMU, EVENT_KEY, EVENT_END };

static unsigned int events;	/* that are in the PCR */

unsigned int up_weak_events(void)
{
	return events;
}

/* Each bank gets the SHA-256, shortened or with zeros behind it; evidence has that bank alone. */
static int extend(struct tpm_chip *chip, u32 event, const void *content, u32 len)
{
	u8 data[8 + CONTENT], digest[SHA256_DIGEST_SIZE];
	struct tpm_digest *banks;
	unsigned int i;
	int err;

	banks = kcalloc(chip->nr_allocated_banks, sizeof(*banks), GFP_KERNEL);
	if (!banks)
		return -ENOMEM;
	event += EVENT_TAG;
	memcpy(data, &event, 4);
	memcpy(data + 4, &len, 4);
	memcpy(data + 8, content, len);
	sha256(data, 8 + len, digest);
	for (i = 0; i < chip->nr_allocated_banks; i++) {
		banks[i].alg_id = chip->allocated_banks[i].alg_id;
		memcpy(banks[i].digest, digest, sizeof(digest));
	}
	err = tpm_pcr_extend(chip, PCR, banks);
	kfree(banks);
	events += !err;
	return err;
}

/* Who has extended it before would have another launch told than this one. */
static int is_fresh(struct tpm_chip *chip)
{
	struct tpm_digest now = { .alg_id = TPM_ALG_SHA256 };
	int err = tpm_pcr_read(chip, PCR, &now);

	if (err)
		return err < 0 ? err : -EIO;
	return memchr_inv(now.digest, 0, SHA256_DIGEST_SIZE) ? -EEXIST : 0;
}

static int extend_launch(struct tpm_chip *chip, const struct up_status *st)
{
	static const char * const iommu[] = {
		[UP_IOMMU_NONE] = "none", [UP_IOMMU_PARTIAL] = "partial", [UP_IOMMU_FULL] = "full",
	};
	const char *word = st->iommu < ARRAY_SIZE(iommu) ? iommu[st->iommu] : "unknown";
	int err = is_fresh(chip);

	if (!err)
		err = extend(chip, EVENT_IMAGE, st->image_sha256, sizeof(st->image_sha256));
	if (!err)
		err = extend(chip, EVENT_SETTINGS, &st->settings, sizeof(st->settings));
	if (!err)
		err = extend(chip, EVENT_IOMMU, word, strlen(word));
	if (!err)
		err = extend(chip, EVENT_KEY, st->launch_key, sizeof(st->launch_key));
	return err;
}

static int extend_what_is_due(struct tpm_chip *chip, const struct up_status *st, bool end)
{
	if (!end)
		return st->has_key ? extend_launch(chip, st) : -ENOKEY;
	/* What was never begun has no end. */
	return events == EVENT_KEY ? extend(chip, EVENT_END, "left", 4) : 0;
}

void up_weak_extend(bool end)
{
	struct tpm_chip *chip = tpm_default_chip();
	struct up_status *st = up_get_status(0);
	int err = st ? 0 : -EIO;

	if (chip && !err)
		err = extend_what_is_due(chip, st, end);
	if (chip && err)
		pr_warn("PCR %u of the kernel's TPM does not have %s: %s, error %d\n", PCR,
			end ? "the launch's end" : "the launch", err == -EEXIST ?
			"somebody has extended it before" : "the TPM refuses", err);
	else if (chip && !end)
		pr_info("the kernel's TPM alone has the launch, in PCR %u: evidence is weak\n",
			PCR);
	free_page((unsigned long)st);
	if (chip)
		put_device(&chip->dev);
}
