// SPDX-License-Identifier: GPL-2.0-only
/* A directory of libvirt-style VM definitions: for tests, and hosts without the module. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libxml/parser.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "provider/provider.h"

#define DEFINITION_MAX	(1u << 20)

struct dir {
	struct provider base;
	int fd;
};

static struct provider *dir_open(const char *where, struct pol_err *e)
{
	struct dir *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->base.ops = &provider_dir;
	d->fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd >= 0)
		return &d->base;
	pol_fail(e, errno, "provider: %s: %m", where);
	free(d);
	return NULL;
}

static void dir_close(struct provider *p)
{
	struct dir *d = (struct dir *)p;

	close(d->fd);
	free(d);
}

static ssize_t slurp(int at, const char *name, char *buf, size_t size)
{
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = 0, got;

	if (fd < 0)
		return -errno;
	while ((size_t)n < size && (got = read(fd, buf + n, size - n)) > 0)
		n += got;
	close(fd);
	return n;
}

static int hex_file(int at, const char *host, const char *name, uint8_t *out, struct pol_err *e)
{
	char path[128], text[80] = "";

	snprintf(path, sizeof(path), "%s/%s", host, name);
	slurp(at, path, text, sizeof(text) - 1);
	text[strcspn(text, "\r\n")] = 0;
	if (!pol_unhex(text, out, 32))
		return pol_fail(e, EIO, "provider: %s: not 64 hexadecimal digits", path);
	return 0;
}

/* HOST/UUID, each one path component. */
static int split(const char *path, char *host, size_t size, char *uuid)
{
	const char *slash = strchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int i;

	if (!n || n >= size || *path == '.' || strlen(slash + 1) != 36 ||
	    strspn(slash + 1, "0123456789abcdef-") != 36)
		return -EINVAL;
	memcpy(host, path, n);
	host[n] = 0;
	for (i = 0; *++slash;)
		if (*slash != '-')
			uuid[i < 32 ? i++ : 31] = *slash;
	uuid[i] = 0;
	return i == 32 ? 0 : -EINVAL;
}

int provider_dir_check(const char *xml, size_t len, const char *uuid)
{
	xmlDocPtr doc = memchr(xml, 0, len) || memmem(xml, len, "<!DOCTYPE", 9) ? NULL :
		xmlReadMemory(xml, len, "definition", "UTF-8", XML_PARSE_NONET | XML_PARSE_NOERROR |
			      XML_PARSE_NOWARNING);
	xmlNodePtr n = doc ? xmlDocGetRootElement(doc) : NULL;
	int ret = -EINVAL;
	xmlChar *text;

	for (n = n && !strcmp((char *)n->name, "domain") ? n->children : NULL; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE || strcmp((char *)n->name, "uuid"))
			continue;
		text = xmlNodeGetContent(n);
		if (text && !strcmp((char *)text, uuid))
			ret = 0;
		xmlFree(text);
	}
	xmlFreeDoc(doc);
	return ret;
}

static int definition(struct dir *d, const char *path, struct device *out, struct pol_err *e)
{
	char *buf = malloc(DEFINITION_MAX), name[160];
	ssize_t n;
	int ret = 0;

	snprintf(name, sizeof(name), "%s.xml", path);
	n = buf ? slurp(d->fd, name, buf, DEFINITION_MAX) : -ENOMEM;
	if (n < 0)
		ret = pol_fail(e, n == -ENOENT ? ENOENT : EIO, "provider: no definition of this "
			       "VM: define it first");
	else if (n == DEFINITION_MAX || provider_dir_check(buf, n, strchr(path, '/') + 1))
		ret = pol_fail(e, EINVAL, "provider: the definition is no domain with this UUID");
	else
		SHA256((unsigned char *)buf, n, out->definition);
	free(buf);
	return ret;
}

int provider_dir_describe(struct provider *p, const char *path, struct device *out,
			  struct pol_err *e)
{
	struct dir *d = (struct dir *)p;
	char uuid[33];
	int ret;

	if (split(path, out->host, sizeof(out->host), uuid) || !pol_unhex(uuid, out->vm, 16))
		return pol_fail(e, EINVAL, "provider: a path is HOST/UUID");
	ret = definition(d, path, out, e);
	return ret ? ret : hex_file(d->fd, out->host, "identity", out->host_id, e);
}

/* "MEASUREMENT VCPUS FRAMES": what "underpin vm expected" says of the VM. */
int provider_dir_grant(struct provider *p, const char *path, struct device *out,
		       struct pol_err *e)
{
	struct dir *d = (struct dir *)p;
	char name[160], text[160] = "", hex[65] = "", end = 0;
	unsigned long long frames = 0;

	snprintf(name, sizeof(name), "%s.grant", path);
	slurp(d->fd, name, text, sizeof(text) - 1);
	if (sscanf(text, "%64s %" SCNu32 " %llu %c", hex, &out->vcpus, &frames, &end) != 3 ||
	    !pol_unhex(hex, out->measurement, 32) || !out->vcpus || !frames)
		return pol_fail(e, EIO, "provider: %s: the layer of this host asks for tickets: "
				"not a line of measurement, vCPUs and frames", name);
	out->frames = frames;
	out->challenged = true;
	return 0;
}

static int dir_describe(struct provider *p, const char *path, struct device *out,
			struct pol_err *e)
{
	struct dir *d = (struct dir *)p;
	int ret = provider_dir_describe(p, path, out, e);
	char name[80];

	if (!ret)
		ret = hex_file(d->fd, out->host, "nonce", out->nonce, e);
	snprintf(name, sizeof(name), "%s/challenge", out->host);
	if (ret || faccessat(d->fd, name, F_OK, 0))
		return ret;
	ret = hex_file(d->fd, out->host, "challenge", out->challenge, e);
	return ret ? ret : provider_dir_grant(p, path, out, e);
}

const struct provider_ops provider_dir = { "dir", dir_open, dir_describe, dir_close };
