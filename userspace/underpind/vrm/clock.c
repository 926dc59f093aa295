// SPDX-License-Identifier: GPL-2.0-only
#include "vrm/clock.h"

static void move_on(struct clock_of *c, int64_t now)
{
	if (now - c->begun < CLOCK_WINDOW_MS)
		return;
	c->known[1] = c->known[0] && now - c->begun < 2 * CLOCK_WINDOW_MS;
	c->least[1] = c->least[0];
	c->known[0] = false;
	c->begun = now;
}

bool clock_late(struct clock_of *c, int64_t age, int64_t now, int64_t *late)
{
	bool known;
	int64_t least;

	move_on(c, now);
	known = c->known[0] || c->known[1];
	if (!c->known[0] || age < c->least[0])
		c->least[0] = age;
	c->known[0] = true;
	least = c->least[0];
	if (c->known[1] && c->least[1] < least)
		least = c->least[1];
	/* Clocks that agree are known to: then the age itself says it. */
	if (!known && age <= CLOCK_AGREE_MS && age >= -CLOCK_AGREE_MS)
		known = true;
	*late = age - least > CLOCK_AGREE_MS ? age - least - CLOCK_AGREE_MS : 0;
	return known;
}
