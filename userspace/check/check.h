/* SPDX-License-Identifier: GPL-2.0 */
/* "underpin check" and "underpin status": what this host is, and what its layer does. */
#ifndef USERSPACE_CHECK_H
#define USERSPACE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "module/needs.h"
#include "module/size.h"
#include "module/sleep.h"

/** cmd_check(), cmd_last_words(), cmd_metrics(), cmd_status() - commands; argv[0] is their word */
int cmd_check(int argc, char **argv);
int cmd_last_words(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_status(int argc, char **argv);

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

/* report.c */

/** check_pass(), check_fail(), check_skip() - fill in a report and return its result */
enum check_result check_pass(struct check_report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
enum check_result check_fail(struct check_report *r, const char *cure, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
enum check_result check_skip(struct check_report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A failure in the words of module/needs.h, which insmod says, too. */
#define check_need(r, need, ...)	check_fail(r, need##_CURE, need##_FOUND, ##__VA_ARGS__)

/** survey() - look at all that a report holds besides what checks look at (survey.c) */
void survey(void);

/** check_loaded() - is the layer there already? */
bool check_loaded(void);

/* cpuinfo.c */

/* An online CPU: what it answers, as far as that can be seen from here. */
struct check_cpu {
	unsigned int number, apic_id;
	struct cpu_caps caps;
};

struct check_cpus {
	unsigned int n;
	bool msrs;		/* without them ->caps has only what Linux says of VMX */
	struct check_cpu *cpu;
};

/** check_cpus() - the online CPUs, looked at once; none if /proc/cpuinfo cannot be read */
const struct check_cpus *check_cpus(void);

/** check_cpus_parse() - CPUs from /proc/cpuinfo's text; the array to be freed */
void check_cpus_parse(const char *cpuinfo, struct check_cpus *cpus);

/**
 * check_value() - the next value of a field of /proc/cpuinfo
 * @text: where to look; then behind it
 * @len: the value's length
 *
 * Return: its start, or NULL.
 */
const char *check_value(const char **text, const char *field, size_t *len);

/** check_word() - is a word among those of a text? */
bool check_word(const char *text, size_t len, const char *word);

/** check_same() - is a field of /proc/cpuinfo the same for every processor? */
bool check_same(const char *cpuinfo, const char *field);

/* check_vmx.c */
enum check_result check_vmx(struct check_report *r);
enum check_result check_vmx_unlocked(struct check_report *r);
enum check_result check_vmx_features(struct check_report *r);
enum check_result check_ept_features(struct check_report *r);
enum check_result check_uniform(struct check_report *r);
enum check_result check_stores(struct check_report *r);
enum check_result check_vmx_off(struct check_report *r);

/**
 * judge_lock(), judge_features(), judge_ept(), judge_uniform(), judge_stores() - what
 * checks make of CPUs
 *
 * CPUs without VMX are passed over: that is check_vmx()'s to say.
 */
enum check_result judge_lock(struct check_report *r, const struct check_cpus *cpus);
enum check_result judge_features(struct check_report *r, const struct check_cpus *cpus);
enum check_result judge_ept(struct check_report *r, const struct check_cpus *cpus);
enum check_result judge_uniform(struct check_report *r, const struct check_cpus *cpus);
enum check_result judge_stores(struct check_report *r, const struct check_cpus *cpus);

/* check_cpu.c */
enum check_result check_paging(struct check_report *r);
enum check_result check_fred(struct check_report *r);
enum check_result judge_fred(struct check_report *r, unsigned int eax_7_1);
enum check_result check_cpu_count(struct check_report *r);
enum check_result check_cpus_online(struct check_report *r);
enum check_result check_microcode(struct check_report *r);
enum check_result check_speculation(struct check_report *r);
enum check_result check_smt(struct check_report *r);
enum check_result check_paravirt(struct check_report *r);

/** judge_paravirt() - what a hypervisor beneath offers; @ask: CPUID of a leaf */
enum check_result judge_paravirt(struct check_report *r, void (*ask)(__u32 leaf, __u32 *r));

/** check_cpu_numbers() - one more than the highest number of a possible CPU; 0: unknown */
unsigned int check_cpu_numbers(void);

/* check_memory.c */
enum check_result check_memory(struct check_report *r);

/** judge_memory() - is so much available as the layer takes of such a host? */
enum check_result judge_memory(struct check_report *r, const struct size_host *host);

/** check_ram() - the ranges of RAM in /proc/iomem's text; the array to be freed */
struct up_range *check_ram(const char *iomem, unsigned int *ranges);

/* check_sleep.c */
enum check_result check_sleep_ports(struct check_report *r);

/** check_fadt() - can the layer watch where sleep states are entered? */
enum check_result check_fadt(struct check_report *r, const uint8_t *fadt, size_t len);

/** check_madt() - does firmware list an enabled processor that is not among the CPUs? */
enum check_result check_madt(struct check_report *r, const uint8_t *madt, size_t len,
			     const struct check_cpus *cpus);

/* dmar.c */

/** check_dmar() - would the layer take this DMAR table?  @used: units that Linux uses */
enum check_result check_dmar(struct check_report *r, const uint8_t *table, size_t len,
			     unsigned int used);

/**
 * check_dmar_file() - print what the DMAR table in a file says, and a verdict
 * @json: as JSON
 *
 * Return: the exit status of "underpin check --dmar".
 */
int check_dmar_file(const char *path, bool json);

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

#endif /* USERSPACE_CHECK_H */
