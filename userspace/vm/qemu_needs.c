// SPDX-License-Identifier: GPL-2.0
/*
 * What a protected VM's devices and machine have to be (docs/guest.md), found in its QEMU
 * command before anything starts: in the guest it would be a driver's silence.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/cli/cli.h"
#include "userspace/vm/qemu_args.h"

#define VIRTIO_CURE	"add disable-legacy=on,iommu_platform=on: without, its driver refuses a " \
			"host that it does not trust"
#define VGA_CURE	"a protected VM has no VGA, whose memory is none of the measured: use " \
			"-nodefaults or -vga none, and a serial console"
#define PLUGGED_CURE	"memory that is plugged in later is none of the measured: give all of it " \
			"with -m"

/* @arg up to its first comma is @word, or begins with it if that ends with '*'. */
static bool names(const char *arg, const char *word)
{
	size_t len = strlen(word), is = strcspn(arg, ",");

	if (len && word[len - 1] == '*')
		return is >= len - 1 && !strncmp(arg, word, len - 1);
	return is == len && !strncmp(arg, word, len);
}

/* Is "@name=@value" among the properties of @arg?  @value NULL: any */
static bool has_property(const char *arg, const char *name, const char *value)
{
	size_t len = strlen(name), is;

	for (arg += strcspn(arg, ","); *arg; arg += strcspn(arg, ",")) {
		arg++;
		is = strcspn(arg, ",=");
		if (is != len || strncmp(arg, name, len) || arg[is] != '=')
			continue;
		is = strcspn(arg + len + 1, ",");
		if (!value || (strlen(value) == is && !strncmp(arg + len + 1, value, is)))
			return true;
	}
	return false;
}

static bool is_on(const char *arg, const char *name)
{
	return has_property(arg, name, "on") || has_property(arg, name, "true");
}

/* Devices that no flag helps. */
static const struct {
	const char *device, *cure;
} never[] = {
	{ "VGA", VGA_CURE }, { "cirrus-vga", VGA_CURE }, { "virtio-vga*", VGA_CURE },
	{ "qxl-vga", VGA_CURE }, { "vmware-svga", VGA_CURE }, { "isa-vga", VGA_CURE },
	{ "ati-vga", VGA_CURE },
	{ "pc-dimm", PLUGGED_CURE }, { "nvdimm", PLUGGED_CURE }, { "virtio-mem*", PLUGGED_CURE },
	{ "virtio-pmem*", PLUGGED_CURE },
	{ "virtio-balloon*", "the host gets no page of a protected VM back: leave it out" },
	{ "vfio-*", "a device that is passed through cannot reach a protected VM's memory: use a "
		    "virtio device" },
};

static const char *device_needs(const char *arg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(never); i++)
		if (names(arg, never[i].device))
			return never[i].cure;
	if (!names(arg, "virtio-*") && !names(arg, "vhost-*"))
		return NULL;
	if (!is_on(arg, "iommu_platform") ||
	    (!is_on(arg, "disable-legacy") && !strstr(arg, "-non-transitional")))
		return VIRTIO_CURE;
	return NULL;
}

static const char *drive_needs(const char *arg)
{
	/* "if" may come first, where no device's name is. */
	if (strncmp(arg, "if=virtio", 9) && !has_property(arg, "if", "virtio"))
		return NULL;
	return "use if=none,id=D and -device virtio-blk-pci,drive=D,disable-legacy=on,"
	       "iommu_platform=on";
}

static const char *nic_needs(const char *arg)
{
	if (!strstr(arg, "model=virtio"))
		return NULL;
	return "use -netdev ...,id=N and -device virtio-net-pci,netdev=N,disable-legacy=on,"
	       "iommu_platform=on";
}

static const char *vga_needs(const char *arg)
{
	return strcmp(arg, "none") ? VGA_CURE : NULL;
}

static const char *memory_needs(const char *arg)
{
	return strstr(arg, "maxmem=") ? PLUGGED_CURE : NULL;
}

static const char *machine_needs(const char *arg)
{
	if (!strncmp(arg, "type=", 5))
		arg += 5;
	if (!strchr(arg, '=') || strcspn(arg, ",") < strcspn(arg, "="))
		if (!names(arg, "pc") && !names(arg, "pc-i440fx*"))
			return "the firmware's ACPI tables are a pc's: use -machine pc";
	return NULL;
}

static unsigned long smp_value(const char *arg, const char *name, unsigned long other)
{
	const char *at = strstr(arg, name);

	return at ? strtoul(at + strlen(name), NULL, 10) : other;
}

