/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Before every C file of the root image, and of it alone: each symbol is reached
 * relative to RIP, never through a table.
 */
#pragma GCC visibility push(hidden)
