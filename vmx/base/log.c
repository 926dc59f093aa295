// SPDX-License-Identifier: GPL-2.0
/*
 * Log ring and early serial port.  The first thing that works at bring-up and
 * the last words of a layer that cannot go on.
 */
#include <stdarg.h>

#include "vmx/base/asm.h"
#include "vmx/base/lock.h"
#include "vmx/base/log.h"
#include "vmx/base/cpus.h"

#define UART_DATA	0
#define UART_LSR	5
#define UART_LSR_THRE	0x20
#define UART_SPIN	100000

static struct spinlock log_lock;
static char ring[UP_LOG_SIZE];
static u64 ring_end;		/* bytes ever written */
static bool serial_on;
static u64 denied;

#define LOG_FIRST	128
#define LOG_EVERY	1024

bool log_due(void)
{
	static u32 lines;
	u32 n = __atomic_fetch_add(&lines, 1, __ATOMIC_RELAXED);

	return n < LOG_FIRST || n % LOG_EVERY == 0;
}

void note_denied(void)
{
	__atomic_fetch_add(&denied, 1, __ATOMIC_RELAXED);
}

u64 denied_count(void)
{
	return READ_ONCE(denied);
}

void log_serial(bool on)
{
	serial_on = on && up_config.serial_port;
}

static void serial_putc(char c)
{
	u16 port = (u16)up_config.serial_port;
	u32 i;

	for (i = 0; i < UART_SPIN && !(inb(port + UART_LSR) & UART_LSR_THRE); i++)
		cpu_relax();
	outb(port + UART_DATA, (u8)c);
}

static void emit(char c)
{
	WRITE_ONCE(ring[ring_end % UP_LOG_SIZE], c);
	ring_end++;
	if (!serial_on)
		return;
	if (c == '\n')
		serial_putc('\r');
	serial_putc(c);
}

static void emit_number(u64 val, u32 base, u32 width, char pad)
{
	char digits[24];
	u32 n = 0;

	do {
		digits[n++] = "0123456789abcdef"[val % base];
		val /= base;
	} while (val && n < sizeof(digits));
	while (width > n) {
		emit(pad);
		width--;
	}
	while (n)
		emit(digits[--n]);
}

static void emit_string(const char *s)
{
	u32 i;

	for (i = 0; i < 256 && s[i]; i++)
		emit(s[i]);
}

/* One conversion of the format; returns the character after it. */
static const char *emit_conversion(const char *f, va_list *ap)
{
	char pad = *f == '0' ? '0' : ' ';
	u32 width = 0, longs = 0;
	s64 num;

	for (; *f >= '0' && *f <= '9'; f++)
		width = width * 10 + (u32)(*f - '0');
	for (; *f == 'l'; f++)
		longs++;
	switch (*f) {
	case 's':
		emit_string(va_arg(*ap, const char *));
		break;
	case 'd':
		num = longs ? va_arg(*ap, s64) : va_arg(*ap, s32);
		if (num < 0)
			emit('-');
		emit_number(num < 0 ? -(u64)num : (u64)num, 10, width, pad);
		break;
	case 'u':
	case 'x':
		emit_number(longs ? va_arg(*ap, u64) : va_arg(*ap, u32), *f == 'u' ? 10 : 16,
			    width, pad);
		break;
	default:
		emit('%');
		return f;
	}
	return f + 1;
}

static void log_va(const char *fmt, va_list *ap)
{
	emit_string("underpin: ");
	while (*fmt) {
		if (*fmt != '%') {
			emit(*fmt++);
			continue;
		}
		fmt = emit_conversion(fmt + 1, ap);
	}
	emit('\n');
}

void up_log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	spin_lock(&log_lock);
	log_va(fmt, &ap);
	spin_unlock(&log_lock);
	va_end(ap);
}

void up_panic(const char *fmt, ...)
{
	va_list ap;
	u32 i;

	/* The holder of the lock may be this very CPU: wait a while, then write. */
	for (i = 0; i < UART_SPIN && !spin_trylock(&log_lock); i++)
		cpu_relax();
	log_serial(true);
	va_start(ap, fmt);
	emit_string("PANIC ");
	log_va(fmt, &ap);
	va_end(ap);
	spin_unlock(&log_lock);
	for (;;)
		cpu_halt_forever();
}

u32 log_read(u64 *pos, void *buf, u32 len)
{
	char *out = buf;
	u32 n = 0;

	spin_lock(&log_lock);
	if (*pos > ring_end)
		*pos = ring_end;
	if (ring_end - *pos > UP_LOG_SIZE)
		*pos = ring_end - UP_LOG_SIZE;
	while (n < len && *pos < ring_end)
		out[n++] = ring[(*pos)++ % UP_LOG_SIZE];
	spin_unlock(&log_lock);
	return n;
}
