// SPDX-License-Identifier: GPL-2.0
/* Reading and writing all there is. */
#include <errno.h>
#include <unistd.h>
#include "userspace/unlock/unlock.h"

long fill(int fd, void *buffer, size_t size)
{
	size_t len = 0;
	ssize_t n;
	char one;

	do {
		n = len < size ? read(fd, (char *)buffer + len, size - len) : read(fd, &one, 1);
		if (n > 0 && len == size)
			errno = EFBIG;
		if (n > 0 && len == size)
			return -1;
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n ? -1 : (long)len;
}

int drain(int fd, const void *buffer, size_t len)
{
	const char *p = buffer;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
