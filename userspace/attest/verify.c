// SPDX-License-Identifier: GPL-2.0
/* The steps of verification; each returns NULL, or why the evidence is rejected. */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include "userspace/attest/launchlog.h"
#include "userspace/attest/verify.h"
#include "userspace/cli/cli.h"

struct verify {
	const uint8_t *text;
	size_t len;
	const struct policy *policy;
	const uint8_t *nonce;
	struct evidence e;
	EVP_PKEY *ak;
	TPMS_ATTEST attest;
	struct launch_log launch;
	uint8_t dynamic;	/* what PCR 19 began with */
	const char *root;
};

static const char *step_format(struct verify *v)
{
	return evidence_read(&v->e, v->text, v->len);
}

static const char *step_nonce(struct verify *v)
{
	return memcmp(v->e.nonce, v->nonce, NONCE_SIZE) ?
		"the evidence answers another nonce than the one that was asked" : NULL;
}

/* --- the TPM's quote --- */

static EVP_PKEY *read_pem(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return key;
}

static const char *step_ak(struct verify *v)
{
	uint8_t *der = NULL, digest[SHA256_SIZE];
	int len;

	v->ak = read_pem(v->e.ak);
	if (!v->ak)
		return "the attestation key is no public key in PEM";
	len = i2d_PUBKEY(v->ak, &der);
	if (len <= 0)
		return "the attestation key cannot be encoded";
	attest_sha256(der, (size_t)len, digest);
	OPENSSL_free(der);
	return policy_lists_bytes(v->policy, "aks", digest, sizeof(digest)) ? NULL :
		"the attestation key is none of the policy's";
}

static const char *step_strength(struct verify *v)
{
	int bits = EVP_PKEY_get_bits(v->ak);

	if (EVP_PKEY_is_a(v->ak, "RSA"))
		return bits < 2048 ? "the attestation key is RSA of less than 2048 bits" : NULL;
	if (EVP_PKEY_is_a(v->ak, "EC"))
		return bits < 256 ? "the attestation key's curve has less than 256 bits" : NULL;
	return "the attestation key is neither RSA nor of an elliptic curve";
}

/* TPMT_SIGNATURE to the form that OpenSSL takes. Return: length, 0 if it is malformed. */
static size_t openssl_signature(const TPMT_SIGNATURE *s, uint8_t **out, TPM2_ALG_ID *hash)
{
	ECDSA_SIG *pair;
	int len;

	*out = NULL;
	if (s->sigAlg == TPM2_ALG_RSASSA) {
		*hash = s->signature.rsassa.hash;
		*out = OPENSSL_memdup(s->signature.rsassa.sig.buffer, s->signature.rsassa.sig.size);
		return *out ? s->signature.rsassa.sig.size : 0;
	}
	if (s->sigAlg != TPM2_ALG_ECDSA)
		return 0;
	*hash = s->signature.ecdsa.hash;
	pair = ECDSA_SIG_new();
	ECDSA_SIG_set0(pair, BN_bin2bn(s->signature.ecdsa.signatureR.buffer,
				       s->signature.ecdsa.signatureR.size, NULL),
		       BN_bin2bn(s->signature.ecdsa.signatureS.buffer,
				 s->signature.ecdsa.signatureS.size, NULL));
	len = i2d_ECDSA_SIG(pair, out);
	ECDSA_SIG_free(pair);
	return len < 0 ? 0 : (size_t)len;
}

static bool signed_by(EVP_PKEY *key, const EVP_MD *md, const uint8_t *signature, size_t size,
		      const void *message, size_t len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context && EVP_DigestVerifyInit(context, NULL, md, NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature, size, message, len) == 1;

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good;
}

