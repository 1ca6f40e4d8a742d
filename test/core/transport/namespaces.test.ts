import assert from 'node:assert/strict';
import type { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { SyncRig } from '../account/sync/syncRig.ts';
import { ALICE, BOB, handlerFor, message, startWorld } from './support.ts';

describe('a server with several namespaces (RFC 2342)', function () {
  this.timeout(60_000);
  let world: MailWorld;
  let alice: EmailHandler;
  const doveadm = (...args: string[]): Promise<string> => world.doveadm(args);

  before(async function () {
    needMailWorld(this);
    world = await startWorld({ imapNamespaces: 'prefixed' });
    world.fill(
      ALICE.email,
      ['one', 'two'].map((subject) => message({ from: BOB.email, to: ALICE.email, subject, body: 'x' })),
    );
    for (const path of ['INBOX.Work', 'INBOX.Work.shared', 'shared.team', 'shared.Sent', 'archive.2025'])
      await doveadm('mailbox', 'create', '-u', ALICE.email, path);
    for (const path of ['INBOX.Work', 'shared.team', 'archive.2025'])
      await doveadm('copy', '-u', ALICE.email, path, 'mailbox', 'INBOX', 'all');
    alice = handlerFor(world, ALICE);
  });
  after(async () => {
    alice?.dispose();
    await world?.stop();
  });

  it('lists the folders of all of them by the paths they have, and gives the roles to the person’s own', async () => {
    const listed = await alice.listFolders();
    const paths = listed.filter(({ selectable }) => selectable).map(({ path }) => path);
    const own = ['INBOX', 'INBOX.Drafts', 'INBOX.Junk', 'INBOX.Sent', 'INBOX.Trash', 'INBOX.Work', 'INBOX.Work.shared'];
    assert.deepEqual(paths.toSorted(), ['archive.2025', ...own, 'shared.Sent', 'shared.team'].toSorted());
    assert.equal(listed.find(({ specialUse }) => specialUse === 'sent')?.path, 'INBOX.Sent');
    assert.deepEqual(
      ['INBOX.Work', 'shared.team', 'archive.2025'].map((path) => listed.find((folder) => folder.path === path)?.total),
      [2, 2, 2],
    );
  });

  it('fills and moves between folders of all of them', async () => {
    const rig = await new SyncRig(world.imap, { user: ALICE, caPem: world.caPem }).open();
    try {
      await rig.sync();
      for (const path of ['INBOX', 'INBOX.Work', 'shared.team', 'archive.2025'])
        assert.deepEqual(
          rig.stored(path).map(({ raw }) => raw !== undefined),
          [true, true],
          path,
        );
      const { uidValidity } = rig.messages.cursor('account', 'shared.team')!;
      await alice.move('shared.team', uidValidity, [rig.stored('shared.team')[0]!.uid], 'archive.2025');
      await rig.sync();
      assert.deepEqual([rig.stored('shared.team').length, rig.stored('archive.2025').length], [1, 3]);
    } finally {
      rig.dispose();
    }
  });

  it('makes a folder of its own among the person’s', async () => {
    const path = await alice.ensureFolder('QuMail Chat');
    assert.equal(path, 'INBOX.QuMail Chat');
    assert.equal(await alice.ensureFolder('QuMail Chat'), path);
    await alice.append(path, message({ from: ALICE.email, to: ALICE.email, subject: 'copy', body: 'x' }), ['seen']);
    const found = (await alice.listFolders()).filter((folder) => folder.path.includes('QuMail Chat'));
    assert.deepEqual(
      found.map((folder) => [folder.path, folder.total]),
      [[path, 1]],
    );
  });
});
