/* SPDX-License-Identifier: GPL-2.0 */
#ifndef USERSPACE_EXIT_REASONS_H
#define USERSPACE_EXIT_REASONS_H

/** exit_reason_name() - of a basic exit reason (SDM vol. 3, appendix C); never NULL */
const char *exit_reason_name(unsigned int reason);

#endif /* USERSPACE_EXIT_REASONS_H */
