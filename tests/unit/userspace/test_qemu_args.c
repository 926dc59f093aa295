// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "userspace/vm/qemu_args.h"
#include "tests.h"

#define QEMU	"qemu-system-x86_64"

void test_qemu_gets_stopped_and_a_monitor(void **state)
{
	char *argv[] = { QEMU, "-accel", "kvm", "-m", "64", NULL };
	static const char * const added[] = { "-S", "-no-reboot", "-chardev",
		"socket,id=underpin-monitor,fd=7", "-mon",
		"chardev=underpin-monitor,mode=control" };
	char **out = qemu_args_stopped(argv, 7);
	size_t i;

	(void)state;
	for (i = 0; argv[i]; i++)
		assert_string_equal(out[i], argv[i]);
	for (i = 0; i < ARRAY_SIZE(added); i++)
		assert_string_equal(out[5 + i], added[i]);
	assert_null(out[5 + i]);
	qemu_args_free(out);
}

void test_qemu_needs_kvm(void **state)
{
	static const struct {
		char *argv[5];
		size_t problems;
	} cases[] = {
		{ { QEMU, "-enable-kvm" }, 0 },
		{ { QEMU, "--enable-kvm" }, 0 },
		{ { QEMU, "-accel", "kvm,dirty-ring-size=0" }, 0 },
		{ { QEMU, "-machine", "pc,accel=kvm:tcg" }, 0 },
		{ { QEMU, "-M", "microvm,accel=kvm" }, 0 },
		{ { QEMU, "-accel", "tcg" }, 1 },
		{ { QEMU, "-machine", "pc" }, 1 },
		{ { QEMU, "-name", "accel=kvm" }, 1 },
		{ { QEMU, "-accel" }, 1 },
		{ { QEMU }, 1 },
	};
	struct qemu_problems p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		qemu_needs(cases[i].argv, &p);
		assert_int_equal(p.n, cases[i].problems);
	}
}

void test_qemu_options_that_cannot_be_protected(void **state)
{
	static char * const options[] = { "-daemonize", "--daemonize", "-incoming", "-loadvm" };
	struct qemu_problems p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		char *argv[] = { QEMU, "-enable-kvm", options[i], "x", NULL };

		qemu_needs(argv, &p);
		assert_int_equal(p.n, 1);
		assert_non_null(strstr(p.text[0], strrchr(options[i], '-') + 1));
	}
}

#define FLAGS	"disable-legacy=on,iommu_platform=on"

