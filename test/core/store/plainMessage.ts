import type { NewMessage } from '../../../src/core/store/messages.ts';

/** An ordinary message as a server's list tells it; `change` is what the test is about. */
export function plainMessage(uid: number, change: Partial<NewMessage> = {}): NewMessage {
  return {
    uid,
    rfcMessageId: `<${uid}@example.test>`,
    from: { name: 'Bob', address: 'bob@example.test' },
    to: [{ name: '', address: 'alice@example.test' }],
    subject: `Subject ${uid}`,
    date: uid * 1000,
    size: 100,
    flags: [],
    hasAttachments: false,
    preview: '',
    seal: 'plain',
    level: 'L4',
    inReplyTo: '',
    references: [],
    ...change,
  };
}
