/* SPDX-License-Identifier: GPL-2.0 */
/* Nonces that a broker knows again, and for how long they are fresh, without keeping any. */
#ifndef BROKER_NONCE_H
#define BROKER_NONCE_H

#include "userspace/attest/attest.h"

/** nonce_begin() - those made before are nobody's from now on.  Return: can nonces be made? */
bool nonce_begin(void);

/** nonce_make() - one; its time is now.  Return: could it be made? */
bool nonce_make(uint8_t nonce[NONCE_SIZE]);

/** nonce_wrong() - NULL, or why it is none of ours, or not of the last @seconds */
const char *nonce_wrong(const uint8_t nonce[NONCE_SIZE], unsigned long seconds);

#endif /* BROKER_NONCE_H */
