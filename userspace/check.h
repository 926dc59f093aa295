/* SPDX-License-Identifier: GPL-2.0 */
/* The requirements that "underpin check" looks at. */
#ifndef USERSPACE_CHECK_H
#define USERSPACE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum check_result { CHECK_PASS, CHECK_FAIL, CHECK_SKIP };

/* What a check found, and what to do about it if it failed. */
struct check_report {
	char found[192];
	char cure[256];
};

struct check {
	const char *name;
	bool required;		/* without it the layer does not start, or does not protect */
	enum check_result (*run)(struct check_report *r);
};

/** check_pass(), check_fail(), check_skip() - fill in a report and return its result */
enum check_result check_pass(struct check_report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
enum check_result check_fail(struct check_report *r, const char *cure, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
enum check_result check_skip(struct check_report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* check_cpu.c */
enum check_result check_vmx(struct check_report *r);
enum check_result check_vmx_unlocked(struct check_report *r);
enum check_result check_vmx_features(struct check_report *r);
enum check_result check_ept_features(struct check_report *r);
enum check_result check_uniform(struct check_report *r);
enum check_result check_cpus_online(struct check_report *r);
enum check_result check_speculation(struct check_report *r);
enum check_result check_smt(struct check_report *r);
enum check_result check_paravirt(struct check_report *r);

/* check_host.c */
enum check_result check_vmx_unused(struct check_report *r);
enum check_result check_lockdown(struct check_report *r);
enum check_result check_module(struct check_report *r);
enum check_result check_device(struct check_report *r);
enum check_result check_kvm(struct check_report *r);
enum check_result check_kvm_ept(struct check_report *r);
enum check_result check_qemu(struct check_report *r);
enum check_result check_iommu(struct check_report *r);
enum check_result check_tpm(struct check_report *r);

/**
 * check_flag() - is a word in a field of /proc/cpuinfo, for each processor?
 * @cpuinfo: the file's text
 * @field: "flags" or "vmx flags"
 *
 * Return: 1 in every one, 0 in none, -1 in some, -2: there is no such field.
 */
int check_flag(const char *cpuinfo, const char *field, const char *flag);

/** check_same() - is a field of /proc/cpuinfo the same for every processor? */
bool check_same(const char *cpuinfo, const char *field);

/* Processors that firmware lists (ACPI 6.5, section 5.2.12). */
struct madt_cpus {
	unsigned int enabled;
	unsigned int online_capable;	/* not enabled, but may be added later */
};

/** check_madt() - count a MADT's processors.  Return: 0, or -1: malformed */
int check_madt(const uint8_t *madt, size_t len, struct madt_cpus *cpus);

#endif /* USERSPACE_CHECK_H */