static const char *step_signature(struct verify *v)
{
	TPM2_ALG_ID hash = 0;
	TPMT_SIGNATURE s;
	size_t at = 0, size;
	uint8_t *bytes;
	bool good;

	if (Tss2_MU_TPMT_SIGNATURE_Unmarshal(v->e.signature.at, v->e.signature.len, &at, &s) ||
	    at != v->e.signature.len)
		return "the quote's signature is malformed";
	size = openssl_signature(&s, &bytes, &hash);
	if (!size || hash != TPM2_ALG_SHA256) {
		OPENSSL_free(bytes);
		return "the quote's signature is neither RSASSA nor ECDSA with SHA-256";
	}
	good = signed_by(v->ak, EVP_sha256(), bytes, size, v->e.message.at, v->e.message.len);
	OPENSSL_free(bytes);
	return good ? NULL : "the attestation key has not signed this quote";
}

static const char *step_magic(struct verify *v)
{
	size_t at = 0;

	if (Tss2_MU_TPMS_ATTEST_Unmarshal(v->e.message.at, v->e.message.len, &at, &v->attest) ||
	    at != v->e.message.len)
		return "the quote's message is malformed";
	if (v->attest.magic != TPM2_GENERATED_VALUE)
		return "the quote's message was not made by a TPM: another magic";
	return v->attest.type == TPM2_ST_ATTEST_QUOTE ? NULL :
		"the TPM signed something else than a quote";
}

static const char *step_quoted_nonce(struct verify *v)
{
	const TPM2B_DATA *data = &v->attest.extraData;

	return data->size == NONCE_SIZE && !memcmp(data->buffer, v->nonce, NONCE_SIZE) ? NULL :
		"the TPM quoted for another nonce";
}

static const char *step_clock(struct verify *v)
{
	const TPMS_CLOCK_INFO *clock = &v->attest.clockInfo;

	if (!clock->safe)
		return "the TPM's clock is not safe: it may have been set back";
	if (!policy_clock(v->policy, "resetCount", clock->resetCount))
		return "the TPM was reset since: its resetCount is not the policy's";
	if (!policy_clock(v->policy, "restartCount", clock->restartCount))
		return "the TPM was restarted since: its restartCount is not the policy's";
	return NULL;
}

static uint32_t selected(const TPMS_PCR_SELECTION *s)
{
	uint32_t pcrs = 0, i;

	for (i = 0; i < s->sizeofSelect && i < 3; i++)
		pcrs |= (uint32_t)s->pcrSelect[i] << 8 * i;
	return pcrs;
}

static const char *step_selection(struct verify *v)
{
	const TPML_PCR_SELECTION *s = &v->attest.attested.quote.pcrSelect;
	uint32_t needed = 1u << PCR_STRONG | 1u << PCR_WEAK | 1u << 17 | policy_pcrs(v->policy);

	if (s->count != 1 || s->pcrSelections[0].hash != TPM2_ALG_SHA256)
		return "the quote is not of the SHA-256 bank alone";
	if (selected(&s->pcrSelections[0]) != v->e.pcrs)
		return "the quote is of other PCRs than the evidence has values of";
	return needed & ~v->e.pcrs ? "the quote lacks PCR 15, 17, 19 or one of the policy's" : NULL;
}

static const char *step_composite(struct verify *v)
{
	const TPM2B_DIGEST *quoted = &v->attest.attested.quote.pcrDigest;
	uint8_t all[EVIDENCE_PCRS * SHA256_SIZE], digest[SHA256_SIZE];
	size_t len = 0;
	uint32_t i;

	for (i = 0; i < EVIDENCE_PCRS; i++) {
		if (!(v->e.pcrs >> i & 1))
			continue;
		memcpy(all + len, v->e.pcr[i], SHA256_SIZE);
		len += SHA256_SIZE;
	}
	attest_sha256(all, len, digest);
	return quoted->size == SHA256_SIZE && !memcmp(quoted->buffer, digest, SHA256_SIZE) ? NULL :
		"the PCRs' values are not those that the TPM quoted";
}

/* --- the logs --- */

static const char *step_launch_log(struct verify *v)
{
	return launch_log_read(v->e.launch_log.at, v->e.launch_log.len, &v->launch);
}

