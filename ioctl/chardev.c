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

/* An ioctl whose arguments are copied in before it and out after it. */
struct op {
	unsigned int cmd;	/* says how large they are */
	long (*fn)(struct up_vm *vm, void *args);
	bool tells;		/* why it failed: copied out then, too */
};

static long run_op(const struct op *op, struct up_vm *vm, void __user *arg)
{
	void *args = memdup_user(arg, _IOC_SIZE(op->cmd));
	long ret;

	if (IS_ERR(args))
		return PTR_ERR(args);
	ret = op->fn(vm, args);
	if ((!ret || op->tells) && copy_to_user(arg, args, _IOC_SIZE(op->cmd)))
		ret = -EFAULT;
	kfree(args);
	return ret;
}

static long find_and_run(const struct op *ops, size_t n, struct up_vm *vm, unsigned int cmd,
			 unsigned long arg)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ops[i].cmd == cmd)
			return run_op(&ops[i], vm, (void __user *)arg);
	return -ENOTTY;
}

static long vm_protect(struct up_vm *vm, void *p)
{
	struct underpin_vm_protect *args = p;
	struct up_where at = {};
	long ret;

	if (args->flags || args->reserved)
		return -EINVAL;
	ret = up_vm_protect(vm, args, &at);
	args->step = ret ? at.step : UNDERPIN_STEP_NONE;
	args->where = ret ? at.where : 0;
	return ret;
}

static long vm_donate(struct up_vm *vm, void *p)
{
	struct underpin_vm_donate *args = p;
	struct up_where at = {};
	long ret;

	if (args->flags)
		return -EINVAL;
	ret = up_vm_donate(vm, args, &at);
	args->step = ret ? at.step : UNDERPIN_STEP_NONE;
	args->where = ret ? at.where : 0;
	return ret;
}

static long vm_ticket(struct up_vm *vm, void *p)
{
	struct underpin_vm_ticket *args = p;

	return args->flags || args->reserved ? -EINVAL : up_vm_ticket(vm, args);
}

static const struct op vm_ops[] = {
	{ UNDERPIN_VM_PROTECT, vm_protect, true },
	{ UNDERPIN_VM_DONATE, vm_donate, true },
	{ UNDERPIN_VM_TICKET, vm_ticket },
};

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return find_and_run(vm_ops, ARRAY_SIZE(vm_ops), file->private_data, cmd, arg);
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

static long dev_vm_info(struct up_vm *none, void *p)
{
	struct underpin_vm_info *info = p;
	u32 id = info->id;
	struct up_vm *vm;
	long ret;

	if (info->flags)
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	info->id = id;
	vm = up_vm_find(id);
	if (!vm)
		return -ENOENT;
	ret = up_vm_info(vm, info);
	up_vm_put(vm);
	return ret;
}

static long dev_vm_list(struct up_vm *none, void *p)
{
	struct underpin_vm_list *args = p;
	u32 ids[UNDERPIN_MAX_VMS];
	u32 nr, fit;

	if (args->flags)
		return -EINVAL;
	nr = up_vm_list(ids, ARRAY_SIZE(ids));
	fit = min3(nr, args->count, (u32)ARRAY_SIZE(ids));
	args->count = nr;
	return copy_to_user(u64_to_user_ptr(args->ids), ids, fit * sizeof(*ids)) ? -EFAULT : 0;
}

static long dev_vm_release(struct up_vm *none, void *p)
{
	struct underpin_vm_release *args = p;
	struct up_vm *vm;
	long ret;

	if (args->flags)
		return -EINVAL;
	vm = up_vm_find(args->id);
	if (!vm)
		return -ENOENT;
	ret = up_vm_end(vm);
	up_vm_put(vm);
	return ret;
}

static long dev_status(struct up_vm *none, void *p)
{
	struct underpin_status *status = p;
	u32 cpu = status->cpu;

	if (status->flags)
		return -EINVAL;
	memset(status, 0, sizeof(*status));
	status->cpu = cpu;
	return up_status(status);
}

static long dev_launch(struct up_vm *none, void *p)
{
	struct underpin_launch *launch = p;

	return launch->flags || launch->asks_tickets ? -EINVAL : up_launch_info(launch);
}

static long dev_attest(struct up_vm *none, void *p)
{
	struct underpin_attest *attest = p;

	return attest->flags || attest->reserved ? -EINVAL : up_attest(attest);
}

static long dev_challenge(struct up_vm *none, void *p)
{
	struct underpin_challenge *challenge = p;

	return challenge->flags || challenge->reserved ? -EINVAL : up_challenge(challenge);
}

static long dev_vm_report(struct up_vm *none, void *p)
{
	struct underpin_vm_report *report = p;

	return report->flags ? -EINVAL : up_vm_report(report);
}

static const struct op dev_ops[] = {
	{ UNDERPIN_STATUS, dev_status },
	{ UNDERPIN_LAUNCH, dev_launch },
	{ UNDERPIN_ATTEST, dev_attest },
	{ UNDERPIN_CHALLENGE, dev_challenge },
	{ UNDERPIN_VM_INFO, dev_vm_info },
	{ UNDERPIN_VM_LIST, dev_vm_list },
	{ UNDERPIN_VM_RELEASE, dev_vm_release },
	{ UNDERPIN_VM_REPORT, dev_vm_report },
};

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	/* It hands out a descriptor, which is published last. */
	if (cmd == UNDERPIN_VM_CREATE)
		return dev_vm_create((void __user *)arg);
	return find_and_run(dev_ops, ARRAY_SIZE(dev_ops), NULL, cmd, arg);
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
