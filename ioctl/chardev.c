// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/underpin and the file descriptors of VMs: arguments are copied once,
 * checked, used, and the results copied out.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "ioctl.h"
#include "vm.h"

static int vm_release(struct inode *inode, struct file *file)
{
	up_vm_closed(file->private_data);
	return 0;
}

static long vm_protect(struct up_vm *vm, void __user *arg)
{
	struct underpin_vm_protect args;
	struct up_where at = {};
	long ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.flags || args.reserved)
		return -EINVAL;
	ret = up_vm_protect(vm, &args, &at);
	args.step = ret ? at.step : UNDERPIN_STEP_NONE;
	args.where = ret ? at.where : 0;
	if (copy_to_user(arg, &args, sizeof(args)))
		return -EFAULT;
	return ret;
}

static long vm_donate(struct up_vm *vm, void __user *arg)
{
	struct underpin_vm_donate args;
	struct up_where at = {};
	long ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.flags)
		return -EINVAL;
	ret = up_vm_donate(vm, &args, &at);
	args.step = ret ? at.step : UNDERPIN_STEP_NONE;
	args.where = ret ? at.where : 0;
	if (copy_to_user(arg, &args, sizeof(args)))
		return -EFAULT;
	return ret;
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case UNDERPIN_VM_PROTECT:
		return vm_protect(file->private_data, (void __user *)arg);
	case UNDERPIN_VM_DONATE:
		return vm_donate(file->private_data, (void __user *)arg);
	}
	return -ENOTTY;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static int copy_fds(s32 *fds, const struct underpin_vm_create *args)
{
	if (args->flags & ~UNDERPIN_VM_DETACHED || args->reserved)
		return -EINVAL;
	if (!args->vcpus || args->vcpus > UNDERPIN_MAX_VCPUS)
		return -EINVAL;
	if (copy_from_user(fds, u64_to_user_ptr(args->vcpu_fds), args->vcpus * sizeof(*fds)))
		return -EFAULT;
	return 0;
}

/* The descriptor appears in the process only after it was told the number. */
static long publish_vm(struct up_vm *vm, struct underpin_vm_create *args, void __user *arg)
{
	struct file *file = anon_inode_getfile("underpin-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	int fd;

	if (IS_ERR(file)) {
		up_vm_closed(vm);
		return PTR_ERR(file);
	}
	fd = get_unused_fd_flags(O_CLOEXEC);
	args->vm_fd = fd;
	if (fd >= 0 && copy_to_user(arg, args, sizeof(*args))) {
		put_unused_fd(fd);
		fd = -EFAULT;
	}
	if (fd < 0) {
		fput(file);
		return fd;
	}
	fd_install(fd, file);
	return 0;
}

static long dev_vm_create(void __user *arg)
{
	struct underpin_vm_create args;
	s32 fds[UNDERPIN_MAX_VCPUS];
	struct up_vm *vm;
	int ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	ret = copy_fds(fds, &args);
	if (ret)
		return ret;
	vm = up_vm_create(&args, fds);
	return IS_ERR(vm) ? PTR_ERR(vm) : publish_vm(vm, &args, arg);
}

static long dev_vm_info(void __user *arg)
{
	struct underpin_vm_info *info = memdup_user(arg, sizeof(*info));
	struct up_vm *vm;
	long ret = -EINVAL;
	u32 id;

	if (IS_ERR(info))
		return PTR_ERR(info);
	if (info->flags)
		goto out;
	id = info->id;
	memset(info, 0, sizeof(*info));
	info->id = id;
	ret = -ENOENT;
	vm = up_vm_find(id);
	if (vm) {
		ret = up_vm_info(vm, info);
		up_vm_put(vm);
	}
	if (!ret && copy_to_user(arg, info, sizeof(*info)))
		ret = -EFAULT;
out:
	kfree(info);
	return ret;
}

static long dev_vm_list(void __user *arg)
{
	struct underpin_vm_list args;
	u32 ids[UNDERPIN_MAX_VMS];
	u32 nr, fit;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.flags)
		return -EINVAL;
	nr = up_vm_list(ids, ARRAY_SIZE(ids));
	fit = min3(nr, args.count, (u32)ARRAY_SIZE(ids));
	args.count = nr;
	if (copy_to_user(u64_to_user_ptr(args.ids), ids, fit * sizeof(*ids)) ||
	    copy_to_user(arg, &args, sizeof(args)))
		return -EFAULT;
	return 0;
}

static long dev_vm_release(void __user *arg)
{
	struct underpin_vm_release args;
	struct up_vm *vm;
	long ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.flags)
		return -EINVAL;
	vm = up_vm_find(args.id);
	if (!vm)
		return -ENOENT;
	ret = up_vm_end(vm);
	up_vm_put(vm);
	return ret;
}

static long dev_status(void __user *arg)
{
	struct underpin_status *status = memdup_user(arg, sizeof(*status));
	long ret = -EINVAL;
	u32 cpu;

	if (IS_ERR(status))
		return PTR_ERR(status);
	if (!status->flags) {
		cpu = status->cpu;
		memset(status, 0, sizeof(*status));
		status->cpu = cpu;
		ret = up_status(status);
	}
	if (!ret && copy_to_user(arg, status, sizeof(*status)))
		ret = -EFAULT;
	kfree(status);
	return ret;
}

static long dev_launch(void __user *arg)
{
	struct underpin_launch args;
	long ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.flags || args.reserved)
		return -EINVAL;
	ret = up_launch_info(&args);
	if (!ret && copy_to_user(arg, &args, sizeof(args)))
		ret = -EFAULT;
	return ret;
}

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case UNDERPIN_STATUS:
		return dev_status(argp);
	case UNDERPIN_LAUNCH:
		return dev_launch(argp);
	case UNDERPIN_VM_CREATE:
		return dev_vm_create(argp);
	case UNDERPIN_VM_INFO:
		return dev_vm_info(argp);
	case UNDERPIN_VM_LIST:
		return dev_vm_list(argp);
	case UNDERPIN_VM_RELEASE:
		return dev_vm_release(argp);
	}
	return -ENOTTY;
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "underpin",
	.mode = 0600,
	.fops = &dev_fops,
};

int up_ioctl_init(void)
{
	int ret = up_vms_init();

	if (ret)
		return ret;
	ret = misc_register(&device);
	if (ret) {
		pr_err("making /dev/underpin: error %d\n", ret);
		up_vms_exit();
	}
	return ret;
}

void up_ioctl_exit(void)
{
	misc_deregister(&device);
	up_vms_exit();
}
