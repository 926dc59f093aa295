// SPDX-License-Identifier: GPL-2.0
/*
 * The only program of a protected test guest: says that user space was reached and
 * whether AVX may be used there, stays long enough to be looked at, and ends.
 */
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

#define STAY	4	/* seconds */

int main(void)
{
	struct utsname name;

	uname(&name);
	printf("witness: user space on %s\n", name.release);
	printf("witness: avx %s\n", __builtin_cpu_supports("avx") ? "usable" : "hidden");
	fflush(stdout);
	sleep(STAY);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
