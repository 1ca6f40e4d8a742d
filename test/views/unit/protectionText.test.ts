import assert from 'node:assert/strict';
import type { MessageProtection, SealedEnvelope } from '../../../src/core/api.ts';
import { protectionText } from '../../../src/views/reader/protectionText.ts';
import { plain } from './plainLocaliser.ts';
import { SEALED_L2 } from './readerMails.ts';

const KEY_ID = SEALED_L2.keyIds[0]!;
const ENVELOPE: SealedEnvelope = {
  id: 'AAECAwQFBgcICQoLDA0ODw',
  level: 'L2',
  suite: 'QM1-CB256+PQ',
  sealedAt: '2026-03-02T09:41:07Z',
  from: { address: 'alice@example.org', saeId: 'alice-sae' },
  to: [{ address: 'bob@example.net', saeId: 'bob-sae' }],
  keys: [{ keyIds: [KEY_ID], bits: 256, recipients: ['bob@example.net'], use: 'direct' }],
  postQuantumShare: 'present',
  paddedLength: 512,
};
const OUTSIDE = [
  { name: 'From', value: 'Alice <alice@example.org>' },
  { name: 'Subject', value: 'QuMail Secure Message' },
];
const text = (protection: MessageProtection): string => protectionText({ protection }, { l10n: plain, language: 'en-GB', timeZone: 'UTC' });

describe('views/the inspector of protection', () => {
  it('tells the level asked for and reached, algorithms, keys, times, and what lies outside', () => {
    const page = text({
      security: { ...SEALED_L2, suite: 'QM1-CB256+PQ', postQuantum: true },
      openedAt: Date.UTC(2026, 2, 2, 10, 0, 5),
      keyOrigin: 'key-manager',
      envelope: ENVELOPE,
      outside: OUTSIDE,
      size: 2048,
    });
    for (const part of [
      /^What was reached\n {2}Level: L2 · Quantum-aided AES\n {2}State: opened and verified\n/,
      /Suite: QM1-CB256\+PQ: AES-256 .* ML-KEM-768/,
      /Opened here: 2 Mar 2026, 10:00:05 UTC/,
      /What the sender asked for\n {2}Level: L2/,
      /Sealed for: bob@example\.net, SAE bob-sae/,
      /Source: a key manager/,
      /For bob@example\.net: 256 bits of key, used directly/,
      new RegExp(`Key ID: ${KEY_ID}`),
      /Outside of the seal.*\n {2}From: Alice <alice@example\.org>\n {2}Subject: QuMail Secure Message/,
    ])
      assert.match(page, part);
    assert.doesNotMatch(page, /undefined|NaN|\{\d\}/);
  });

  it('never tells the level of what was not opened as reached', () => {
    const security = {
      level: 'L2',
      seal: 'failed',
      keyIds: [],
      simulated: false,
      failure: { code: 'open.tampered', details: {} },
    } as const;
    const page = text({ security, keyOrigin: 'key-manager', envelope: ENVELOPE, outside: OUTSIDE, size: 1 });
    assert.match(
      page,
      /What was reached\n {2}Level: L4 · None\n {2}State: sealed, could not be opened and verified\n {2}Reason: .+\(open\.tampered\)/,
    );
    assert.match(page, /What the sender asked for\n {2}Note: the container says so itself/);
  });

  it('says of ordinary mail that everything lies outside, and of the lab that it is simulated', () => {
    const page = text({ security: { level: 'L4', seal: 'plain', keyIds: [], simulated: true }, outside: OUTSIDE, size: 900 });
    assert.match(page, /^SIMULATED\n/);
    assert.match(page, /State: not sealed/);
    assert.match(page, /Note: everything: the message is not sealed/);
    assert.doesNotMatch(page, /What the sender asked for|Keys\n/);
  });
});
