// SPDX-License-Identifier: GPL-2.0
/* Physical memory, by every way that ring 0 has. */
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "module.h"

#define DECOY_PATTERN	0xdec0dec0dec0dec0ULL

static void *map_frame(struct page *page, u32 way)
{
	switch (way) {
	case ATK_DIRECT:
		return page_address(page);
	case ATK_VMAP:
		return vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	case ATK_UNCACHED:
		return vmap(&page, 1, VM_MAP, pgprot_noncached(PAGE_KERNEL));
	case ATK_KMAP:
		return kmap_local_page(page);
	case ATK_MEMREMAP:
		return memremap(page_to_phys(page), PAGE_SIZE, MEMREMAP_WB);
	}
	return NULL;
}

static void unmap_frame(void *at, u32 way)
{
	if (way == ATK_VMAP || way == ATK_UNCACHED)
		vunmap(at);
	else if (way == ATK_KMAP)
		kunmap_local(at);
	else if (way == ATK_MEMREMAP)
		memunmap(at);
}

static long copy_frame(const struct atk_mem *m, void *at, u8 *buf)
{
	if (m->write) {
		memcpy(at, buf, m->len);
		return 0;
	}
	return copy_from_kernel_nofault(buf, at, m->len);
}

static long mem(const struct atk_mem *m, u8 *buf)
{
	void *at = map_frame(pfn_to_page(m->pa >> PAGE_SHIFT), m->way);
	long ret;

	if (!at)
		return -ENOMEM;
	ret = copy_frame(m, at + offset_in_page(m->pa), buf);
	unmap_frame(at, m->way);
	return ret;
}

long atk_mem(void __user *arg)
{
	struct atk_mem m;
	long ret = 0;
	u8 *buf;

	if (copy_from_user(&m, arg, sizeof(m)))
		return -EFAULT;
	if (!pfn_valid(m.pa >> PAGE_SHIFT) || offset_in_page(m.pa) + m.len > PAGE_SIZE ||
	    m.way >= ATK_WAYS)
		return -EINVAL;
	buf = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (m.write && copy_from_user(buf, u64_to_user_ptr(m.buf), m.len))
		ret = -EFAULT;
	ret = ret ?: mem(&m, buf);
	if (!ret && !m.write && copy_to_user(u64_to_user_ptr(m.buf), buf, m.len))
		ret = -EFAULT;
	memset(buf, 0, PAGE_SIZE);
	kfree(buf);
	return ret;
}

static void access_reg(struct atk_reg *r, void __iomem *at)
{
	if (r->write && r->bytes == 8)
		writeq(r->val, at);
	else if (r->write)
		writel(r->val, at);
	else
		r->val = r->bytes == 8 ? readq(at) : readl(at);
}

long atk_reg(void __user *arg)
{
	struct atk_reg r;
	void __iomem *at;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if ((r.bytes != 4 && r.bytes != 8) || r.pa % r.bytes)
		return -EINVAL;
	at = ioremap(r.pa, r.bytes);
	if (!at)
		return -ENOMEM;
	access_reg(&r, at);
	iounmap(at);
	return copy_to_user(arg, &r, sizeof(r)) ? -EFAULT : 0;
}

/* The test's secrets have 16 low bits in common: one comparison for most words. */
static u64 scan_page(const u64 *page, u64 pa, struct atk_scan *s)
{
	u16 tag = secret.a[0] ^ secret.b[0];
	u64 found = 0;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		if (likely((u16)page[i] != tag) || !is_secret(page[i]))
			continue;
		if (!s->found && !found)
			s->where = pa + i * sizeof(u64);
		found++;
	}
	return found;
}

long atk_scan(void __user *arg)
{
	u64 __user *list;
	struct atk_scan s;
	u64 pa, first, pfn;

	if (copy_from_user(&s, arg, sizeof(s)))
		return -EFAULT;
	list = u64_to_user_ptr(s.list);
	for (pa = s.start; pa < s.end; pa += PAGE_SIZE) {
		pfn = pa >> PAGE_SHIFT;
		if (!pfn_valid(pfn) || copy_from_kernel_nofault(&first, __va(pa), sizeof(first)))
			continue;
		if (first == DECOY_PATTERN) {
			if (s.decoys < s.room && put_user(pfn, list + s.decoys))
				return -EFAULT;
			s.decoys++;
		}
		s.found += scan_page(__va(pa), pa, &s);
		cond_resched();
	}
	return copy_to_user(arg, &s, sizeof(s)) ? -EFAULT : 0;
}

long atk_zero(void __user *arg)
{
	struct atk_zero z;
	u64 i, pfn;

	if (copy_from_user(&z, arg, sizeof(z)))
		return -EFAULT;
	for (i = 0; i < z.count; i++) {
		if (get_user(pfn, (u64 __user *)u64_to_user_ptr(z.list) + i))
			return -EFAULT;
		if (memchr_inv(__va(pfn << PAGE_SHIFT), 0, PAGE_SIZE))
			z.dirty++;
		cond_resched();
	}
	return copy_to_user(arg, &z, sizeof(z)) ? -EFAULT : 0;
}
