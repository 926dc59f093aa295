// SPDX-License-Identifier: GPL-2.0
/*
 * underpin metrics: what "status" and "vm list" know, as Prometheus reads it (its text format,
 * version 0.0.4).  One exposition: of a layer that is gone meanwhile nothing is printed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/check/check.h"
#include "userspace/check/exit_reasons.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/cli/observe.h"
#include "userspace/cli/sysfile.h"

#define FRAME	4096u

static FILE *out;	/* in memory until all is known */

static void head(const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP underpin_%s %s\n# TYPE underpin_%s %s\n", name, help, name, type);
}

/* A label's value, as the format wants it quoted. */
static void label(const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

/* A figure of a structure of ioctl/underpin.h, and what one of it is. */
struct metric {
	const char *name, *type, *help;
	size_t offset;
	unsigned int unit;
};

static void metric_head(const struct metric *m)
{
	head(m->name, m->type, m->help);
}

static uint64_t metric_value(const struct metric *m, const void *from)
{
	return device_u64(from, m->offset) * m->unit;
}

/* Of one of several: a CPU or a VM, by its number. */
static void metric_of(const struct metric *m, const char *whose, uint32_t number,
		      const void *from)
{
	fprintf(out, "underpin_%s{%s=\"%u\"} %" PRIu64 "\n", m->name, whose, number,
		metric_value(m, from));
}

/* --- the layer ------------------------------------------------------------------------- */

static const struct metric figures[] = {
#define FIGURE(name) offsetof(struct underpin_status, name)
	{ "ram_bytes", "gauge", "RAM whose owner the layer keeps.", FIGURE(ram_frames), FRAME },
	{ "pool_bytes", "gauge", "Memory that is the layer's own.", FIGURE(pool_frames), FRAME },
	{ "pool_free_bytes", "gauge", "Of the pool, what is unused.", FIGURE(pool_free), FRAME },
	{ "owner_table_bytes", "gauge", "Size of the table of owners.", FIGURE(table_bytes), 1 },
	{ "host_large_mapped_bytes", "gauge", "Host memory behind mappings of 2 MiB or more.",
	  FIGURE(host_2m_frames), FRAME },
	{ "host_small_mapped_bytes", "gauge", "Host memory behind mappings of 4 KiB.",
	  FIGURE(host_4k_frames), FRAME },
	{ "protected_bytes", "gauge", "Memory that belongs to protected VMs.", FIGURE(vm_frames),
	  FRAME },
	{ "host_faults_injected_total", "counter",
	  "Host accesses to memory that is not its own, answered by a page fault.",
	  FIGURE(faults_injected), 1 },
	{ "host_decoys_total", "counter",
	  "Host accesses to memory that is not its own, answered by a decoy.", FIGURE(decoys), 1 },
	{ "denied_total", "counter", "Requests that the layer refused.", FIGURE(denied), 1 },
	{ "mappings_revoked_total", "counter", "Times that a mapping was taken from somebody.",
	  FIGURE(flush_epoch), 1 },
#undef FIGURE
};

/* NAME{LABEL="VALUE"} 1, or nothing where there is no such value. */
static void fact(const char *name, const char *help, const char *key, char *value)
{
	if (!value)
		return;
	value[strcspn(value, "\n")] = 0;
	head(name, "gauge", help);
	fprintf(out, "underpin_%s{", name);
	label(key, value);
	fputs("} 1\n", out);
	free(value);
}

static void print_layer(const struct underpin_status *st)
{
	char hash[65];
	size_t i;

	cli_hex(hash, st->image_sha256, sizeof(st->image_sha256));
	fact("image_info", "SHA-256 of the root image that was launched.", "sha256", strdup(hash));
	fact("state_info", "What the kernel says of the layer.", "state", device_state());
	fact("iommu_info", "What VT-d does for protected VMs.", "iommu", device_iommu(NULL));
	fact("tpm_info", "What has the launch's events.", "tpm", device_tpm());
	head("sealed", "gauge", "Does the layer stay until the machine restarts?");
	fprintf(out, "underpin_sealed %u\n", st->sealed);
	for (i = 0; i < ARRAY_SIZE(figures); i++) {
		metric_head(&figures[i]);
		fprintf(out, "underpin_%s %" PRIu64 "\n", figures[i].name,
			metric_value(&figures[i], st));
	}
}

/* --- its CPUs -------------------------------------------------------------------------- */

static const struct metric counts[] = {
#define COUNT(name) offsetof(struct underpin_cpu_status, name)
	{ "transitions_total", "counter", "VM exits and VM entries of hardware.",
	  COUNT(transitions), 1 },
	{ "root_nmis_total", "counter", "NMIs that arrived while the layer ran.",
	  COUNT(nmi_in_root), 1 },
	{ "flushes_total", "counter", "Times that all translations were dropped.",
	  COUNT(flushes), 1 },
#undef COUNT
};

static void print_exits(uint32_t cpu, const char *whose, const __u64 *exits)
{
	unsigned int i;

	for (i = 0; i < UNDERPIN_EXIT_REASONS; i++) {
		if (!exits[i])
			continue;
		fprintf(out, "underpin_exits_total{cpu=\"%u\",whose=\"%s\",", cpu, whose);
		label("reason", exit_reason_name(i));
		fprintf(out, "} %" PRIu64 "\n", (uint64_t)exits[i]);
	}
}

static void print_cpus(const struct underpin_cpu_status *cpus, uint32_t n)
{
	uint32_t cpu;
	size_t i;

	head("cpu_demoted", "gauge", "Does this CPU's Linux run above the layer?");
	for (cpu = 0; cpu < n; cpu++)
		fprintf(out, "underpin_cpu_demoted{cpu=\"%u\"} %u\n", cpu, cpus[cpu].demoted);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		metric_head(&counts[i]);
		for (cpu = 0; cpu < n; cpu++)
			metric_of(&counts[i], "cpu", cpu, &cpus[cpu]);
	}
	head("exits_total", "counter", "VM exits of the host and of VMs, by reason.");
	for (cpu = 0; cpu < n; cpu++) {
		print_exits(cpu, "host", cpus[cpu].exits_host);
		print_exits(cpu, "vm", cpus[cpu].exits_vm);
	}
}

