// SPDX-License-Identifier: GPL-2.0
/* Secrets and policies, from files that their owner may change at any time. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "userspace/broker/release.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/sysfile.h"

/* Kernel, initrd, command line and memory map (docs/guest-firmware.md). */
#define REPORTS_NEEDED	0xfu

static const char *take_secret(struct release *r, int fd)
{
	struct stat is;
	ssize_t n;

	if (fstat(fd, &is))
		return "its secret cannot be read";
	if (is.st_mode & 077)
		return "its secret may be read by others than its owner: chmod 600";
	n = read(fd, r->secret, sizeof(r->secret));
	if (n <= 0 || is.st_size > SECRET_MAX)
		return "its secret is empty, or longer than 4096 bytes";
	r->len = (size_t)n;
	return NULL;
}

static const char *read_secret(struct release *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *wrong;

	if (fd < 0)
		return "it has no secret that can be read";
	wrong = take_secret(r, fd);
	close(fd);
	return wrong;
}

/*
 * A policy that leaves one of these out would give the secret to a VM of the host's making: one
 * whose report the host asked for, with a key of its own, or one that booted another kernel.
 */
static const char *check_policy(const struct policy *p)
{
	if (!policy_has(p, "measurements"))
		return "its policy has no measurements";
	if (!policy_lists(p, "askers", "vm") || policy_lists(p, "askers", "host"))
		return "its policy must accept what the VM asked for alone: \"askers\":[\"vm\"]";
	if ((policy_reports(p) & REPORTS_NEEDED) != REPORTS_NEEDED)
		return "its policy lacks reports 0 to 3: kernel, initrd, command line, memory map";
	return NULL;
}

static const char *read_policy(struct release *r, const char *path)
{
	size_t len;
	char *text = sysfile_given(&len, path);
	const char *wrong;

	if (!text)
		return "it has no policy that can be read";
	wrong = policy_read(&r->policy, (uint8_t *)text, len);
	free(text);
	if (wrong)
		return wrong;
	wrong = check_policy(&r->policy);
	if (wrong)
		policy_free(&r->policy);
	return wrong;
}

const char *release_read(struct release *r, const char *folder, const char *name)
{
	char path[PATH_MAX];
	const char *wrong;

	memset(r, 0, sizeof(*r));
	snprintf(path, sizeof(path), "%s/%s.policy", folder, name);
	wrong = read_policy(r, path);
	if (wrong)
		return wrong;
	snprintf(path, sizeof(path), "%s/%s.secret", folder, name);
	wrong = read_secret(r, path);
	if (wrong)
		release_free(r);
	return wrong;
}

void release_free(struct release *r)
{
	policy_free(&r->policy);
	OPENSSL_cleanse(r, sizeof(*r));
}

/* "NAME.policy" to NAME. */
static bool name_of(const char *file, char name[SECRET_NAME])
{
	const char *dot = strrchr(file, '.');
	size_t len = dot ? (size_t)(dot - file) : 0;

	if (!dot || strcmp(dot, ".policy") || len >= SECRET_NAME)
		return false;
	memcpy(name, file, len);
	name[len] = 0;
	return secret_name_good(name);
}

int release_check(const char *folder)
{
	DIR *dir = opendir(folder);
	const char *wrong = NULL;
	char name[SECRET_NAME];
	struct release r;
	struct dirent *d;
	int n = 0;

	if (!dir) {
		cli_error("%s: %s", folder, strerror(errno));
		return -1;
	}
	while (!wrong && (d = readdir(dir))) {
		if (!name_of(d->d_name, name))
			continue;
		wrong = release_read(&r, folder, name);
		if (wrong)
			cli_error("%s/%s: %s; see docs/attestation.md", folder, name, wrong);
		else
			release_free(&r);
		n++;
	}
	closedir(dir);
	if (!wrong && !n)
		cli_error("%s: no NAME.policy is here; see docs/attestation.md", folder);
	return wrong || !n ? -1 : n;
}
