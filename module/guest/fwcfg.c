// SPDX-License-Identifier: GPL-2.0
/*
 * fw_cfg, QEMU's way to hand files to firmware (docs/specs/fw_cfg.rst), by DMA
 * through the window that is shared with the host: one page for the command,
 * the rest for data.  Each piece is copied once from the window to private
 * memory, and only the copy is hashed and used.
 */
#include "fw.h"
#include "vmx/base/lib.h"
#include "vmx/base/sha256.h"

#define PORT_SELECT	0x510
#define PORT_DATA	0x511
#define PORT_DMA_HIGH	0x514
#define PORT_DMA_LOW	0x518
#define ID_DMA		2
#define DMA_ERROR	1
#define DMA_READ	2
#define DMA_SELECT	8
#define PATIENCE	1000000
#define NAME_LEN	56

/* In the window; every field big endian. */
struct dma_command {
	u32 control;
	u32 length;
	u64 address;
};

/* One entry of FWCFG_FILE_DIR, big endian. */
struct dir_entry {
	u32 size;
	u16 key;
	u16 reserved;
	char name[NAME_LEN];
};

#define WINDOW_COMMAND	((volatile struct dma_command *)FW_WINDOW)
#define WINDOW_DATA	(FW_WINDOW + PAGE_SIZE)
#define WINDOW_BYTES	((FW_WINDOW_PAGES - 1) * PAGE_SIZE)

/** fwcfg_open() - check that fw_cfg is there and does DMA, then share the window */
void fwcfg_open(void)
{
	u8 sig[4], id;
	unsigned int i;

	outw(PORT_SELECT, FWCFG_SIGNATURE);
	for (i = 0; i < sizeof(sig); i++)
		sig[i] = inb(PORT_DATA);
	if (memcmp(sig, "QEMU", sizeof(sig)))
		fail("fw_cfg", "not found");
	outw(PORT_SELECT, FWCFG_ID);
	id = inb(PORT_DATA);
	if (!(id & ID_DMA))
		fail("fw_cfg", "offers no DMA");
	layer_share();
}

/** fwcfg_close() - the window is private again */
void fwcfg_close(void)
{
	layer_unshare();
	memset((void *)FW_WINDOW, 0, FW_WINDOW_PAGES * PAGE_SIZE);
}

/* @control: DMA_READ, with DMA_SELECT and a key for the first piece of a file */
static void dma(u32 control, u32 len)
{
	unsigned int i;
	u32 left = 0;

	WINDOW_COMMAND->control = __builtin_bswap32(control);
	WINDOW_COMMAND->length = __builtin_bswap32(len);
	WINDOW_COMMAND->address = __builtin_bswap64(WINDOW_DATA);
	barrier();
	outl(PORT_DMA_HIGH, 0);
	outl(PORT_DMA_LOW, __builtin_bswap32(FW_WINDOW));
	for (i = 0; i < PATIENCE; i++) {
		left = __builtin_bswap32(WINDOW_COMMAND->control);
		if (!(left & ~(u32)DMA_ERROR))
			break;
	}
	if (left)
		fail("fw_cfg", left & DMA_ERROR ? "DMA error" : "DMA does not end");
	barrier();
}

/**
 * fwcfg_read() - read a file's first @len bytes to private memory
 * @key: its selector
 * @dst: private memory of the caller's, @len bytes
 * @hash: extended with the private copy, unless NULL
 */
void fwcfg_read(u16 key, void *dst, u64 len, struct sha256 *hash)
{
	u32 control = (u32)key << 16 | DMA_SELECT | DMA_READ;
	u8 *to = dst;
	u64 n;

	for (; len; to += n, len -= n) {
		n = len < WINDOW_BYTES ? len : WINDOW_BYTES;
		dma(control, (u32)n);
		memcpy(to, (const void *)WINDOW_DATA, n);
		if (hash)
			sha256_update(hash, to, n);
		control = DMA_READ;
	}
}

/** fwcfg_u32() - the value of a four-byte item */
u32 fwcfg_u32(enum fwcfg_key key)
{
	u32 value;

	fwcfg_read((u16)key, &value, sizeof(value), NULL);
	return value;
}

static bool same_name(const char *entry, const char *name)
{
	size_t i;

	for (i = 0; i < NAME_LEN; i++) {
		if (entry[i] != name[i])
			return false;
		if (!name[i])
			return true;
	}
	return false;
}

/** fwcfg_find() - look a file up by name; false if there is none */
bool fwcfg_find(const char *name, u16 *key, u32 *size)
{
	/* QEMU has some 20 files; what lies behind the first 64 does not exist for us */
	static u8 dir[4 + 64 * sizeof(struct dir_entry)];
	struct dir_entry e;
	u32 i, count;

	fwcfg_read(FWCFG_FILE_DIR, dir, sizeof(dir), NULL);
	memcpy(&count, dir, sizeof(count));
	count = __builtin_bswap32(count);
	if (count > (sizeof(dir) - 4) / sizeof(e))
		count = (sizeof(dir) - 4) / sizeof(e);
	for (i = 0; i < count; i++) {
		memcpy(&e, dir + 4 + i * sizeof(e), sizeof(e));
		if (!same_name(e.name, name))
			continue;
		*key = __builtin_bswap16(e.key);
		*size = __builtin_bswap32(e.size);
		return true;
	}
	return false;
}
