import assert from 'node:assert/strict';
import { ImapFlow } from 'imapflow';
import { changeFlags, moveMessages, removeMessages } from '../../../src/core/transport/imapWriting.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { ALICE, BOB, message, startWorld } from './support.ts';

for (const { server, imapCapability } of [
  { server: 'a server with MOVE and UIDPLUS', imapCapability: undefined },
  { server: 'a server with UIDPLUS alone', imapCapability: 'IMAP4rev1 UIDPLUS' },
  { server: 'a server without extensions', imapCapability: 'IMAP4rev1' },
]) {
  describe(`messages of which another program expunged one a moment ago, on ${server}`, () => {
    let world: MailWorld;
    let imap: ImapFlow;
    let count = 0;

    before(async function () {
      needMailWorld(this);
      world = await startWorld(imapCapability === undefined ? {} : { imapCapability });
      imap = new ImapFlow({
        ...{ host: world.imap.host, port: world.imap.port, secure: true, logger: false, disableAutoIdle: true },
        auth: { user: BOB.email, pass: BOB.password },
        tls: { ca: world.caPem },
      });
      await imap.connect();
      await imap.mailboxCreate('Target');
    });
    after(async () => {
      await imap?.logout();
      await world?.stop();
    });

    /** A folder with the UIDs 1 to 3, selected, the second of which is gone without the session having been told. */
    async function selected(): Promise<string> {
      const folder = `Source ${++count}`;
      await imap.mailboxCreate(folder);
      for (const subject of ['a', 'b', 'c'])
        await imap.append(folder, message({ from: ALICE.email, to: BOB.email, subject: `${subject} ${count}`, body: 'x\r\n' }));
      await imap.mailboxOpen(folder);
      await world.doveadm(['expunge', '-u', BOB.email, 'mailbox', folder, 'uid', '2']);
      return folder;
    }
    const uidsIn = async (folder: string): Promise<number> =>
      (await world.doveadm(['search', '-u', BOB.email, 'mailbox', folder, 'all'])).trim().split('\n').filter(Boolean).length;

    it('moves each of the others or leaves it where it was', async () => {
      const folder = await selected();
      const before = await uidsIn('Target');
      const moved = await moveMessages(imap, [1, 2, 3], 'Target');
      const arrived = (await uidsIn('Target')) - before;
      assert.equal(arrived + (await uidsIn(folder)), 2, 'none is lost');
      assert.ok(moved.size <= arrived, 'none is said to have been moved that was not');
    });

    it('flags and removes the others', async () => {
      const folder = await selected();
      await changeFlags(imap, [1, 2], { add: ['flagged'], remove: [] });
      const flagged = await world.doveadm(['search', '-u', BOB.email, 'mailbox', folder, 'flagged']);
      assert.equal(flagged.trim().split('\n').length, 1);
      await imap.mailboxOpen('INBOX');
      const another = await selected();
      await removeMessages(imap, [1, 2]);
      assert.equal(await uidsIn(another), 1);
    });
  });
}
