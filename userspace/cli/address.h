/* SPDX-License-Identifier: GPL-2.0 */
/* Where a TCP server is, in numbers: no name is asked of anybody. */
#ifndef USERSPACE_ADDRESS_H
#define USERSPACE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage at;
	socklen_t len;
};

/** address_read() - "10.0.2.2:7443" or "[fd00::1]:7443".  Return: is it one? */
bool address_read(struct address *a, const char *text);

/** address_call() - a connection to it, or -1 (errno) */
int address_call(const struct address *a);

#endif /* USERSPACE_ADDRESS_H */
