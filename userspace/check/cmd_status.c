// SPDX-License-Identifier: GPL-2.0
/* underpin status: what runs beneath this host, and what it has counted. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/cli/observe.h"
#include "userspace/cli/sysfile.h"
#include "userspace/check/exit_reasons.h"

/* The figures of the layer as a whole: name for people and scripts alike. */
static const struct {
	const char *name;
	size_t offset;
} figures[] = {
#define FIGURE(name) { #name, offsetof(struct underpin_status, name) }
	FIGURE(ram_frames), FIGURE(pool_frames), FIGURE(pool_free), FIGURE(table_bytes),
	FIGURE(host_2m_frames), FIGURE(host_4k_frames), FIGURE(vm_frames),
	FIGURE(faults_injected), FIGURE(decoys), FIGURE(denied), FIGURE(flush_epoch),
#undef FIGURE
};

static uint64_t figure(const struct underpin_status *st, size_t i)
{
	return device_u64(st, figures[i].offset);
}

static json_object *exits_json(const __u64 *exits)
{
	json_object *o = json_object_new_object();
	unsigned int i;

	for (i = 0; i < UNDERPIN_EXIT_REASONS; i++)
		if (exits[i])
			json_object_object_add(o, exit_reason_name(i),
					       json_object_new_uint64(exits[i]));
	return o;
}

static json_object *cpu_json(uint32_t cpu, const struct underpin_cpu_status *c)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "cpu", json_object_new_uint64(cpu));
	json_object_object_add(o, "apic_id", json_object_new_uint64(c->apic_id));
	json_object_object_add(o, "demoted", json_object_new_boolean(c->demoted));
	json_object_object_add(o, "transitions", json_object_new_uint64(c->transitions));
	json_object_object_add(o, "flushes", json_object_new_uint64(c->flushes));
	json_object_object_add(o, "nmi_in_root", json_object_new_uint64(c->nmi_in_root));
	json_object_object_add(o, "exits_host", exits_json(c->exits_host));
	json_object_object_add(o, "exits_vm", exits_json(c->exits_vm));
	return o;
}

/* Lines of sysfs's file, and their names here; what it has not got is left out. */
static const struct {
	const char *key, *name;
} iommu_lines[] = {
	{ NULL, "iommu" }, { "allow_no_iommu", "allow_no_iommu" }, { "units", "iommu_units" },
	{ "faults", "iommu_faults" }, { "reason", "iommu_reason" }, { "cure", "iommu_cure" },
};

static void add_iommu(json_object *o)
{
	char *value, *end;
	uint64_t number;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(iommu_lines); i++) {
		value = device_iommu(iommu_lines[i].key);
		if (!value)
			continue;
		number = strtoull(value, &end, 10);
		json_object_object_add(o, iommu_lines[i].name, *value && !*end ?
				       json_object_new_uint64(number) :
				       json_object_new_string(value));
		free(value);
	}
}

static void print_iommu(void)
{
	char *value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(iommu_lines); i++) {
		value = device_iommu(iommu_lines[i].key);
		if (value)
			printf("%-16s %s\n", iommu_lines[i].name, value);
		free(value);
	}
}

/* Each 64 hexadecimal digits, or nothing, and what that means. */
static const struct {
	const char *name, *none;
} keys[] = {
	{ "launch_key", "none: unrooted, nothing is signed" },
	{ "ticket_authority", "none: no VM needs a ticket" },
	{ "host_identity", "none" },
};

static void add_keys(json_object *o)
{
	char *key;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		key = device_key(keys[i].name);
		json_object_object_add(o, keys[i].name, key ? json_object_new_string(key) : NULL);
		free(key);
	}
	key = device_tpm();
	json_object_object_add(o, "tpm", key ? json_object_new_string(key) : NULL);
	free(key);
}

static void print_keys(void)
{
	char *key;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		key = device_key(keys[i].name);
		printf("%-16s %s\n", keys[i].name, key ? key : keys[i].none);
		free(key);
	}
	key = device_tpm();
	printf("tpm              %s\n", key ? key : "unknown");
	free(key);
}

