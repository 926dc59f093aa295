// SPDX-License-Identifier: GPL-2.0
/*
 * Ends a kernel's life in the ways that a host knows:
 *
 *	life load KERNEL INITRD WORDS	the kernel for 'life kexec', with its command line
 *	life load-crash KERNEL INITRD WORDS
 *					the kernel that a panic starts
 *	life kexec | reboot		at once: nothing is stopped before
 *	life hold HEX			keeps half of what is free full of these 32 bytes until
 *					then: the next kernel's first steps may use any 32 MiB
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define WORD	32u

static int load(char **args, unsigned long flags)
{
	int kernel = open(args[0], O_RDONLY), initrd = open(args[1], O_RDONLY);

	if (kernel < 0 || initrd < 0)
		err(1, "%s, %s", args[0], args[1]);
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(args[2]) + 1, args[2], flags))
		err(1, "kexec_file_load");
	return 0;
}

static int hold(const char *hex)
{
	struct sysinfo info;
	unsigned char *m;
	size_t size, i;

	if (sysinfo(&info))
		err(1, "sysinfo");
	size = info.freeram * info.mem_unit / 2 / WORD * WORD;
	m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < WORD; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &m[i]) != 1)
			errx(2, "%s: not %u bytes in hexadecimal", hex, WORD);
	for (i = WORD; i < size; i += WORD)
		memcpy(m + i, m, WORD);
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 5 && !strcmp(what, "load"))
		return load(argv + 2, 0);
	if (argc == 5 && !strcmp(what, "load-crash"))
		return load(argv + 2, KEXEC_FILE_ON_CRASH);
	if (argc == 3 && !strcmp(what, "hold"))
		return hold(argv[2]);
	if (!strcmp(what, "kexec"))
		reboot(LINUX_REBOOT_CMD_KEXEC);
	else if (!strcmp(what, "reboot"))
		reboot(LINUX_REBOOT_CMD_RESTART);
	else
		errx(2, "usage: life load|load-crash KERNEL INITRD WORDS | life kexec|reboot | life hold HEX");
	err(1, "%s", what);
}
