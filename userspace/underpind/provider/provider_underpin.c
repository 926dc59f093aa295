// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host on which this daemon runs, with the layer beneath it: definitions
 * from a directory, the launch from the layer itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../../ioctl/underpin.h"
#include "provider/provider.h"

struct host {
	struct provider base;
	struct provider *dir;
};

static struct provider *host_open(const char *where, struct pol_err *e)
{
	struct host *h = calloc(1, sizeof(*h));

	if (!h) {
		pol_fail(e, ENOMEM, "out of memory");
		return NULL;
	}
	h->base.ops = &provider_underpin;
	h->dir = provider_dir.open(where, e);
	if (h->dir)
		return &h->base;
	free(h);
	return NULL;
}

static void host_close(struct provider *p)
{
	struct host *h = (struct host *)p;

	provider_dir.close(h->dir);
	free(h);
}

static int ask(int fd, struct underpin_launch *l, struct underpin_challenge *c,
	       struct pol_err *e)
{
	if (ioctl(fd, UNDERPIN_LAUNCH, l))
		return pol_fail(e, EIO, "provider: the layer does not tell its launch: %m");
	if (l->asks_tickets && ioctl(fd, UNDERPIN_CHALLENGE, c))
		return pol_fail(e, EIO, "provider: the layer makes no challenge: %m");
	return 0;
}

/* Opened anew: an open device would keep the layer from being unloaded. */
static int launch(struct underpin_launch *l, struct underpin_challenge *c, struct pol_err *e)
{
	int fd = open(UNDERPIN_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return pol_fail(e, EIO, "provider: %s: %m: load the layer, and run this daemon as "
				"one who may open it", UNDERPIN_DEVICE);
	memset(l, 0, sizeof(*l));
	memset(c, 0, sizeof(*c));
	ret = ask(fd, l, c, e);
	close(fd);
	return ret;
}

static int host_describe(struct provider *p, const char *path, struct device *out,
			 struct pol_err *e)
{
	struct host *h = (struct host *)p;
	int ret = provider_dir_describe(h->dir, path, out, e);
	struct underpin_challenge c;
	struct underpin_launch l;

	ret = ret ? ret : launch(&l, &c, e);
	if (!ret && l.asks_tickets)
		ret = provider_dir_grant(h->dir, path, out, e);
	if (ret)
		return ret;
	memcpy(out->challenge, c.challenge, sizeof(out->challenge));
	memcpy(out->nonce, l.nonce, sizeof(out->nonce));
	memcpy(out->image, l.image_sha256, sizeof(out->image));
	out->image_known = true;
	return 0;
}

const struct provider_ops provider_underpin = {
	"underpin", host_open, host_describe, host_close
};
