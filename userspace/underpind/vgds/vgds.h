/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual global directory service (S2.4): where a virtual resource is.
 * Two backends behind one interface: SQLite, and etcd for a cloud that one
 * machine does not hold.
 */
#ifndef VGDS_H
#define VGDS_H

#include <errno.h>

#include "base/terms.h"
#include "net/http.h"

enum vgds_kind {
	VGDS_DEVICE,	/* here: @target is the physical path, which never leaves its cloud */
	VGDS_LOWER,	/* @target is the id in the layer below */
	VGDS_REMOTE,	/* @target is the id in @cloud's @layer, released by @sla */
};

struct vgds_entry {
	enum vgds_kind kind;
	char target[128];
	char cloud[64];
	enum pol_layer layer;
	char sla[64];
};

struct vgds {
	const struct vgds_ops *ops;
	struct loop *loop;
	struct http *http;
	const struct http_tls *tls;	/* to directories elsewhere that are https: */
	char prefix[160];	/* etcd: "/underpin/CLOUD/LAYER/" */
	void *priv;
};

/* A question; its owner keeps it, and the id, until it is answered. */
struct vgds_lookup {
	const char *id;
	void (*done)(struct vgds_lookup *q);
	/* the answer */
	int ret;
	struct vgds_entry entry;
	struct pol_err e;
};

struct vgds_ops {
	int (*get)(struct vgds *v, struct vgds_lookup *q);
	int (*put)(struct vgds *v, const char *id, const struct vgds_entry *in,
		   struct pol_err *e);
	int (*check)(struct vgds *v, struct pol_err *e);
	/* As vgds_next() and vgds_remove(); NULL where others' tools do it. */
	int (*next)(struct vgds *v, char *id, size_t size, struct vgds_entry *out);
	int (*remove)(struct vgds *v, const char *id, struct pol_err *e);
	void (*close)(struct vgds *v);
};

/**
 * vgds_open() - open a directory
 * @where: "sqlite:PATH" or "etcd:URL[,URL...]"
 * @cloud: whose
 * @layer: of which layer
 * @l: the loop that questions are asked from
 * @http: for directories elsewhere
 * @tls: who this daemon is to them, and whom it believes; outlives @v, and may change
 *
 * Return: 0, -EINVAL or -EIO.
 */
int vgds_open(struct vgds *v, const char *where, const char *cloud, enum pol_layer layer,
	      struct loop *l, struct http *http, const struct http_tls *tls,
	      struct pol_err *e);

/* The backends; called by vgds_open(). */
int vgds_sqlite_open(struct vgds *v, const char *path, struct pol_err *e);
int vgds_etcd_open(struct vgds *v, const char *urls, struct pol_err *e);

/**
 * vgds_get() - look a resource up
 * @q: @q->id and @q->done set
 *
 * Never answers from memory: a directory that cannot be asked refuses.
 *
 * Return: 0, -ENOENT, or -EIO with @q->e set if the directory does not answer; or
 * -EINPROGRESS: @q->done will be called from the loop, with that in @q->ret.
 */
static inline int vgds_get(struct vgds *v, struct vgds_lookup *q)
{
	return v->ops->get(v, q);
}

/**
 * vgds_import() - put the entries of a text file into the directory
 *
 * Outside the loop: waits for the directory.
 * A line an entry, tab-separated: id, "device", path; id, "lower", id below; or
 * id, "remote", id there, cloud, layer, SLA.
 *
 * Return: 0, -EINVAL with the line named, or -EIO.
 */
int vgds_import(struct vgds *v, const char *path, struct pol_err *e);

/* Does the directory answer? 0 or -EIO. Outside the loop. */
static inline int vgds_check(struct vgds *v, struct pol_err *e)
{
	return v->ops->check(v, e);
}

/**
 * vgds_next() - the entry after the one called @id
 * @id: "" for the first; set to the entry's
 *
 * Return: 0, or -ENOENT if there is none, or the directory is elsewhere.
 */
static inline int vgds_next(struct vgds *v, char *id, size_t size, struct vgds_entry *out)
{
	return v->ops->next ? v->ops->next(v, id, size, out) : -ENOENT;
}

/**
 * vgds_remove() - take an entry out
 *
 * Return: 0, -ENOENT, or -EIO.
 */
static inline int vgds_remove(struct vgds *v, const char *id, struct pol_err *e)
{
	return v->ops->remove ? v->ops->remove(v, id, e) :
		pol_fail(e, EIO, "the directory is an etcd's: etcdctl del %s%s", v->prefix, id);
}

static inline void vgds_close(struct vgds *v)
{
	if (v->ops)
		v->ops->close(v);
}

/* Fills an entry from texts: 0 or -EINVAL. */
int vgds_entry_set(struct vgds_entry *n, const char *kind, const char *target,
		   const char *cloud, const char *layer, const char *sla);
extern const char *const vgds_kind_name[3];

#endif
