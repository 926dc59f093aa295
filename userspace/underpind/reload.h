/* SPDX-License-Identifier: GPL-2.0-only */
/* What SIGHUP replaces in a daemon that runs. */
#ifndef RELOAD_H
#define RELOAD_H

#include "daemon.h"

/**
 * reconfigure() - put the configuration file in force anew
 * @e: what is wrong with it, or with a file that it names; then all of the old one stays
 *
 * Requests under way go on; those of a cloud that is not named any more are answered.
 * The files that it names are to be loaded afterwards.
 *
 * Return: 0 or -errno.
 */
int reconfigure(struct daemon *d, struct pol_err *e);

/**
 * reload_keys() - read the keys of assertions, tickets and the audit log anew
 *
 * Says in the log what came of it; a bad one leaves the old ones in use. Another audit key is
 * named in a record that the old one signs, whole and on the disk before the new one is used.
 */
void reload_keys(struct daemon *d);

#endif