static void add_whole(json_object *o, const struct underpin_status *st)
{
	char hash[65], *state = device_state();
	size_t i;

	cli_hex(hash, st->image_sha256, sizeof(st->image_sha256));
	json_object_object_add(o, "state", json_object_new_string(state));
	free(state);
	json_object_object_add(o, "image_hash", json_object_new_string(hash));
	add_keys(o);
	json_object_object_add(o, "abi", json_object_new_uint64(st->abi));
	json_object_object_add(o, "sealed", json_object_new_boolean(st->sealed));
	json_object_object_add(o, "vms", json_object_new_uint64(st->vms));
	add_iommu(o);
	for (i = 0; i < ARRAY_SIZE(figures); i++)
		json_object_object_add(o, figures[i].name, json_object_new_uint64(figure(st, i)));
}

/* "0-2,5" are four. */
static unsigned int cpus_online(void)
{
	char *line = sysfile_line("/sys/devices/system/cpu/online"), *at = line;
	unsigned long first, last;
	unsigned int n = 0;

	while (at && *at) {
		first = strtoul(at, &at, 10);
		last = *at == '-' ? strtoul(at + 1, &at, 10) : first;
		n += last - first + 1;
		if (*at && *at++ != ',')
			break;
	}
	free(line);
	return n;
}

static int status_json(int dev, struct underpin_status *st)
{
	json_object *o = json_object_new_object(), *cpus = json_object_new_array();
	uint32_t cpu, demoted = 0, nr = st->cpus;
	int ret = 0;

	add_whole(o, st);
	for (cpu = 0; cpu < nr && !ret; cpu++) {
		ret = device_status(dev, cpu, st);
		demoted += st->counters.demoted;
		json_object_array_add(cpus, cpu_json(cpu, &st->counters));
	}
	json_object_object_add(o, "cpus_online", json_object_new_int64(cpus_online()));
	json_object_object_add(o, "cpus_demoted", json_object_new_uint64(demoted));
	json_object_object_add(o, "cpus", cpus);
	if (!ret)
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
	return ret;
}

static void print_exits(const char *whose, const __u64 *exits)
{
	unsigned int i;

	for (i = 0; i < UNDERPIN_EXIT_REASONS; i++)
		if (exits[i])
			printf("    %-5s %-24s %" PRIu64 "\n", whose, exit_reason_name(i),
			       (uint64_t)exits[i]);
}

static int status_text(int dev, struct underpin_status *st)
{
	uint32_t cpu, nr = st->cpus;
	char hash[65], *state = device_state();
	size_t i;

	cli_hex(hash, st->image_sha256, sizeof(st->image_sha256));
	printf("state            %s%s\nimage_hash       %s\n", state, st->sealed ? ", sealed" : "",
	       hash);
	free(state);
	print_keys();
	printf("vms              %u\n", st->vms);
	print_iommu();
	for (i = 0; i < ARRAY_SIZE(figures); i++)
		printf("%-16s %" PRIu64 "\n", figures[i].name, figure(st, i));
	for (cpu = 0; cpu < nr; cpu++) {
		if (device_status(dev, cpu, st))
			return -1;
		printf("CPU %u (APIC %u): %s, %" PRIu64 " transitions, %" PRIu64 " flushes\n", cpu,
		       st->counters.apic_id, st->counters.demoted ? "demoted" : "NOT demoted",
		       (uint64_t)st->counters.transitions, (uint64_t)st->counters.flushes);
		print_exits("host", st->counters.exits_host);
		print_exits("VMs", st->counters.exits_vm);
	}
	return 0;
}

static int not_loaded(bool json)
{
	puts(json ? "{ \"state\": \"not loaded\" }" : "state            not loaded");
	return CLI_NOT_READY;
}

int cmd_status(int argc, char **argv)
{
	struct underpin_status st;
	const char *report;
	bool json;
	int dev, ret;

	if (cli_output_replay(argc, argv, &json, &report))
		return CLI_USAGE;
	if (report && observe_replay(report))
		return CLI_FAILED;
	if (!sysfile_exists("%s", UNDERPIN_DEVICE))
		return not_loaded(json);
	dev = device_open();
	if (dev < 0)
		return CLI_FAILED;
	ret = device_status(dev, UNDERPIN_CPU_NONE, &st);
	if (!ret)
		ret = json ? status_json(dev, &st) : status_text(dev, &st);
	close(dev);
	return ret ? CLI_FAILED : CLI_OK;
}
