// SPDX-License-Identifier: GPL-2.0
/*
 * What root decodes is what binutils' objdump decodes: each form of MOV between a register
 * and memory, and whatever else begins like one is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmx/cpu/mov.h"

#define SLOT	16	/* a form each; behind it INT3 */

static FILE *forms;
static char path[] = "/tmp/mov-XXXXXX";
static u32 nforms, nmoves;

/* Of both sets that an opcode chooses from; without a REX prefix 4 to 7 are AH to BH. */
static const char *const names[4][16] = {
	{ "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b",
	  "r12b", "r13b", "r14b", "r15b" },
	{ "ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w",
	  "r13w", "r14w", "r15w" },
	{ "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d",
	  "r12d", "r13d", "r14d", "r15d" },
	{ "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11",
	  "r12", "r13", "r14", "r15" },
};

static void add_form(u32 prefix, u8 op, u8 modrm, u8 sib)
{
	u8 slot[SLOT], *p = slot;

	memset(slot, 0xcc, sizeof(slot));
	if (prefix & 1)
		*p++ = 0x66;
	if (prefix >> 1)
		*p++ = 0x40 + (prefix >> 1) - 1;
	*p++ = op;
	*p++ = modrm;
	*p++ = sib;
	memset(p, 0x11, 5);
	assert_int_equal(fwrite(slot, SLOT, 1, forms), 1);
	nforms++;
}

static void add_forms(void)
{
	static const u8 sibs[] = { 0x00, 0x24, 0x65, 0xfd };
	u32 prefix, op, modrm, i;

	for (prefix = 0; prefix < 34; prefix++)
		for (op = 0; op < 256; op++)
			for (modrm = 0; modrm < 256; modrm += op >> 2 == 0x88 >> 2 ? 1 : 0x6d)
				for (i = 0; i < (op >> 2 == 0x88 >> 2 && (modrm & 7) == 4 ?
						 ARRAY_SIZE(sibs) : 1); i++)
					add_form(prefix, op, modrm, sibs[i]);
}

/* "mov eax,DWORD PTR [rdi]" and the like, else false. */
static bool reads_as(const char *text, struct mov *m)
{
	static const char *const sizes[] = { "BYTE PTR ", "WORD PTR ", "DWORD PTR ", "QWORD PTR " };
	char reg[16];
	const char *at, *comma;
	u32 s, i, best = 4;

	/* Prefixes that change nothing have names of their own. */
	while (!strncmp(text, "data16 ", 7) || (!strncmp(text, "rex", 3) && strchr(text, ' ')))
		text = strchr(text, ' ') + 1;
	if (strncmp(text, "mov ", 4))
		return false;
	text += strspn(text + 4, " ") + 4;
	for (s = 0; s < 4; s++) {
		at = strstr(text, sizes[s]);
		if (at && (at == text || at[-1] == ','))
			best = s;
	}
	comma = strrchr(text, ',');
	if (best == 4 || !comma)
		return false;
	at = strstr(text, sizes[best]);
	m->store = at == text;
	m->size = 1 << best;
	snprintf(reg, sizeof(reg), "%.*s", (int)(m->store ? 15 : comma - text),
		 m->store ? comma + 1 : text);
	reg[strcspn(reg, "\n ")] = 0;
	for (i = 0; i < 16; i++)
		if (!strcmp(reg, names[best][i])) {
			m->reg = i;
			return true;
		}
	return false;
}

static u8 opcode(const u8 *insn)
{
	insn += *insn == 0x66;
	insn += (*insn & 0xf0) == 0x40;
	return *insn;
}

/* A line: offset, bytes, text. */
static void compare(u64 at, const char *bytes, const char *text)
{
	struct mov said = { 0 }, m = { 0 };
	u8 insn[SLOT];
	bool is = reads_as(text, &said), ok;

	assert_int_equal(pread(fileno(forms), insn, SLOT, at), SLOT);
	ok = mov_decode(insn, INSN_MAX, &m);
	/* Other opcodes of MOV, as with an absolute address, are not taken. */
	if (ok != (is && opcode(insn) >> 2 == 0x88 >> 2))
		fail_msg("%llx: %s: %s", (unsigned long long)at, text, ok ? "taken" : "refused");
	if (!ok)
		return;
	nmoves++;
	said.len = (u32)(strlen(bytes) + 1) / 3;
	if (memcmp(&m, &said, sizeof(m)))
		fail_msg("%llx: %s: length %u, %u bytes, register %u", (unsigned long long)at, text,
			 m.len, m.size, m.reg);
	assert_false(mov_decode(insn, m.len - 1, &m));
	assert_true(mov_decode(insn, m.len, &m));
}

static void it_is_what_objdump_says(void **state)
{
	char command[160], line[256], *bytes, *text, *end;
	u32 seen = 0;
	FILE *dump;
	u64 at;

	(void)state;
	forms = fdopen(mkstemp(path), "w+");
	assert_non_null(forms);
	add_forms();
	fflush(forms);
	snprintf(command, sizeof(command),
		 "objdump -D -b binary -m i386:x86-64 -M intel --insn-width=16 %s", path);
	dump = popen(command, "r");
	assert_non_null(dump);
	while (fgets(line, sizeof(line), dump)) {
		at = strtoull(line, &end, 16);
		bytes = *end == ':' && end[1] == '\t' ? end + 2 : NULL;
		text = bytes ? strchr(bytes, '\t') : NULL;
		if (!text || at % SLOT)
			continue;
		for (end = text; end > bytes && end[-1] == ' '; end--)
			;
		*end = 0;
		text[strcspn(text + 1, "\n") + 1] = 0;
		compare(at, bytes, text + 1);
		seen++;
	}
	assert_int_equal(pclose(dump), 0);
	fclose(forms);
	unlink(path);
	assert_int_equal(seen, nforms);
	assert_true(nmoves > 10000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_objdump_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
