import assert from 'node:assert/strict';
import { openingStep } from '../../../src/core/account/openingStep.ts';
import { ERROR_CODES, type ErrorCode } from '../../../src/core/api.ts';
import { askAgainText } from '../../../src/core/mail/askAgain.ts';

const HOUR = 3_600_000;

describe('what helps where a message was not opened', () => {
  const step = (code: ErrorCode, age = HOUR) => openingStep(code, age);

  it('is named for every failure to open', () => {
    const opening = ERROR_CODES.filter((code) => code.startsWith('open.') || (code.startsWith('key.') && code !== 'key.quota-exceeded'));
    for (const code of opening) assert.notEqual(step(code), 'wait', code);
    assert.deepEqual(
      opening.filter((code) => step(code) === 'none'),
      ['open.written-elsewhere'],
    );
  });

  it('is waiting while a key may still come, and asking again when it no longer will', () => {
    assert.equal(step('kme.key-not-found', HOUR), 'wait');
    assert.equal(step('kme.key-not-found', 25 * HOUR), 'ask-again');
    assert.equal(step('kme.unreachable'), 'wait');
    assert.equal(step('net.timeout'), 'wait');
    assert.equal(step('kme.key-may-be-lost'), 'ask-again');
  });

  it('tells the seven causes apart', () => {
    assert.equal(step('open.subkey-gone'), 'ask-again');
    assert.equal(step('open.sender-changed'), 'verify');
    assert.equal(step('open.tampered'), 'ask-again');
    assert.equal(step('open.replayed'), 'report');
    assert.equal(step('open.not-for-you'), 'ask-again');
    assert.equal(step('open.unknown-version'), 'update');
    assert.equal(step('open.unknown-suite'), 'update');
  });

  it('asks in words that tell the time and the reason, and nothing that was in the message', () => {
    const { subject, body } = askAgainText(Date.UTC(2026, 10, 22, 21, 46), 'key');
    assert.match(body, /2026-11-22 21:46 UTC/);
    assert.match(body, /key it needs is no longer available/);
    assert.ok(!/Re:/.test(subject));
    const texts = (['key', 'damaged', 'not-for-me', 'unknown'] as const).map((reason) => askAgainText(0, reason).body);
    assert.equal(new Set(texts).size, 4);
  });
});
