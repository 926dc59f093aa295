// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only program of the small guest that the test machine's QEMU boots:
 * says that user space was reached, and ends the guest (by reboot, since
 * power-off needs ACPI and the guest runs without).
 */
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(void)
{
	struct utsname name;

	uname(&name);
	printf("guest: user space reached on %s\n", name.release);
	fflush(stdout);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
