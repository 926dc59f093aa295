// SPDX-License-Identifier: GPL-2.0
/* Requirements on the host's software and devices. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/sysfile.h"
#include "ioctl/underpin.h"
#include "vmx/abi/iommu.h"

enum check_result check_vmx_unused(struct check_report *r)
{
	static const char * const users[] = {
		"kvm_intel", "vboxdrv", "vmmon", "acrnhv", "jailhouse"
	};
	char cure[128];
	size_t i;

	if (check_loaded())
		return check_pass(r, "the layer is the user of VMX");
	for (i = 0; i < ARRAY_SIZE(users); i++) {
		if (!sysfile_exists("/sys/module/%s", users[i]))
			continue;
		if (!i)
			return check_need(r, KVM_LOADED);
		snprintf(cure, sizeof(cure), "rmmod %s; load it again after underpin.ko", users[i]);
		return check_fail(r, cure, "%s is loaded", users[i]);
	}
	return check_pass(r, "kvm_intel is not loaded, nor another module that is known to use VMX");
}

enum check_result check_lockdown(struct check_report *r)
{
	char *line = sysfile_line("/sys/kernel/security/lockdown");
	enum check_result ret;

	if (check_loaded())
		ret = check_pass(r, "it is loaded");
	else if (!line)
		ret = check_skip(r, "Linux does not tell whether it takes unsigned modules");
	else if (strstr(line, "[none]"))
		ret = check_pass(r, "Linux takes modules without lockdown");
	else
		ret = check_fail(r, "sign underpin.ko with a key that the kernel trusts (kmodsign, mokutil)",
				 "lockdown: %s", line);
	free(line);
	return ret;
}

enum check_result check_module(struct check_report *r)
{
	char *hash = sysfile_line("/sys/kernel/underpin/image_hash");
	enum check_result ret;

	if (hash)
		ret = check_pass(r, "root image %s", hash);
	else if (check_loaded())
		ret = check_pass(r, "loaded");
	else
		ret = check_fail(r, "insmod underpin.ko", "the layer is not loaded");
	free(hash);
	return ret;
}

enum check_result check_device(struct check_report *r)
{
	bool usable = sysfile_usable(UNDERPIN_DEVICE);
	int err = errno;

	if (usable)
		return check_pass(r, "%s can be opened", UNDERPIN_DEVICE);
	if (err == ENOENT)
		return check_fail(r, "insmod underpin.ko", "%s does not exist", UNDERPIN_DEVICE);
	return check_fail(r, "run this as root", "%s: %s", UNDERPIN_DEVICE, strerror(err));
}

enum check_result check_kvm(struct check_report *r)
{
	if (!sysfile_exists("/dev/kvm"))
		return check_fail(r, check_loaded() ? "modprobe kvm_intel" :
				  "insmod underpin.ko, then modprobe kvm_intel",
				  "/dev/kvm does not exist");
	return check_pass(r, "/dev/kvm exists");
}

enum check_result check_kvm_ept(struct check_report *r)
{
	static const char cure[] = "load kvm_intel with ept=1 unrestricted_guest=1";
	char *ept = sysfile_line("/sys/module/kvm_intel/parameters/ept");
	char *unrestricted = sysfile_line("/sys/module/kvm_intel/parameters/unrestricted_guest");
	enum check_result ret;

	if (!ept)
		ret = check_skip(r, "kvm_intel is not loaded");
	else if (*ept != 'Y')
		ret = check_fail(r, cure, "KVM does not use EPT: no VM can be protected");
	else if (unrestricted && *unrestricted != 'Y')
		ret = check_fail(r, cure, "KVM does not use unrestricted guests");
	else
		ret = check_pass(r, "KVM uses EPT");
	free(ept);
	free(unrestricted);
	return ret;
}

enum check_result check_qemu(struct check_report *r)
{
	static const char name[] = "qemu-system-x86_64";
	char *path = sysfile_program(name);

	if (!path)
		return check_fail(r, "apt-get install qemu-system-x86", "%s is not in PATH", name);
	check_pass(r, "%s", path);
	free(path);
	return CHECK_PASS;
}

#define DMAR_FILE "/sys/firmware/acpi/tables/DMAR"

#define CURE(name, found, cure)	cure,
static const char * const iommu_cures[] = { "", UP_IOMMU_REASONS(CURE) };

#define ECAP_SMTS	(1ULL << 43)	/* scalable mode (VT-d specification 11.4.3) */

/* Does some group of devices have a domain of tables?  Of those that pass through none has. */
static bool linux_translates(void)
{
	char *names = sysfile_names("/sys/kernel/iommu_groups"), *rest = names, *name, *type;
	bool found = false;

	while (rest && !found && (name = strsep(&rest, "\n"))) {
		if (!*name)
			continue;
		type = sysfile_line("/sys/kernel/iommu_groups/%s/type", name);
		found = type && strcmp(type, "identity");
		free(type);
	}
	free(names);
	return found;
}

/* It takes effect where hardware has it and the kernel is told to, or built to. */
static bool scalable_mode(void)
{
	char *ecap = sysfile_line("/sys/class/iommu/dmar0/intel-iommu/ecap");
	char *cmdline = sysfile_line("/proc/cmdline");
	bool has = ecap && strtoull(ecap, NULL, 16) & ECAP_SMTS;
	bool off = cmdline && strstr(cmdline, "sm_off");

	free(ecap);
	free(cmdline);
	return has && !off;
}

/*
 * States 1 to 4 of what Linux does with its units (docs/iommu.md), as far as that can be
 * seen from here: root looks at the registers.
 */
static enum check_result check_use(struct check_report *r)
{
	char found[sizeof(r->found)];

	snprintf(found, sizeof(found), "%s", r->found);
	if (!sysfile_entries("/sys/kernel/iommu_groups"))
		return check_pass(r, "%.120s; state 1: it does not translate", found);
	if (scalable_mode())
		return check_fail(r, iommu_cures[UP_IOMMU_SCALABLE],
				  "%.120s; state 4: in scalable mode", found);
	if (linux_translates())
		return check_pass(r, "%.120s; state 3: it translates by tables of its own", found);
	return check_pass(r, "%.120s; state 2: it passes everything through", found);
}

enum check_result check_iommu(struct check_report *r)
{
	unsigned int used = sysfile_entries("/sys/class/iommu");
	enum check_result ret;
	size_t len;
	char *table = sysfile_read(&len, DMAR_FILE);

	if (table)
		ret = check_dmar(r, (const uint8_t *)table, len, used);
	else if (sysfile_exists(DMAR_FILE))
		ret = check_skip(r, DMAR_FILE " cannot be read: run this as root");
	else
		ret = check_fail(r, iommu_cures[UP_IOMMU_NO_DMAR], "firmware lists no VT-d unit (DMAR)");
	if (ret == CHECK_PASS)
		ret = check_use(r);
	free(table);
	return ret;
}

enum check_result check_tpm(struct check_report *r)
{
	char *version = sysfile_line("/sys/class/tpm/tpm0/tpm_version_major");
	bool registers = sysfile_exists("/sys/class/tpm/tpm0/device/driver");
	enum check_result ret;

	if (!version)
		ret = check_fail(r, "enable the TPM in the firmware's setup; without it nothing can be attested",
				 "there is no TPM");
	else if (strcmp(version, "2"))
		ret = check_fail(r, "a TPM 2.0 is needed to attest", "the TPM's version is %s",
				 version);
	else
		ret = check_pass(r, "TPM 2.0%s", registers ? "" :
				 " without registers of its own: evidence will be weak");
	free(version);
	return ret;
}