/* Each needs something, and the message has that text; NULL: nothing. */
void test_qemu_devices_that_need_something(void **state)
{
	static const struct {
		char *option, *arg, *append, *says;
	} cases[] = {
		{ "-device", "virtio-blk-pci,drive=d," FLAGS, "", NULL },
		{ "-device", "virtio-blk-pci,drive=d,iommu_platform=on", "", "disable-legacy=on" },
		{ "-device", "virtio-net-pci,disable-legacy=on", "", "iommu_platform=on" },
		{ "-device", "virtio-net-pci,disable-legacy=off,iommu_platform=on", "", "add" },
		{ "-device", "virtio-net-pci,iommu_platform=on,disable-legacy=true", "", NULL },
		{ "-device", "virtio-blk-pci-non-transitional,iommu_platform=on", "", NULL },
		{ "-device", "virtio-serial", "", "add" },
		{ "--device", "vhost-vsock-pci,guest-cid=3", "", "add" },
		{ "-device", "nvme,drive=d", "", NULL },
		{ "-device", "virtconsole,chardev=c", "", NULL },
		{ "-device", "virtio-balloon-pci," FLAGS, "", "leave it out" },
		{ "-device", "vfio-pci,host=01:00.0", "", "virtio device" },
		{ "-device", "VGA", "", "no VGA" },
		{ "-device", "pc-dimm,memdev=m", "", "-m" },
		{ "-vga", "none", "", NULL },
		{ "-vga", "std", "", "no VGA" },
		{ "-vga", "std", "acpi=off", "no VGA" },
		{ "-m", "256", "", NULL },
		{ "-m", "256,slots=2,maxmem=1G", "", "measured" },
		{ "-drive", "file=f,if=virtio", "", "if=none" },
		{ "-drive", "if=virtio,file=f", "", "if=none" },
		{ "-drive", "file=f,if=none,id=d", "", NULL },
		{ "-nic", "user,model=virtio-net-pci", "", "-netdev" },
		{ "-net", "nic,model=virtio", "", "-netdev" },
		{ "-machine", "pc,hpet=off,smm=off", "", NULL },
		{ "-machine", "type=pc-i440fx-7.2,accel=kvm", "", NULL },
		{ "-machine", "accel=kvm", "", NULL },
		{ "-M", "q35", "", "-machine pc" },
		{ "-M", "microvm", "", "-machine pc" },
		{ "-M", "microvm", "x acpi=off", NULL },
		{ "-M", "microvm", "xacpi=off acpi=offx", "-machine pc" },
		{ "-smp", "4", "", NULL },
		{ "-smp", "3", "", NULL },
		{ "-smp", "cpus=4,sockets=2,cores=2", "", NULL },
		{ "-smp", "3,cores=3", "", NULL },
		{ "-smp", "6,sockets=2,cores=3", "", "gaps" },
		{ "-smp", "6,cores=2,threads=3", "", "gaps" },
		{ "-smp", "2", "acpi=off", "one processor" },
		{ "-smp", "cpus=2", "acpi=off", "one processor" },
		{ "-smp", "1", "acpi=off", NULL },
		{ "-device", "virtio-blk-pci,drive=d", "acpi=off", NULL },
	};
	struct qemu_problems p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = { QEMU, "-enable-kvm", "-nodefaults", "-kernel", "k", "-append",
				 cases[i].append, cases[i].option, cases[i].arg, NULL };

		qemu_needs(argv, &p);
		if (p.n != !!cases[i].says)
			fail_msg("%s %s: %zu problems", cases[i].option, cases[i].arg, p.n);
		if (p.n && (!strstr(p.text[0], cases[i].says) || !strstr(p.text[0], cases[i].arg)))
			fail_msg("%s", p.text[0]);
	}
}

/* All at once, and no more than there is room for; nothing of another firmware's VM. */
void test_qemu_needs_are_said_at_once(void **state)
{
	char *bare[] = { QEMU, "-enable-kvm", "-kernel", "k", NULL };
	char *other[] = { QEMU, "-enable-kvm", "-device", "virtio-blk-pci", "-vga", "std", NULL };
	char *many[64] = { QEMU, "-kernel", "k" };
	struct qemu_problems p;
	size_t i;

	(void)state;
	qemu_needs(bare, &p);
	assert_int_equal(p.n, 1);
	assert_non_null(strstr(p.text[0], "-nodefaults"));
	qemu_needs(other, &p);
	assert_int_equal(p.n, 0);
	for (i = 3; i + 2 < ARRAY_SIZE(many); i += 2) {
		many[i] = "-device";
		many[i + 1] = "VGA";
	}
	qemu_needs(many, &p);
	assert_int_equal(p.n, ARRAY_SIZE(p.text));
}

void test_qemu_own_stop_is_seen(void **state)
{
	char *stopped[] = { QEMU, "-S", NULL }, *running[] = { QEMU, "-s", NULL };

	(void)state;
	assert_true(qemu_args_has(stopped, "S"));
	assert_false(qemu_args_has(running, "S"));
}

/* QEMU takes the last one; an option that has no argument has no value. */
void test_qemu_option_value(void **state)
{
	char *argv[] = { QEMU, "-uuid", "a", "-S", "--uuid", "b", "-name", NULL };

	(void)state;
	assert_string_equal(qemu_args_value(argv, "uuid"), "b");
	assert_null(qemu_args_value(argv, "name"));
	assert_null(qemu_args_value(argv, "m"));
}
