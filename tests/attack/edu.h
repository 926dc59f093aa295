/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU's edu, a device that copies between its buffer and any address, driven by root. */
#ifndef EDU_H
#define EDU_H

#include <stdbool.h>
#include <stdint.h>

#define EDU_BYTES	4088u	/* QEMU 7.2 ends itself when asked for all 4,096 */

/* edu_find() - the first one, if there is one; its folder in sysfs goes to @dir */
#define EDU_DIR		96u
bool edu_find(char dir[EDU_DIR]);

/* edu_use() - its registers are mapped, and it may read and write memory */
void edu_use(const char *dir);

/* edu_copy() - EDU_BYTES between its buffer and address @at, as the device sees that */
void edu_copy(uint64_t at, bool to_ram);

#endif /* EDU_H */