static bool replays(const struct verify *v, const struct bytes *bytes, uint32_t pcr,
		    uint8_t dynamic)
{
	static struct eventlog_pcrs pcrs;
	struct eventlog log;
	unsigned int i;

	if (eventlog_replay(bytes->at, bytes->len, dynamic, &log, &pcrs))
		return false;
	for (i = 0; i < log.algs; i++)
		if (log.alg[i].id == ALG_SHA256)
			return !memcmp(pcrs.value[i][pcr], v->e.pcr[pcr], SHA256_SIZE);
	return false;
}

static const char *step_launch_replay(struct verify *v)
{
	for (v->dynamic = 0; ; v->dynamic = 0xff) {
		if (replays(v, &v->e.launch_log, v->launch.pcr, v->dynamic))
			return NULL;
		if (v->dynamic)
			return "the launch's log does not lead to the PCR that was quoted";
	}
}

static const char *step_firmware_log(struct verify *v)
{
	static struct eventlog_pcrs pcrs;
	enum eventlog_fault fault;
	struct eventlog log;
	unsigned int i;
	uint32_t pcr;

	if (!v->e.firmware_log.len)
		return NULL;
	fault = eventlog_replay(v->e.firmware_log.at, v->e.firmware_log.len, 0, &log, &pcrs);
	if (fault)
		return eventlog_words(fault);
	for (i = 0; i < log.algs && log.alg[i].id != ALG_SHA256; i++)
		;
	if (i == log.algs)
		return "the firmware's log is not of SHA-256";
	for (pcr = 0; pcr < 8; pcr++)
		if (v->e.pcrs >> pcr & 1 && memcmp(pcrs.value[i][pcr], v->e.pcr[pcr], SHA256_SIZE))
			return "the firmware's log does not lead to the PCRs that were quoted";
	return NULL;
}

/* --- what was launched --- */

static const char *step_not_ended(struct verify *v)
{
	return v->launch.ended ? "the launch has ended: the layer has left" : NULL;
}

static const char *step_image(struct verify *v)
{
	return policy_lists_bytes(v->policy, "images", v->launch.content[LAUNCH_IMAGE].bytes,
				  SHA256_SIZE) ? NULL :
		"the root image is none of the policy's";
}

static const char *step_config(struct verify *v)
{
	uint8_t digest[SHA256_SIZE];

	attest_sha256(v->launch.content[LAUNCH_CONFIG].bytes, v->launch.content[LAUNCH_CONFIG].len,
		      digest);
	return policy_lists_bytes(v->policy, "configurations", digest, sizeof(digest)) ? NULL :
		"the configuration is none of the policy's";
}

static const char *step_iommu(struct verify *v)
{
	char text[32] = "";
	uint32_t len = v->launch.content[LAUNCH_IOMMU].len;

	if (len < sizeof(text))
		memcpy(text, v->launch.content[LAUNCH_IOMMU].bytes, len);
	return strlen(text) == len && policy_lists(v->policy, "iommu", text) ? NULL :
		"the IOMMU's state is none that the policy accepts";
}

static const char *step_reference(struct verify *v)
{
	uint32_t pcrs = policy_pcrs(v->policy), i;

	for (i = 0; i < EVIDENCE_PCRS; i++)
		if (pcrs >> i & 1 && !policy_has_pcr(v->policy, i, v->e.pcr[i]))
			return "a PCR has a value that is none of the policy's";
	return NULL;
}

/* --- the launch's key --- */

static const char *step_key(struct verify *v)
{
	return memcmp(v->launch.content[LAUNCH_KEY].bytes, v->e.public, PUBLIC_SIZE) ?
		"the launch's log has another key than the evidence" : NULL;
}

static bool signed_by_launch(const struct verify *v, const uint8_t *signature,
			     const void *message, size_t len)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, v->e.public,
						    PUBLIC_SIZE);
	bool good = key && signed_by(key, NULL, signature, SIGNATURE_SIZE, message, len);

	EVP_PKEY_free(key);
	return good;
}

static const char *step_statement(struct verify *v)
{
	uint8_t statement[STATEMENT_SIZE];

	evidence_statement(statement, v->e.flags, v->nonce, v->e.public);
	return signed_by_launch(v, v->e.launch_signature, statement, sizeof(statement)) ? NULL :
		"the launch's key has not signed for this nonce and these flags";
}

