import assert from 'node:assert/strict';
import { Log, redact, type LogEntry } from '../../../src/core/base/log.ts';

describe('base/log', () => {
  it('writes event names under their scope, with the facts as given', () => {
    const entries: LogEntry[] = [];
    const log = new Log((entry) => entries.push(entry), 'qumail').scoped('imap');
    log.info('connected', { host: 'mail.example.org', port: 993, idle: true });
    log.error('lost');
    assert.deepEqual(entries, [
      { level: 'info', event: 'qumail.imap.connected', facts: { host: 'mail.example.org', port: 993, idle: true } },
      { level: 'error', event: 'qumail.imap.lost', facts: {} },
    ]);
  });

  it('never writes a value whose name says that it is a secret', () => {
    const names = [
      'password',
      'passphrase',
      'pass',
      'clientSecret',
      'token',
      'access_token',
      'refreshToken',
      'key',
      'pad',
      'authorization',
      'cookie',
      'codeVerifier',
      'subject',
      'body',
    ];
    for (const name of names) assert.equal(redact({ [name]: 'x' })[name], '[redacted]', name);
  });

  it('never writes a value that looks like a credential, whatever its name', () => {
    const values = [
      'Bearer abc.def',
      'user=a auth=bearer abcdef',
      'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln',
      '-----BEGIN EC PRIVATE KEY-----\nMHc',
      'A'.repeat(80),
      `code=${'a1_-'.repeat(20)}`,
    ];
    for (const value of values) assert.equal(redact({ reason: value }).reason, '[redacted]', value);
  });

  it('keeps key IDs, which are UUIDs and no secret, and cuts long values', () => {
    assert.equal(redact({ keyId: 'bc490419-7d60-487f-adc1-4ddcc177c139' }).keyId, 'bc490419-7d60-487f-adc1-4ddcc177c139');
    assert.equal(String(redact({ reason: 'a b '.repeat(200) }).reason).length, 300);
  });

  it('leaves out facts that are undefined', () => {
    assert.deepEqual(Object.keys(redact({ a: undefined, b: 0 })), ['b']);
  });
});
