import assert from 'node:assert/strict';
import type { PeerCertificate } from 'node:tls';
import { QuMailError, type ErrorCode } from '../../../src/core/base/errors.ts';
import { checkKmeIdentity, connectionError } from '../../../src/core/keys/kmeTls.ts';

const certificate = (o: { cn?: string | string[]; o?: string; issuer?: string; san?: string }): PeerCertificate =>
  ({ subject: { CN: o.cn, O: o.o }, issuer: { O: o.issuer }, subjectaltname: o.san }) as unknown as PeerCertificate;
const failed = (code: string): Error => Object.assign(new Error('words that nobody may rely on'), { code });
const lab = 'QuMail Lab SIMULATED';

describe('who a key manager is', () => {
  const check = (o: Parameters<typeof certificate>[0], kmeId = 'KME-A'): ErrorCode | undefined =>
    checkKmeIdentity(certificate(o), { kmeId, world: 'real' })?.code;

  it('its KME ID is a common name or a DNS or URI name, exactly', () => {
    assert.equal(check({ cn: 'KME-A' }), undefined);
    assert.equal(check({ cn: ['other', 'KME-A'] }), undefined);
    assert.equal(check({ cn: 'x', san: 'DNS:y, DNS:KME-A, IP Address:127.0.0.1' }), undefined);
    assert.equal(check({ san: 'URI:urn:kme:a' }, 'urn:kme:a'), undefined);
    assert.equal(check({ san: 'URI:"urn:x, DNS:KME-A"' }, 'urn:x, DNS:KME-A'), undefined);
    for (const o of [
      { cn: 'kme-a' },
      { cn: 'KME-A2' },
      { cn: '*' },
      {},
      { san: 'email:KME-A' },
      { san: 'URI:"urn:x, DNS:KME-A"' },
      { san: 'IP Address:KME-A' },
    ]) {
      assert.equal(check(o), 'kme.identity', JSON.stringify(o));
    }
  });

  it('simulated ones carry the mark in subject or issuer, and the two worlds never meet', () => {
    for (const marked of [{ o: lab }, { issuer: lab }]) {
      assert.equal(checkKmeIdentity(certificate({ cn: 'K', ...marked }), { kmeId: 'K', world: 'real' })?.code, 'kme.simulated');
      assert.equal(checkKmeIdentity(certificate({ cn: 'K', ...marked }), { kmeId: 'K', world: 'lab' }), undefined);
    }
    assert.equal(checkKmeIdentity(certificate({ cn: 'K', o: 'QKD Vendor' }), { kmeId: 'K', world: 'lab' })?.code, 'kme.simulated');
  });

  it('every way a connection fails has a name, told by its code', () => {
    const names: [string, ErrorCode][] = [
      ['ECONNREFUSED', 'kme.unreachable'],
      ['ENOTFOUND', 'kme.unreachable'],
      ['ECONNRESET', 'kme.unreachable'],
      ['EHOSTUNREACH', 'kme.unreachable'],
      ['CERT_HAS_EXPIRED', 'kme.certificate-expired'],
      ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'kme.certificate-expired'],
      ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'kme.identity'],
      ['SELF_SIGNED_CERT_IN_CHAIN', 'kme.identity'],
      ['DEPTH_ZERO_SELF_SIGNED_CERT', 'kme.identity'],
      ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'kme.unauthorised'],
      ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'kme.unauthorised'],
      ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'kme.unauthorised'],
      ['ERR_SSL_WRONG_VERSION_NUMBER', 'kme.bad-answer'],
      ['HPE_INVALID_CONSTANT', 'kme.bad-answer'],
    ];
    for (const [code, name] of names) assert.equal(connectionError(failed(code), 'not-sent').code, name, code);
    assert.equal(connectionError('not even an error', 'sent').code, 'kme.unreachable');
    const own = new QuMailError('kme.simulated');
    assert.equal(connectionError(own, 'sent'), own);
  });
});