static const char *step_weaknesses(struct verify *v)
{
	unsigned int i;

	if (v->e.flags >> WEAKNESS_COUNT)
		return "the layer names a weakness that this program does not know";
	for (i = 0; i < WEAKNESS_COUNT; i++)
		if (v->e.flags >> i & 1 && !policy_lists(v->policy, "weaknesses", weakness_name(i)))
			return "the layer names a weakness that the policy does not accept";
	return NULL;
}

/*
 * PCR 17 keeps its value when the measured environment ends: then nothing that was measured is
 * in charge any more.  The host says this of itself, so that it counts against it alone.
 */
static bool launch_is_over(const struct verify *v)
{
	struct txt_regs r;

	if (!v->e.has_txt)
		return false;
	txt_regs_unpack(&r, v->e.txt);
	return txt_verdict(&r) != TXT_VERDICT_MEASURED;
}

static const char *step_root(struct verify *v)
{
	bool over = launch_is_over(v);

	if (!v->e.quoted)
		v->root = "unrooted";
	else if (v->launch.pcr == PCR_WEAK)
		v->root = "weak";
	else if (v->dynamic || over || !policy_has_pcr(v->policy, 17, v->e.pcr[17]))
		v->root = "firmware";
	else
		v->root = "strong";
	if (policy_lists(v->policy, "accept", v->root))
		return NULL;
	return over ? "TXT's registers say that no measured environment is up" :
		"the policy does not accept evidence that is rooted so";
}

/* --- a VM --- */

static const char *step_vm(struct verify *v)
{
	bool asked = policy_has(v->policy, "measurements");

	if (v->e.has_vm && !asked)
		return "there is a VM's report, and the policy has no measurements";
	return asked && !v->e.has_vm ? "the policy asks for a VM, and there is no report of one" :
		NULL;
}

static const char *step_vm_report(struct verify *v)
{
	return report_wrong(v->e.vm_report);
}

static const char *step_vm_signature(struct verify *v)
{
	const uint8_t *r = v->e.vm_report;

	if (memcmp(REPORT_BYTES(r, key), v->e.public, PUBLIC_SIZE))
		return "the VM's report is of another launch: it names another key";
	return signed_by_launch(v, v->e.vm_signature, r, REPORT_SIZE) ? NULL :
		"the launch's key has not signed the VM's report";
}

static const char *step_vm_nonce(struct verify *v)
{
	return memcmp(REPORT_BYTES(v->e.vm_report, data), v->nonce, NONCE_SIZE) ?
		"the VM's report was made for another nonce" : NULL;
}

static const char *step_vm_asker(struct verify *v)
{
	bool vm = REPORT_U32(v->e.vm_report, vm_flags) & UP_VM_ASKED;

	return policy_lists(v->policy, "askers", vm ? "vm" : "host") ? NULL :
		"the policy does not accept a report that this side asked for: see askers";
}

static const char *step_vm_state(struct verify *v)
{
	return REPORT_U32(v->e.vm_report, state) == UP_VM_RUNNABLE ? NULL :
		"the VM is none that may run: it is being made, or dead";
}

static const char *step_vm_measurement(struct verify *v)
{
	return policy_lists_bytes(v->policy, "measurements",
				  REPORT_BYTES(v->e.vm_report, measurement), SHA256_SIZE) ? NULL :
		"the VM's measurement is none of the policy's";
}

static const char *step_vm_reports(struct verify *v)
{
	const uint8_t *r = v->e.vm_report, *digest = REPORT_BYTES(r, report);
	uint32_t wanted = policy_reports(v->policy), i;

	if (wanted & ~REPORT_U32(r, reports))
		return "the VM has not reported a digest that the policy asks for";
	for (i = 0; i < UP_VM_REPORTS; i++, digest += SHA256_SIZE)
		if (wanted >> i & 1 && !policy_has_report(v->policy, i, digest))
			return "the VM has reported a digest that is none of the policy's";
	return NULL;
}

static const char *step_vm_weaknesses(struct verify *v)
{
	return REPORT_U32(v->e.vm_report, flags) & ~v->e.flags ?
		"the VM's report names a weakness that the launch's statement does not" : NULL;
}

