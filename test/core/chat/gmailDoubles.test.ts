import assert from 'node:assert/strict';
import { ChatOffers, type ChatOffersDeps } from '../../../src/core/account/chatArrivals.ts';
import { partsOf } from '../../../src/core/account/readMessage.ts';
import { Log } from '../../../src/core/base/log.ts';
import { CHAT_FOLDER, groupOfMessageIds } from '../../../src/core/mail/chatMessageId.ts';
import { outerHeadersOf, writeInner, writeOuter } from '../../../src/core/mail/writeMime.ts';
import { ShownMail } from '../../../src/core/store/shownMail.ts';
import { ACCOUNT, SyncRig } from '../account/sync/syncRig.ts';
import { ModelImap } from '../transport/modelImap.ts';
import { removeTempFolders } from '../store/vaultFixture.ts';
import { deliverAll, openSide, type Side } from './memoryWorld.ts';

const ALL = '[Gmail]/All Mail';
const gmail = { id: '1812345678901234567', thread: '1812345678901234567', labels: ['\\Inbox'] };
const report = {
  level: 'L2' as const,
  suite: 'QM1-CB256',
  keyIds: [],
  sealedAt: '',
  payloadSha256: '',
  summary: { from: { name: '', address: '' }, to: [], subject: '', preview: '', hasAttachments: false },
};

describe('chat mail in a Gmail mailbox, where one message lies in several folders', function () {
  this.timeout(20_000);
  let server: ModelImap;
  let rig: SyncRig;
  let alice: Side;
  let bob: Side;

  before(async () => {
    server = new ModelImap({ gmail: 'gmail', condstore: 'condstore' });
    await server.start();
    server.create(ALL, '\\All');
    server.create(CHAT_FOLDER);
    rig = await new SyncRig(server.address, { user: { email: 'bob@example.test', password: 'pw' } }).open();
    [alice, bob] = [await openSide('alice@example.test'), await openSide('bob@example.test')];
    alice.meet(bob);
    bob.meet(alice);
  });
  after(async () => {
    for (const side of [alice, bob]) side.dispose();
    rig.dispose();
    await server.close();
    removeTempFolders();
  });

  it('is one line of the chat, listed and counted nowhere, and moved once, out of the inbox', async () => {
    const chat = await alice.changes.startChat({ accountId: 'alice', members: [bob.address] });
    await deliverAll(alice, bob);
    await alice.service.sendChatMessage({ chatId: chat.id, text: 'once' });
    const letter = alice.letters.pop()!;
    const message = {
      ...{ from: { name: 'Alice', address: alice.address }, to: letter.to, cc: [], subject: letter.subject, date: new Date(letter.at) },
      ...{ messageId: letter.messageId, references: [], markdown: letter.text, body: 'text' as const, attachments: letter.files },
    };
    const plaintext = await writeInner(message, outerHeadersOf(message));
    const raw = await writeOuter(outerHeadersOf(message), { json: Buffer.from('{}') });
    server.add('INBOX', raw, { gmail });
    server.add(ALL, raw, { gmail });
    await rig.sync();
    const folders = ['INBOX', ALL, CHAT_FOLDER];
    const listed = (): number[] => folders.map((path) => rig.messages.page(ACCOUNT, path, 50).length);
    const unread = (): number[] => folders.map((path) => rig.messages.countUnread(ACCOUNT, path));
    assert.deepEqual(
      [listed(), unread()],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
      'not even before it was opened',
    );

    const offers = new ChatOffers({
      messages: rig.messages,
      sealedMail: {
        getByEnvelope: () => ({ accountId: ACCOUNT, rfcMessageId: letter.messageId, envelopeId: 'E', plaintext, report, own: 'received' }),
      },
      shown: new ShownMail({ db: rig.db }),
      copies: { due: () => {}, flush: async () => {}, isKnown: () => false } as unknown as ChatOffersDeps['copies'],
      log: new Log(() => {}, 'chat'),
      chats: {
        isChatMail: (id) => groupOfMessageIds(id) !== undefined,
        toldOf: () => 'later',
        arrived: async ({ rfcMessageId }) => {
          const { attachments, from, to, inReplyTo, references, text, date } = await partsOf({ plaintext, report });
          const files = attachments.map((file, index) => ({ ...file, index }));
          const mail = { accountId: 'bob', messageId: rfcMessageId, from, to, inReplyTo, references, text, date: date ?? 0, files };
          return bob.handler.arrived({ ...mail, level: 'L2', sealed: { envelopeId: 'E' } });
        },
      },
    });
    const account = { accountId: ACCOUNT, self: bob.address, handler: rig.handler };
    /** What opening it on arrival comes to, wherever it is found. */
    const open = async (path: string): Promise<void> => {
      for (const row of rig.messages.unopened(ACCOUNT, path)) {
        rig.messages.setSeal(row.id, { seal: 'opened', level: 'L2', envelopeId: 'E' });
      }
      await offers.pending(account, path);
    };
    for (const path of folders) await open(path);
    const moves = server.commands.filter((line) => line.startsWith('UID MOVE'));
    assert.deepEqual(moves, [`UID MOVE 1 "${CHAT_FOLDER}"`]);
    assert.deepEqual(await bob.lines(`bob/${chat.id.slice(-22)}`), ['alice: once']);

    // What the move comes to at Gmail: another label on the same message.
    server.expunge('INBOX', 1);
    server.add(CHAT_FOLDER, raw, { gmail: { ...gmail, labels: [CHAT_FOLDER] }, flags: ['\\Seen'] });
    await rig.sync();
    for (const path of folders) await open(path);
    assert.deepEqual(
      [listed(), unread()],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    );
    assert.deepEqual(await bob.lines(`bob/${chat.id.slice(-22)}`), ['alice: once']);
    assert.equal((await bob.book.getChat({ chatId: `bob/${chat.id.slice(-22)}` })).unread, 1);
    assert.equal(server.commands.filter((line) => line.startsWith('UID MOVE')).length, 1);
  });
});