/* --- protected VMs --------------------------------------------------------------------- */

static const struct metric vm_figures[] = {
#define FIGURE(name) offsetof(struct underpin_vm_info, name)
	{ "vm_bytes", "gauge", "Memory of a protected VM.", FIGURE(frames), FRAME },
	{ "vm_shared_bytes", "gauge", "Of it, what it shares with the host.",
	  FIGURE(frames_shared), FRAME },
	{ "vm_pinned_bytes", "gauge", "Memory of its process that is pinned for it.",
	  FIGURE(frames_pinned), FRAME },
	{ "vm_entries_total", "counter", "Times that it was entered.", FIGURE(entries), 1 },
	{ "vm_mismatches_total", "counter", "Proposals of the host's that the layer refused.",
	  FIGURE(mismatches), 1 },
#undef FIGURE
};

static void print_vms(const struct underpin_vm_info *vms, unsigned int n)
{
	unsigned int vm;
	size_t i;

	head("vms", "gauge", "Protected VMs that the layer knows.");
	fprintf(out, "underpin_vms %u\n", n);
	head("vm_dead", "gauge", "Has it been ended, never to run again?");
	for (vm = 0; vm < n; vm++)
		fprintf(out, "underpin_vm_dead{vm=\"%u\"} %d\n", vms[vm].id,
			vms[vm].state == UNDERPIN_VM_DEAD);
	for (i = 0; i < ARRAY_SIZE(vm_figures); i++) {
		metric_head(&vm_figures[i]);
		for (vm = 0; vm < n; vm++)
			metric_of(&vm_figures[i], "vm", vms[vm].id, &vms[vm]);
	}
}

/* Those that are still there.  Return: their number, or -1 */
static int read_vms(int dev, struct underpin_vm_info *vms)
{
	uint32_t ids[UNDERPIN_MAX_VMS];
	int i, found = 0, n = device_vm_ids(dev, ids);

	for (i = 0; i < n; i++)
		if (!device_vm_info(dev, ids[i], &vms[found]))
			found++;
	return n < 0 ? -1 : found;
}

/* --- the whole ------------------------------------------------------------------------- */

static int print_all(int dev)
{
	static struct underpin_vm_info vms[UNDERPIN_MAX_VMS];
	struct underpin_cpu_status *cpus;
	struct underpin_status st;
	int ret, nvms = 0;
	uint32_t cpu, n;

	if (device_status(dev, UNDERPIN_CPU_NONE, &st))
		return -1;
	print_layer(&st);
	n = st.cpus;
	cpus = calloc(n + 1, sizeof(*cpus));
	ret = cpus ? 0 : -1;
	for (cpu = 0; cpu < n && !ret; cpu++) {
		ret = device_status(dev, cpu, &st);
		cpus[cpu] = st.counters;
	}
	if (!ret)
		nvms = read_vms(dev, vms);
	if (!ret && nvms >= 0) {
		print_cpus(cpus, n);
		print_vms(vms, (unsigned int)nvms);
	}
	free(cpus);
	return ret || nvms < 0 ? -1 : 0;
}

static int collect(void)
{
	int dev, ret;

	head("up", "gauge", "Is the layer loaded?");
	fprintf(out, "underpin_up %d\n", sysfile_exists("%s", UNDERPIN_DEVICE));
	if (!sysfile_exists("%s", UNDERPIN_DEVICE))
		return CLI_NOT_READY;
	dev = device_open();
	if (dev < 0)
		return CLI_FAILED;
	ret = print_all(dev);
	close(dev);
	return ret ? CLI_FAILED : CLI_OK;
}

int cmd_metrics(int argc, char **argv)
{
	const char *report;
	size_t size = 0;
	char *text = NULL;
	bool json;
	int ret;

	if (cli_output_replay(argc, argv, &json, &report))
		return CLI_USAGE;
	if (json)
		return cli_usage_error("metrics: Prometheus's format is the only one");
	if (report && observe_replay(report))
		return CLI_FAILED;
	out = open_memstream(&text, &size);
	if (!out) {
		cli_error("no memory");
		return CLI_FAILED;
	}
	ret = collect();
	if (fclose(out))
		ret = CLI_FAILED;
	if (ret != CLI_FAILED && (fwrite(text, 1, size, stdout) != size || fflush(stdout))) {
		cli_error("standard output: %m");
		ret = CLI_FAILED;
	}
	free(text);
	return ret;
}