/* An APIC id has a field of bits for each level: ids are one after another if they are full. */
static const char *smp_needs(const char *arg)
{
	unsigned long cpus = smp_value(arg, "cpus=", strtoul(arg, NULL, 10));
	unsigned long threads = smp_value(arg, "threads=", 1), cores = smp_value(arg, "cores=", 0);
	bool full_threads = !(threads & (threads - 1)) || threads >= cpus;
	bool full_cores = !cores || !(cores & (cores - 1)) || cores * threads >= cpus;

	if (full_threads && full_cores)
		return NULL;
	return "the processors' APIC ids would have gaps, and those behind one do not start: use "
	       "-smp N, or threads and cores that are powers of two";
}

static const char *single_needs(const char *arg)
{
	if (strtoul(arg, NULL, 10) < 2 && smp_value(arg, "cpus=", 1) < 2)
		return NULL;
	return "with acpi=off the VM has one processor: leave acpi=off out, with a kernel that has "
	       "TDX guest support";
}

/* Does an option of this name have @text in its argument? */
static bool option_has(char *const argv[], const char *name, const char *text)
{
	const char *arg;
	int i;

	for (i = 1; argv[i]; i++) {
		arg = qemu_args_option(argv, i, name);
		if (arg && strstr(arg, text))
			return true;
	}
	return false;
}

static bool wants_kvm(char *const argv[])
{
	return qemu_args_has(argv, "enable-kvm") || option_has(argv, "accel", "kvm") ||
	       option_has(argv, "machine", "accel=kvm") || option_has(argv, "M", "accel=kvm");
}

/* Which option of whom needs what.  Order is that of the messages. */
static const struct {
	const char *option;
	enum { ANY, WITH_ACPI, WITHOUT_ACPI } who;
	const char *(*needs)(const char *arg);
} rules[] = {
	{ "vga", ANY, vga_needs },
	{ "m", ANY, memory_needs },
	{ "smp", WITHOUT_ACPI, single_needs },
	{ "machine", WITH_ACPI, machine_needs },
	{ "M", WITH_ACPI, machine_needs },
	{ "smp", WITH_ACPI, smp_needs },
	{ "device", WITH_ACPI, device_needs },
	{ "drive", WITH_ACPI, drive_needs },
	{ "nic", WITH_ACPI, nic_needs },
	{ "net", WITH_ACPI, nic_needs },
};

static bool word_in(const char *text, const char *word)
{
	size_t len = strlen(word), is;

	for (; *text; text += is + (text[is] == ' ')) {
		is = strcspn(text, " ");
		if (is == len && !strncmp(text, word, len))
			return true;
	}
	return false;
}

__attribute__((format(printf, 2, 3)))
static void note(struct qemu_problems *p, const char *fmt, ...)
{
	va_list args;

	if (p->n == ARRAY_SIZE(p->text))
		return;
	va_start(args, fmt);
	vsnprintf(p->text[p->n++], sizeof(p->text[0]), fmt, args);
	va_end(args);
}

static void apply(struct qemu_problems *p, char *const argv[], size_t rule)
{
	const char *arg, *cure;
	int i;

	for (i = 1; argv[i]; i++) {
		arg = qemu_args_option(argv, i, rules[rule].option);
		cure = arg ? rules[rule].needs(arg) : NULL;
		if (cure)
			note(p, "-%s %.96s: %s", rules[rule].option, arg, cure);
	}
}

/* Options that no guest can have. */
static void refuse(struct qemu_problems *p, char *const argv[])
{
	static const struct {
		const char *option, *why;
	} refused[] = {
		{ "daemonize", "QEMU would leave its process; let a service manager run "
			       "\"underpin vm run\" instead" },
		{ "incoming", "a VM that has run elsewhere cannot be measured before its first "
			      "instruction" },
		{ "loadvm", "a VM that has run before cannot be measured before its first "
			    "instruction" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		if (qemu_args_has(argv, refused[i].option))
			note(p, "-%s: %s", refused[i].option, refused[i].why);
	if (!wants_kvm(argv))
		note(p, "the VM does not use KVM; add \"-accel kvm\"");
}

void qemu_needs(char *const argv[], struct qemu_problems *p)
{
	const char *append = qemu_args_value(argv, "append");
	bool acpi = !append || !word_in(append, "acpi=off");
	size_t i;

	p->n = 0;
	refuse(p, argv);
	if (!qemu_args_value(argv, "kernel"))
		return;		/* not the guest firmware's: nothing is known of it */
	if (!qemu_args_has(argv, "nodefaults") && !qemu_args_value(argv, "vga"))
		note(p, "-vga std, QEMU's default: " VGA_CURE);
	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].who != (acpi ? WITHOUT_ACPI : WITH_ACPI))
			apply(p, argv, i);
}
