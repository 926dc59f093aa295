/* SPDX-License-Identifier: GPL-2.0-only */
/* Would the files that a configuration names work? */
#ifndef CHECK_H
#define CHECK_H

#include "conf.h"

/**
 * check_identity() - can this daemon be believed to be what it is configured as?
 *
 * Its certificate and key belong together, are of this time and layer, from this cloud's
 * authority, for the address that the others know; all authorities are among the trusted.
 *
 * Return: 0 or -EINVAL with @e set.
 */
int check_identity(const struct conf *c, struct pol_err *e);

#endif
