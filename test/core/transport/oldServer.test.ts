import assert from 'node:assert/strict';
import type { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { startCuttingProxy, type CuttingProxy } from '../../world/cuttingProxy.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { ALICE, BOB, handlerFor, message, rejectsWith, startWorld } from './support.ts';

describe('a server without extensions', () => {
  let world: MailWorld;
  let proxy: CuttingProxy;
  let bob: EmailHandler;

  before(async function () {
    needMailWorld(this);
    world = await startWorld({ imapCapability: 'IMAP4rev1' });
    proxy = await startCuttingProxy(world.imap);
    bob = handlerFor(world, BOB, { imap: { ...world.imap, port: proxy.port }, timing: { pollMs: 30 } });
  });
  after(async () => {
    bob?.dispose();
    await proxy?.close();
    await world?.stop();
  });

  async function folderWith(folder: string, subjects: readonly string[]): Promise<{ uidValidity: number; uids: number[] }> {
    await bob.ensureFolder(folder);
    for (const subject of subjects) await bob.append(folder, message({ from: ALICE.email, to: BOB.email, subject, body: 'x\r\n' }), []);
    const { uidValidity, added } = await bob.fetchChanges(folder, undefined, { limit: 100, knownUids: [] });
    return { uidValidity, uids: added.map(({ uid }) => uid).reverse() };
  }
  const subjects = async (folder: string): Promise<string[]> => (await bob.getEmailList(folder, 100)).map(({ subject }) => subject);

  it('knows the folders by their names, and counts them one by one', async () => {
    await folderWith('Plain', ['a', 'b']);
    const folders = await bob.listFolders();
    assert.deepEqual(
      ['Sent', 'Trash', 'Plain'].map((path) => folders.find((folder) => folder.path === path)?.specialUse),
      ['sent', 'trash', undefined],
    );
    assert.equal(folders.find(({ path }) => path === 'Plain')?.total, 2);
  });

  it('finds what changed by asking for the flags of all known messages', async () => {
    const { uids } = await folderWith('Changing', ['a', 'b', 'c']);
    const first = await bob.fetchChanges('Changing', undefined, { limit: 10, knownUids: [] });
    assert.equal(first.highestModseq, undefined);
    await bob.setFlags('Changing', first.uidValidity, [uids[0]!], { add: ['seen'], remove: [] });
    await bob.delete('Changing', first.uidValidity, [uids[1]!]);
    const changes = await bob.fetchChanges('Changing', first, { limit: 10, knownUids: uids });
    assert.deepEqual(changes.flags, [
      { uid: uids[0], flags: ['seen'] },
      { uid: uids[2], flags: [] },
    ]);
    assert.deepEqual([changes.vanished, changes.added], [[uids[1]], []]);
  });

  it('moves by copying and removing, or not at all', async () => {
    const { uidValidity, uids } = await folderWith('Source', ['a', 'b']);
    await rejectsWith(bob.move('Source', uidValidity, uids, 'Nowhere'), 'imap.mailbox-missing');
    assert.deepEqual(await subjects('Source'), ['b', 'a']);
    await bob.ensureFolder('Target');
    await bob.move('Source', uidValidity, [uids[0]!], 'Target');
    assert.deepEqual([await subjects('Source'), await subjects('Target')], [['b'], ['a']]);
  });

  it('removes exactly the messages named although EXPUNGE would take all that are marked', async () => {
    const { uidValidity, uids } = await folderWith('Deleting', ['mine', 'marked', 'other']);
    await world.doveadm(['flags', 'add', '-u', BOB.email, '\\Deleted', 'mailbox', 'Deleting', 'uid', String(uids[1])]);
    await bob.delete('Deleting', uidValidity, [uids[0]!]);
    assert.deepEqual(await subjects('Deleting'), ['other', 'marked']);
    const marked = await world.doveadm(['search', '-u', BOB.email, 'mailbox', 'Deleting', 'deleted']);
    assert.equal(marked.trim().split('\n').length, 1, 'the mark of the other client is back');
  });

  it('is looked at in intervals, over no connection of its own', async () => {
    await bob.listFolders();
    const looks: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const watch = bob.watch('INBOX', () => {
      looks.push(looks.length);
      if (looks.length >= 5 && proxy.open === 1) resolve();
    });
    await promise;
    watch.dispose();
    assert.equal(proxy.open, 1);
  });
});
