// SPDX-License-Identifier: GPL-2.0
/* underpin vm: protected VMs; list, show, release. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/cli/observe.h"
#include "userspace/vm/name.h"
#include "userspace/vm/vm.h"

static const char *state_name(uint32_t state)
{
	static const char * const names[] = {
		[UNDERPIN_VM_NONE] = "none", [UNDERPIN_VM_BUILDING] = "building",
		[UNDERPIN_VM_MEASURING] = "measuring", [UNDERPIN_VM_RUNNABLE] = "protected",
		[UNDERPIN_VM_DEAD] = "dead",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

static json_object *hex_json(const unsigned char *bytes)
{
	char hex[65];

	cli_hex(hex, bytes, 32);
	return json_object_new_string(hex);
}

static void add_number(json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

static json_object *reports_json(const struct underpin_vm_info *i)
{
	json_object *o = json_object_new_object();
	char name[12];
	unsigned int n;

	for (n = 0; n < UNDERPIN_REPORTS; n++) {
		if (!(i->reports & 1u << n))
			continue;
		snprintf(name, sizeof(name), "%u", n);
		json_object_object_add(o, name, hex_json(i->report[n]));
	}
	return o;
}

static json_object *info_json(const struct underpin_vm_info *i)
{
	json_object *o = json_object_new_object();
	char *iommu = device_iommu(NULL), *name = vm_name(i->pid);

	add_number(o, "id", i->id);
	if (name)
		json_object_object_add(o, "name", json_object_new_string(name));
	free(name);
	json_object_object_add(o, "state", json_object_new_string(state_name(i->state)));
	add_number(o, "pid", i->pid);
	add_number(o, "vcpus", i->vcpus);
	add_number(o, "frames", i->frames);
	add_number(o, "frames_shared", i->frames_shared);
	add_number(o, "frames_measured", i->frames_measured);
	add_number(o, "frames_pinned", i->frames_pinned);
	add_number(o, "entries", i->entries);
	add_number(o, "mismatches", i->mismatches);
	if (iommu)
		json_object_object_add(o, "iommu", json_object_new_string(iommu));
	free(iommu);
	json_object_object_add(o, "measurement", hex_json(i->measurement));
	json_object_object_add(o, "reports", reports_json(i));
	if (*i->death)
		json_object_object_add(o, "death", json_object_new_string((const char *)i->death));
	return o;
}

static void info_text(const struct underpin_vm_info *i)
{
	char hex[65], *iommu = device_iommu(NULL), *name = vm_name(i->pid);
	unsigned int n;

	cli_hex(hex, i->measurement, 32);
	if (name)
		printf("name             %s\n", name);
	free(name);
	printf("id               %u\nstate            %s\npid              %d\n"
	       "vcpus            %u\nframes           %" PRIu64 "\nframes_shared    %" PRIu64 "\n"
	       "frames_measured  %" PRIu64 "\nframes_pinned    %" PRIu64 "\n"
	       "entries          %" PRIu64 "\nmismatches       %" PRIu64 "\n"
	       "measurement      %s\n", i->id, state_name(i->state), i->pid, i->vcpus,
	       (uint64_t)i->frames, (uint64_t)i->frames_shared, (uint64_t)i->frames_measured,
	       (uint64_t)i->frames_pinned, (uint64_t)i->entries, (uint64_t)i->mismatches, hex);
	printf("iommu            %s\n", iommu ? iommu : "unknown");
	free(iommu);
	for (n = 0; n < UNDERPIN_REPORTS; n++) {
		if (!(i->reports & 1u << n))
			continue;
		cli_hex(hex, i->report[n], 32);
		printf("report %u         %s\n", n, hex);
	}
	if (*i->death)
		printf("death            %s\n", (const char *)i->death);
}

static void print_json(json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
}

static int list_json(int dev, const uint32_t *ids, int n)
{
	json_object *all = json_object_new_array();
	struct underpin_vm_info info;
	int i;

	for (i = 0; i < n; i++)
		if (!device_vm_info(dev, ids[i], &info))
			json_object_array_add(all, info_json(&info));
	print_json(all);
	return 0;
}

static int list_text(int dev, const uint32_t *ids, int n)
{
	struct underpin_vm_info info;
	char hex[65], *name;
	int i;

	if (n)
		printf("%3s %-9s %7s %5s %8s %-64s %s\n", "ID", "STATE", "PID", "VCPUS", "FRAMES",
		       "MEASUREMENT", "NAME");
	for (i = 0; i < n; i++) {
		if (device_vm_info(dev, ids[i], &info))
			continue;
		cli_hex(hex, info.measurement, 32);
		name = vm_name(info.pid);
		printf("%3u %-9s %7d %5u %8" PRIu64 " %s %s\n", info.id, state_name(info.state),
		       info.pid, info.vcpus, (uint64_t)info.frames, hex, name ? name : "-");
		free(name);
	}
	return 0;
}

static int vm_list(int argc, char **argv)
{
	uint32_t ids[UNDERPIN_MAX_VMS];
	const char *report;
	bool json;
	int dev, n;

	if (cli_output_replay(argc, argv, &json, &report))
		return CLI_USAGE;
	if (report && observe_replay(report))
		return CLI_FAILED;
	dev = device_open();
	if (dev < 0)
		return CLI_NOT_READY;
	n = device_vm_ids(dev, ids);
	if (n >= 0)
		n = json ? list_json(dev, ids, n) : list_text(dev, ids, n);
	close(dev);
	return n < 0 ? CLI_FAILED : CLI_OK;
}

/*
 * The one argument of "show" and "release": its ID, and the device is open.
 * Return: CLI_OK or why not
 */