/* In this order; what needs a quote or a VM's report is left out where there is none. */
static const struct {
	const char *name, *passed;
	const char *(*run)(struct verify *v);
	enum { ALWAYS, QUOTE, VM } needs;
} steps[] = {
	{ "format", "it is the one encoding of what it says", step_format },
	{ "nonce", "it answers the nonce", step_nonce },
	{ "ak", "the attestation key is the policy's", step_ak, QUOTE },
	{ "ak-strength", "the attestation key is strong enough", step_strength, QUOTE },
	{ "quote-signature", "the attestation key has signed the quote", step_signature, QUOTE },
	{ "quote-magic", "a TPM made it, and it is a quote", step_magic, QUOTE },
	{ "quote-nonce", "the TPM quoted for the nonce", step_quoted_nonce, QUOTE },
	{ "quote-clock", "the TPM's clock is safe, its resets are as expected", step_clock, QUOTE },
	{ "quote-selection", "the PCRs that matter were quoted", step_selection, QUOTE },
	{ "quote-composite", "the values are those that were quoted", step_composite, QUOTE },
	{ "launch-log", "it is exactly one launch", step_launch_log },
	{ "launch-replay", "it leads to the PCR that was quoted", step_launch_replay, QUOTE },
	{ "firmware-log", "it leads to the PCRs that were quoted, or there is none",
	  step_firmware_log, QUOTE },
	{ "launch-lasts", "the layer has not left", step_not_ended },
	{ "image", "the root image is the policy's", step_image },
	{ "configuration", "the configuration is the policy's", step_config },
	{ "iommu", "the IOMMU's state is accepted", step_iommu },
	{ "pcrs", "PCRs have the policy's values", step_reference, QUOTE },
	{ "launch-key", "the log vouches for the launch's key", step_key },
	{ "launch-signature", "the launch's key has signed for the nonce", step_statement },
	{ "vm", "there is a VM's report where the policy asks for one", step_vm },
	{ "vm-report", "it is a report of the layer's", step_vm_report, VM },
	{ "vm-signature", "this launch's key has signed it", step_vm_signature, VM },
	{ "vm-nonce", "it was made for the nonce", step_vm_nonce, VM },
	{ "vm-asker", "the policy accepts who asked for it", step_vm_asker, VM },
	{ "vm-state", "the VM may run", step_vm_state, VM },
	{ "vm-measurement", "its measurement is the policy's", step_vm_measurement, VM },
	{ "vm-reports", "what it loaded is the policy's", step_vm_reports, VM },
	{ "vm-weaknesses", "it names none but the launch's", step_vm_weaknesses, VM },
	{ "weaknesses", "what the layer names is accepted", step_weaknesses },
	{ "root", "the policy accepts how it is rooted", step_root },
};

const char *verify_evidence(const uint8_t *text, size_t len, const struct policy *policy,
			    const uint8_t nonce[NONCE_SIZE], struct verify_result *results)
{
	struct verify v = { .text = text, .len = len, .policy = policy, .nonce = nonce };
	const char *wrong = NULL, *root;
	size_t i;

	_Static_assert(ARRAY_SIZE(steps) < VERIFY_STEPS, "each step has a row");
	for (i = 0; i < ARRAY_SIZE(steps); i++, results++) {
		results->step = steps[i].name;
		results->reason = wrong ? "not reached" : steps[i].needs == VM ?
				  "there is no VM's report" : "there is no quote";
		results->result = VERIFY_SKIP;
		if (wrong || (steps[i].needs == QUOTE && !v.e.quoted) ||
		    (steps[i].needs == VM && !v.e.has_vm))
			continue;
		wrong = steps[i].run(&v);
		results->reason = wrong ? wrong : steps[i].passed;
		results->result = wrong ? VERIFY_FAIL : VERIFY_PASS;
	}
	results->step = NULL;
	root = wrong ? NULL : v.root;
	EVP_PKEY_free(v.ak);
	evidence_free(&v.e);
	return root;
}
