/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The audit log: every decision, chained by hash and signed, in SQLite.
 *
 * hash[n] = SHA-256(hash[n-1] || n as 8 big-endian bytes || record[n]), with
 * hash[0] zero; signature[n] = Ed25519(hash[n]), or empty where a later record
 * of the same transaction is signed: a hash covers all records before it.
 * A record whose event is AUDIT_NEW_KEY, signed itself, names the key of those after it.
 */
#ifndef POL_AUDIT_H
#define POL_AUDIT_H

#include <sqlite3.h>

#include "trust/key.h"

#define AUDIT_NEW_KEY	"audit-key"	/* its "key": the raw public key in hexadecimal */

struct audit_head {
	uint64_t n;
	uint8_t hash[32];
};

/* A log that is written to; audit_exit() it before its database is closed. */
struct audit {
	sqlite3 *db;
	const struct key *signer;
	sqlite3_stmt *last, *start, *append;
	struct audit_head head;		/* if known */
	bool known;
};

/**
 * audit_init() - open the log of a database, creating its table if need be
 * @signer: outlives @a
 *
 * Return: 0 or -EIO.
 */
int audit_init(struct audit *a, sqlite3 *db, const struct key *signer, struct pol_err *e);
void audit_exit(struct audit *a);

/**
 * audit_append() - add one record within the caller's transaction
 * @a: the log; the caller serialises its use
 * @record: JSON text
 * @sign: is it the last of the transaction? That one must be signed.
 *
 * A grant and its record are committed together or not at all.
 *
 * Return: 0 or -EIO.
 */
int audit_append(struct audit *a, const char *record, bool sign, struct pol_err *e);

/**
 * audit_continues() - is the log's last record signed by the key that is to sign the next?
 *
 * Return: 0, -EINVAL or -EIO.
 */
int audit_continues(struct audit *a, struct pol_err *e);

/* The caller's transaction was undone, or the log written to by another. */
static inline void audit_forget(struct audit *a)
{
	a->known = false;
}

/**
 * audit_archive() - move all records to a database of their own
 * @a: the log; goes on after the last of them, whose number and hash stay
 * @path: the archive, that must not be there yet; a log that audit_verify() takes
 * @record: that it was done; the first of those that follow
 * @n: how many were moved
 *
 * Each step is safe to be interrupted: records are deleted when the archive is on the
 * disk, and whole.
 *
 * Return: 0 or -EIO.
 */
int audit_archive(struct audit *a, const char *path, const char *record, uint64_t *n,
		  struct pol_err *e);

/**
 * audit_verify() - check the whole chain
 * @start: the record before the first one, if records were archived; else zero
 * @k: the public key of the log's first signer, or of a later one, which vouches for what was
 *     before it by hash alone; NULL to check the chain alone
 * @head: the last record, to compare with one noted elsewhere: records cut off
 *	  at the end leave a chain that is whole
 *
 * Each record must be signed or lie before one that is.
 *
 * Return: 0, -EBADMSG with the first record that is wrong in @e, or -EIO.
 */
int audit_verify(sqlite3 *db, const struct key *k, struct audit_head *start,
		 struct audit_head *head, struct pol_err *e);

#endif