static int open_for_id(int argc, char **argv, int *dev, unsigned long *id, bool *json)
{
	int i = cli_only_output(argc, argv, 1, json);

	if (i < 0 || cli_number("ID", argv[i], 0, UINT32_MAX, id))
		return CLI_USAGE;
	*dev = device_open();
	return *dev < 0 ? CLI_NOT_READY : CLI_OK;
}

static int vm_show(int argc, char **argv)
{
	struct underpin_vm_info info;
	unsigned long id;
	bool json;
	int dev, ret = open_for_id(argc, argv, &dev, &id, &json);

	if (ret)
		return ret;
	ret = device_vm_info(dev, id, &info);
	close(dev);
	if (ret)
		return CLI_FAILED;
	if (json)
		print_json(info_json(&info));
	else
		info_text(&info);
	return CLI_OK;
}

static int vm_release(int argc, char **argv)
{
	struct underpin_vm_release args = { };
	json_object *released;
	unsigned long id;
	bool json;
	int dev, ret = open_for_id(argc, argv, &dev, &id, &json);

	if (ret)
		return ret;
	args.id = id;
	ret = ioctl(dev, UNDERPIN_VM_RELEASE, &args);
	if (ret)
		cli_error("releasing VM %lu: %s", id, errno == ENOENT ?
			  "there is no such protected VM" : strerror(errno));
	close(dev);
	if (ret)
		return CLI_FAILED;
	if (json) {
		released = json_object_new_object();
		add_number(released, "released", id);
		print_json(released);
	}
	return CLI_OK;
}

/* What the authority of tickets has to be told. */
static int vm_challenge(int argc, char **argv)
{
	struct underpin_challenge c = { };
	struct underpin_launch l = { };
	json_object *o;
	bool json;
	int dev, ret;

	if (cli_only_output(argc, argv, 0, &json) < 0)
		return CLI_USAGE;
	dev = device_open();
	if (dev < 0)
		return CLI_NOT_READY;
	ret = ioctl(dev, UNDERPIN_LAUNCH, &l) || ioctl(dev, UNDERPIN_CHALLENGE, &c);
	if (ret)
		cli_error("a challenge of the layer's: %s", errno == EOPNOTSUPP ?
			  "the processor has no random numbers" : strerror(errno));
	close(dev);
	if (ret)
		return CLI_FAILED;
	o = json_object_new_object();
	json_object_object_add(o, "challenge", hex_json(c.challenge));
	json_object_object_add(o, "nonce", hex_json(l.nonce));
	json_object_object_add(o, "image", hex_json(l.image_sha256));
	if (json) {
		print_json(o);
		return CLI_OK;
	}
	json_object_object_foreach(o, name, value)
		printf("%-10s %s\n", name, json_object_get_string(value));
	json_object_put(o);
	return CLI_OK;
}

static const struct cli_command verbs[] = {
	{ "run", cmd_vm_run, "[--expect SHA256] [--ticket FILE] ... -- QEMU ...",
	  "start a VM with QEMU, protected" },
	{ "check", cmd_vm_check, "[-o json] -- QEMU ...",
	  "what its devices need, before it is started" },
	{ "protect", cmd_vm_protect, "--pid PID [--expect SHA256] [--ticket FILE] ...",
	  "protect a VM that QEMU has stopped" },
	{ "serve", cmd_vm_serve, "[--socket PATH] [--group NAME] [--max-memory MIB]",
	  "protect the VMs of VMMs that ask, such as libvirt's" },
	{ "list", vm_list, "[-o json] [--replay FILE]", "protected VMs" },
	{ "show", vm_show, "[-o json] ID", "one protected VM" },
	{ "release", vm_release, "[-o json] ID", "end a protected VM" },
	{ "challenge", vm_challenge, "[-o json]", "what a ticket for the layer has to name" },
	{ "expected", cmd_vm_expected, "...", "the measurement that a VM must have",
	  true },
	{ }
};

int cmd_vm(int argc, char **argv)
{
	return cli_dispatch("underpin vm", verbs, argc, argv);
}
