import assert from 'node:assert/strict';
import { imapError, smtpError, type SmtpStage } from '../../../src/core/transport/transportErrors.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';

const host = 'mail.example.test';
const imap = (failure: object, shown?: 'password' | 'token'): string => imapError(failure, { host, ...(shown ? { shown } : {}) }).code;
const smtp = (failure: object, stage: SmtpStage = 'envelope', shown: 'password' | 'token' = 'password'): string =>
  smtpError(failure, { host, stage, shown }).code;

describe('IMAP failures', () => {
  it('tells a wrong password from a refused token', () => {
    const refusal = { authenticationFailed: true, responseStatus: 'NO', serverResponseCode: 'AUTHENTICATIONFAILED' };
    assert.equal(imap(refusal, 'password'), 'auth.wrong-password');
    assert.equal(imap(refusal, 'token'), 'auth.token-refused');
  });

  it('does not blame the password when the server could not check it', () => {
    const trouble = {
      authenticationFailed: true,
      responseStatus: 'NO',
      serverResponseCode: 'UNAVAILABLE',
      responseText: 'Temporary\r\nfailure',
    };
    const error = imapError(trouble, { host, shown: 'password' });
    assert.equal(error.code, 'imap.rejected');
    assert.equal(error.details['response'], 'NO [UNAVAILABLE] Temporary failure');
    assert.equal(imap({ authenticationFailed: true, code: 'NoConnection' }, 'password'), 'net.cut');
  });

  it('recognises a token that expired while the session was open', () => {
    assert.equal(imap({ responseStatus: 'NO', serverResponseCode: 'EXPIRED' }, 'token'), 'auth.token-refused');
    assert.equal(imap({ responseStatus: 'NO', serverResponseCode: 'EXPIRED' }, 'password'), 'imap.rejected');
  });

  it('names missing mailboxes, missing TLS, sizes, timeouts and sockets', () => {
    assert.equal(imap({ responseStatus: 'NO', serverResponseCode: 'TRYCREATE' }), 'imap.mailbox-missing');
    assert.equal(imap({ responseStatus: 'NO', mailboxMissing: true }), 'imap.mailbox-missing');
    assert.equal(imap({ tlsFailed: true }), 'net.tls-required');
    assert.equal(imap({ tlsFailed: true, code: 'CERT_HAS_EXPIRED' }), 'net.certificate');
    assert.equal(imap({ code: 'LiteralTooLarge' }), 'net.too-large');
    assert.equal(imap({ code: 'GREETING_TIMEOUT' }), 'net.timeout');
    assert.equal(imap({ code: 'ENOTFOUND' }), 'net.host-unknown');
    assert.equal(imap(new Error('?')), 'net.protocol');
  });

  it('leaves a named error as it is', () => {
    const error = new QuMailError('imap.message-missing');
    assert.equal(imapError(error, { host }), error);
  });
});

describe('SMTP failures', () => {
  it('follows the reply where there is one', () => {
    assert.equal(smtp({ code: 'EAUTH', responseCode: 535, response: '535 5.7.8 no' }), 'auth.wrong-password');
    assert.equal(smtp({ code: 'EAUTH', responseCode: 535 }, 'envelope', 'token'), 'auth.token-refused');
    assert.equal(smtp({ code: 'EAUTH', responseCode: 454, response: '454 4.7.0 later' }), 'smtp.deferred');
    assert.equal(smtp({ code: 'EMESSAGE', responseCode: 550, response: '550 5.7.1 spam' }, 'sent'), 'smtp.rejected');
    assert.equal(smtp({ code: 'EMESSAGE', responseCode: 451, response: '451 4.3.0 later' }, 'sent'), 'smtp.deferred');
    assert.equal(smtp({ code: 'EENVELOPE', responseCode: 552, response: '552 5.3.4 big' }), 'smtp.too-large');
    assert.equal(smtp({ code: 'EMESSAGE', responseCode: 552, response: '552 5.2.2 full' }, 'sent'), 'smtp.rejected');
    assert.equal(smtp({ code: 'ETLS', command: 'STARTTLS', responseCode: 502, response: '502 no' }), 'net.tls-required');
  });

  it('carries status, enhanced status and recipients', () => {
    const failure = { code: 'EENVELOPE', responseCode: 550, response: '550 5.1.1 unknown', rejected: ['x@example.test'] };
    assert.deepEqual(smtpError(failure, { host, stage: 'envelope' }).details, {
      protocol: 'smtp',
      host,
      status: 550,
      enhanced: '5.1.1',
      recipients: ['x@example.test'],
    });
    assert.equal(smtp(failure), 'smtp.recipient-rejected');
  });

  it('does not know what became of a message whose last octet was sent and never answered', () => {
    for (const code of ['ECONNECTION', 'ESOCKET', 'ETIMEDOUT']) {
      assert.equal(smtp({ code }, 'sent'), 'smtp.acceptance-unknown');
      assert.notEqual(smtp({ code }, 'data'), 'smtp.acceptance-unknown');
    }
    assert.equal(smtp({ code: 'ESOCKET', originalCode: 'ECONNRESET' }, 'data'), 'net.cut');
    assert.equal(smtp({ code: 'ETIMEDOUT' }, 'data'), 'net.timeout');
  });

  it('sees through to what the socket said', () => {
    assert.equal(smtp({ code: 'ESOCKET', originalCode: 'ECONNREFUSED' }), 'net.refused');
    assert.equal(smtp({ code: 'EDNS', originalCode: 'ENOTFOUND' }), 'net.host-unknown');
    assert.equal(smtp({ code: 'ESOCKET', originalCode: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'net.certificate');
  });
});
