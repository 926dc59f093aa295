// SPDX-License-Identifier: GPL-2.0
/* Challenges that are outstanding: see challenge.h. */
#include "vmx/attest/challenge.h"
#include "vmx/attest/key.h"
#include "vmx/attest/pcr.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"
#include "vmx/base/lock.h"

static struct spinlock lock;	/* of all below */
static u32 next;
static struct challenge {
	bool open;
	u64 made;
	u8 value[32];
} challenges[CHALLENGES];

bool tickets_wanted(void)
{
	static const u8 none[32];

	return memcmp(launch_settings.authority, none, sizeof(none));
}

bool challenge_make(u8 value[32])
{
	struct challenge *c;

	if (!key_random(value))
		return false;
	spin_lock(&lock);
	c = &challenges[next++ % CHALLENGES];
	c->open = true;
	c->made = rdtsc();
	memcpy(c->value, value, sizeof(c->value));
	spin_unlock(&lock);
	return true;
}

bool challenge_use(const u8 value[32], u64 *made)
{
	bool found = false;
	u32 i;

	spin_lock(&lock);
	for (i = 0; i < CHALLENGES && !found; i++) {
		found = challenges[i].open && !memcmp(challenges[i].value, value, 32);
		if (found) {
			*made = challenges[i].made;
			challenges[i].open = false;
		}
	}
	spin_unlock(&lock);
	return found;
}

bool challenge_lives(u64 made, u64 lifetime)
{
	return rdtsc() - made < lifetime;
}
