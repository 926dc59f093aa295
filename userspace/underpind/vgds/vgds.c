// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vgds/vgds.h"

const char *const vgds_kind_name[3] = { "device", "lower", "remote" };

int vgds_entry_set(struct vgds_entry *n, const char *kind, const char *target,
		   const char *cloud, const char *layer, const char *sla)
{
	int k, l;

	for (k = 0; k < 3 && strcmp(kind, vgds_kind_name[k]); k++)
		;
	for (l = 0; l < L_NLAYERS && strcmp(layer, pol_layer_name[l]); l++)
		;
	if (k == 3 || !*target || strlen(target) >= sizeof(n->target) ||
	    strlen(cloud) >= sizeof(n->cloud) || strlen(sla) >= sizeof(n->sla))
		return -EINVAL;
	if (k == VGDS_REMOTE && (l == L_NLAYERS || !*cloud || !*sla))
		return -EINVAL;
	memset(n, 0, sizeof(*n));
	n->kind = k;
	n->layer = l;
	strcpy(n->target, target);
	strcpy(n->cloud, cloud);
	strcpy(n->sla, sla);
	return 0;
}

int vgds_open(struct vgds *v, const char *where, const char *cloud, enum pol_layer layer,
	      struct loop *l, struct http *http, const struct http_tls *tls,
	      struct pol_err *e)
{
	memset(v, 0, sizeof(*v));
	v->loop = l;
	v->http = http;
	v->tls = tls;
	snprintf(v->prefix, sizeof(v->prefix), "/underpin/%s/%s/", cloud, pol_layer_name[layer]);
	if (!strncmp(where, "sqlite:", 7))
		return vgds_sqlite_open(v, where + 7, e);
	if (!strncmp(where, "etcd:", 5))
		return vgds_etcd_open(v, where + 5, e);
	return pol_fail(e, EINVAL, "directory '%s': write sqlite:PATH or etcd:URL", where);
}

int vgds_import(struct vgds *v, const char *path, struct pol_err *e)
{
	FILE *f = fopen(path, "re");
	char line[1024], *rest, *w[6];
	struct vgds_entry n;
	int k, i, ret = 0;

	if (!f)
		return pol_fail(e, EINVAL, "%s: %m", path);
	for (i = 1; !ret && fgets(line, sizeof(line), f); i++) {
		line[strcspn(line, "\r\n")] = 0;
		if (!*line || *line == '#')
			continue;
		for (k = 0, rest = line; k < 6; k++) {
			w[k] = rest ? strsep(&rest, "\t") : NULL;
			w[k] = w[k] ? w[k] : "";
		}
		if (rest || !*w[0] || vgds_entry_set(&n, w[1], w[2], w[3], w[4], w[5]))
			ret = pol_fail(e, EINVAL, "%s:%d: not 'id kind target [cloud layer sla]' "
				       "with tabs between", path, i);
		else
			ret = v->ops->put(v, w[0], &n, e);
	}
	fclose(f);
	return ret;
}
