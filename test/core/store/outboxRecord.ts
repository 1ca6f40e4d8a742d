import type { OutboxRecord } from '../../../src/core/store/outbox.ts';

export function outboxRecord(accountId: string, change: Partial<OutboxRecord> = {}): OutboxRecord {
  return {
    accountId,
    rfcMessageId: '<1@example.org>',
    envelopeFrom: 'alice@example.org',
    envelopeTo: ['bob@example.org'],
    subject: 'the secret subject',
    level: 'L2',
    keyIds: ['key-1'],
    state: 'queued',
    groupId: 'group-1',
    updatedAt: 5,
    mime: Buffer.from('Content-Type: text/plain\r\n\r\nthe secret text'),
    ...change,
  };
}
