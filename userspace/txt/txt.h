/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a dynamic launch by Intel TXT leaves behind: public registers, heap, SINIT's header, and
 * what tboot and Linux's Secure Launch hand over (MLE Software Development Guide 315168; the
 * Secure Launch specification).  Pure functions over bytes that a host hands out: copied
 * or mapped, of any length, and believed in nothing.
 */
#ifndef TXT_TXT_H
#define TXT_TXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TXT_PUBLIC	0xfed30000ul	/* the registers that Linux may read */
#define TXT_PAGE	4096u
#define TXT_FACTS	600

/* --- what is found: rows for whoever prints them --- */

enum txt_kind { TXT_TABLE, TXT_NUMBER, TXT_ADDRESS, TXT_BYTES, TXT_TEXT };

struct txt_fact {
	const char *name;
	enum txt_kind kind;
	uint64_t value;
	const uint8_t *bytes;	/* of the input; for TXT_TEXT printable ones */
	size_t len;
};

/* Why a table is refused. */
#define TXT_FAULTS(X) \
	X(SHORT, "it is shorter than its header") \
	X(SIZE, "a size that it names reaches beyond it, or is too small") \
	X(VERSION, "a version is older than any that is known") \
	X(ELEMENT, "an extended data element is malformed, or the last one is not END") \
	X(COUNT, "it counts more entries than it has room for") \
	X(TYPE, "it is none of the kind: type, magic or identifier is another one") \
	X(MANY, "it has more entries than any machine's")

#define TXT_FAULT_NAME(name, words) TXT_##name,
enum txt_fault { TXT_OK, TXT_FAULTS(TXT_FAULT_NAME) TXT_FAULT_COUNT };

struct txt {
	unsigned int facts;
	struct txt_fact fact[TXT_FACTS];
	size_t at;		/* of the fault */
};

/** txt_fault_words() - a fault in words */
const char *txt_fault_words(enum txt_fault fault);

/* --- registers --- */

/* A row: a register, its offset and its bytes (315168, appendix B). */
#define TXT_REGISTERS(X) \
	X(STS, 0x000, 8) \
	X(ESTS, 0x008, 1) \
	X(ERRORCODE, 0x030, 4) \
	X(DIDVID, 0x110, 8) \
	X(SINIT_BASE, 0x270, 8) \
	X(SINIT_SIZE, 0x278, 8) \
	X(HEAP_BASE, 0x300, 8) \
	X(HEAP_SIZE, 0x308, 8) \
	X(DPR, 0x330, 8) \
	X(E2STS, 0x8f0, 8)

#define TXT_REGISTER_NAME(name, offset, size) TXT_##name,
enum txt_register { TXT_REGISTERS(TXT_REGISTER_NAME) TXT_REGISTER_COUNT };

#define TXT_PACKED	(8 * TXT_REGISTER_COUNT)	/* bytes, little-endian */

struct txt_regs {
	uint64_t reg[TXT_REGISTER_COUNT];
};

/* A row: what the registers are worth; only the last one is a measured environment. */
#define TXT_VERDICTS(X) \
	X(ABSENT, "absent", "no TXT answers at its registers") \
	X(RESET, "reset", "a TXT reset ended what was launched") \
	X(NEVER, "never", "no dynamic launch since the last reset") \
	X(FAILED, "failed", "a dynamic launch was tried and failed") \
	X(LEFT, "left", "SENTER and then SEXIT were done: the measured environment is over") \
	X(UNSOUND, "unsound", "SENTER is said to be done, and other registers speak against it") \
	X(MEASURED, "measured", "a measured environment is up")

#define TXT_VERDICT_NAME(name, word, reason) TXT_VERDICT_##name,
enum txt_verdict { TXT_VERDICTS(TXT_VERDICT_NAME) TXT_VERDICT_COUNT };

/** txt_regs_read() - from an image of the public space.  Return: was it long enough? */
bool txt_regs_read(struct txt_regs *r, const uint8_t *page, size_t len);

/** txt_register_offset() - of the word of eight bytes that it is in */
unsigned int txt_register_offset(enum txt_register reg);

/** txt_regs_facts() - registers, and the bits of them that have names */
void txt_regs_facts(struct txt *t, const struct txt_regs *r);

/** txt_regs_pack() - as evidence has them: 8 bytes each, in their order */
void txt_regs_pack(const struct txt_regs *r, uint8_t packed[TXT_PACKED]);

/** txt_regs_unpack() - see txt_regs_pack() */
void txt_regs_unpack(struct txt_regs *r, const uint8_t packed[TXT_PACKED]);

/** txt_verdict() - is a measured environment up? */
enum txt_verdict txt_verdict(const struct txt_regs *r);

/** txt_verdict_word() - "left" */
const char *txt_verdict_word(enum txt_verdict verdict);

/** txt_verdict_reason() - in a sentence */
const char *txt_verdict_reason(enum txt_verdict verdict);

/** txt_error_words() - TXT.ERRORCODE in words; @text has room for 160 bytes */
void txt_error_words(uint32_t code, char text[160]);

/** txt_error_is_none() - does this code say that nothing failed? */
bool txt_error_is_none(uint32_t code);

/* --- tables; @t grows by what was read also where a fault ends it --- */

/** txt_heap() - the four tables of the heap, as far as they were written */
enum txt_fault txt_heap(struct txt *t, const uint8_t *bytes, size_t len);

/** txt_acm() - an authenticated code module's header and information table */
enum txt_fault txt_acm(struct txt *t, const uint8_t *bytes, size_t len);

/** txt_slrt() - the resource table of Secure Launch, in either of its layouts */
enum txt_fault txt_slrt(struct txt *t, const uint8_t *bytes, size_t len);

/** txt_tboot() - tboot's shared page, or the head of its log */
enum txt_fault txt_tboot(struct txt *t, const uint8_t *bytes, size_t len);

#endif /* TXT_TXT_H */
