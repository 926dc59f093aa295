/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layer has neither a clock that it trusts nor a counter that outlives it: what a ticket's
 * lifetime counts from is a challenge that the layer made at a known TSC, which the host cannot
 * set where tickets are asked for (vmx/intercept/msr.c).
 */
#ifndef VMX_CHALLENGE_H
#define VMX_CHALLENGE_H

#include "vmx/base/types.h"

#define CHALLENGES	16	/* outstanding ones: another takes the oldest one's place */

/** tickets_wanted() - was an authority named when the layer was launched? */
bool tickets_wanted(void);

/** challenge_make() - another.  Return: false: there are no random numbers */
bool challenge_make(u8 value[32]);

/**
 * challenge_use() - a challenge serves, once
 * @made: filled in: the TSC at which it was made
 * Return: false: it is not outstanding
 */
bool challenge_use(const u8 value[32], u64 *made);

/**
 * challenge_lives() - has a lifetime not passed yet?
 * A TSC that is behind the one that @made was read from counts as one far ahead.
 */
bool challenge_lives(u64 made, u64 lifetime);

#endif /* VMX_CHALLENGE_H */
