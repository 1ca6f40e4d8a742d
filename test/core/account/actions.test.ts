import assert from 'node:assert/strict';
import type { MessageSummary, PendingAction, QuMailEvent } from '../../../src/core/api.ts';
import { LeapClock } from '../../faults/leapClock.ts';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

const MINUTE = 60_000;

describe('what is done with messages', function () {
  this.timeout(60_000);
  const clock = new LeapClock();
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld({ ports: { clock } });
    [alice, bob] = await world.pair('alice', 'bob');
    for (const folder of ['Projects', 'Other']) await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, folder]);
    await alice.list();
  });

  after(() => world?.dispose());
  afterEach(() => world.imapProxy.admit('accept'));

  async function message(subject: string): Promise<MessageSummary> {
    await bob.send({ To: alice.email, Subject: subject, Security: 'L4' }, `about ${subject}\n`);
    return (await alice.receives(subject)).summary;
  }

  async function offline(): Promise<void> {
    world.imapProxy.admit('refuse');
    world.imapProxy.faultNow({ how: 'reset' });
    await assert.rejects(alice.engine.fetchMail({ accountId: alice.account.id }));
  }

  async function online(): Promise<void> {
    world.imapProxy.admit('accept');
    await alice.engine.fetchMail({ accountId: alice.account.id });
    await alice.settled();
  }

  const shown = async (folder: string): Promise<readonly MessageSummary[]> =>
    (await alice.engine.getEmailList({ accountId: alice.account.id, folder, limit: 200 })).messages;
  const subjects = async (folder: string): Promise<string[]> => (await shown(folder)).map(({ subject }) => subject);
  const times = async (subject: string, folder: string): Promise<number> =>
    (await subjects(folder)).filter((each) => each === subject).length;
  /** How often a message lies in a folder on the server. */
  const stored = async (subject: string, folder: string): Promise<number> =>
    (await world.mail.storedMessages(alice.email, folder)).filter(
      (raw) => raw.includes(`Subject: ${subject}\r\n`) || raw.includes(`Subject: ${subject}\n`),
    ).length;
  const pending = async (actionId: string): Promise<PendingAction | undefined> =>
    (await alice.engine.listPendingActions()).find(({ id }) => id === actionId);
  const unread = async (folder: string): Promise<number> =>
    (await alice.engine.listFolders({ accountId: alice.account.id })).find(({ path }) => path === folder)?.unread ?? -1;

  it('shows flags, counts and moves at once without a connection, keeps them over a restart and a look, and tells the server later', async () => {
    const { id } = await message('offline move');
    const read = await message('offline flag');
    await shown('Projects');
    await alice.engine.fetchMail({ accountId: alice.account.id });
    const before = await unread('INBOX');
    await offline();
    await alice.engine.setFlags({ messageIds: [read.id], add: ['seen', 'flagged'], remove: [] });
    assert.equal(await unread('INBOX'), before - 1);
    const { actionId } = await alice.engine.moveMessages({ messageIds: [id], folder: 'Projects' });
    assert.deepEqual([await times('offline move', 'INBOX'), await times('offline move', 'Projects')], [0, 1]);
    assert.deepEqual([await unread('INBOX'), await unread('Projects')], [before - 2, 1]);
    assert.deepEqual([(await pending(actionId))?.state, (await pending(actionId))?.purpose], ['waiting', 'move']);
    assert.equal(await stored('offline move', 'INBOX'), 1);
    await alice.reopen();
    assert.deepEqual([await times('offline move', 'INBOX'), await times('offline move', 'Projects')], [0, 1]);
    assert.equal((await alice.engine.openMessage({ messageId: id })).text.trim(), 'about offline move');
    await online();
    assert.equal(await pending(actionId), undefined);
    assert.deepEqual([await stored('offline move', 'INBOX'), await stored('offline move', 'Projects')], [0, 1]);
    await alice.list('Projects');
    assert.deepEqual([await times('offline move', 'INBOX'), await times('offline move', 'Projects')], [0, 1]);
    assert.equal((await shown('Projects')).find(({ subject }) => subject === 'offline move')?.id, id, 'the row is the same');
    const flags = await world.mail.doveadm(['fetch', '-u', alice.email, 'flags', 'mailbox', 'INBOX', 'header', 'Subject', 'offline flag']);
    assert.match(flags, /\\Flagged/);
    assert.match(flags, /\\Seen/);
    assert.deepEqual([await unread('INBOX'), await unread('Projects')], [before - 2, 1]);
  });

  it('lets a message be moved, marked and moved on before the server hears anything of it', async () => {
    const { id } = await message('chain');
    await offline();
    await alice.engine.moveMessages({ messageIds: [id], folder: 'Projects' });
    await alice.engine.setFlags({ messageIds: [id], add: ['flagged'], remove: [] });
    await alice.engine.moveMessages({ messageIds: [id], folder: 'Other' });
    assert.deepEqual([await times('chain', 'INBOX'), await times('chain', 'Projects'), await times('chain', 'Other')], [0, 0, 1]);
    await online();
    assert.deepEqual([await stored('chain', 'INBOX'), await stored('chain', 'Projects'), await stored('chain', 'Other')], [0, 0, 1]);
    await alice.list('Other');
    const row = (await shown('Other')).find(({ subject }) => subject === 'chain');
    assert.deepEqual([row?.id, row?.flags.includes('flagged')], [id, true]);
  });

  it('undoes what the server has not heard by cancelling it, and what it has heard by the inverse', async () => {
    const { id } = await message('undone');
    await offline();
    const first = await alice.engine.moveMessages({ messageIds: [id], folder: 'Projects' });
    await alice.engine.undoAction(first);
    assert.deepEqual([await times('undone', 'INBOX'), await times('undone', 'Projects')], [1, 0]);
    assert.deepEqual(await alice.engine.listPendingActions(), []);
    await online();
    assert.equal(await stored('undone', 'INBOX'), 1);

    const archived = await alice.engine.deleteMessages({ messageIds: [id] });
    await alice.settled();
    assert.equal(await stored('undone', 'Trash'), 1);
    const undone = await alice.engine.undoAction(archived);
    assert.equal(await times('undone', 'INBOX'), 1);
    await alice.settled();
    assert.deepEqual([await stored('undone', 'INBOX'), await stored('undone', 'Trash')], [1, 0]);
    await alice.engine.undoAction({ actionId: undone.actionId });
    await alice.settled();
    assert.equal(await stored('undone', 'Trash'), 1, 'and what was undone can be done again');

    const [row] = (await shown('Trash')).filter(({ subject }) => subject === 'undone');
    const flagged = await alice.engine.setFlags({ messageIds: [row!.id], add: ['flagged', 'seen'], remove: [] });
    await alice.settled();
    await alice.engine.undoAction(flagged);
    await alice.settled();
    assert.deepEqual((await alice.list('Trash')).find(({ subject }) => subject === 'undone')?.flags, row!.flags);

    const gone = await alice.engine.removeForGood({ messageIds: [row!.id] });
    assert.equal(gone.undoable, false);
    await alice.settled();
    assert.equal(await stored('undone', 'Trash'), 0);
    await assert.rejects(alice.engine.undoAction(gone), { code: 'action.final' });
    await assert.rejects(alice.engine.undoAction({ actionId: 'nothing' }), { code: 'action.missing' });
  });

  it('drops a move of what vanished meanwhile and says so; gives back what has nowhere to go', async () => {
    const vanished = await message('vanishing');
    const stays = await message('nowhere to go');
    await world.mail.doveadm(['mailbox', 'create', '-u', alice.email, 'Short-lived']);
    await alice.engine.fetchMail({ accountId: alice.account.id });
    await offline();
    const dropped = await alice.engine.moveMessages({ messageIds: [vanished.id], folder: 'Projects' });
    const failed = await alice.engine.moveMessages({ messageIds: [stays.id], folder: 'Short-lived' });
    await world.mail.doveadm(['expunge', '-u', alice.email, 'mailbox', 'INBOX', 'header', 'Subject', 'vanishing']);
    await world.mail.doveadm(['mailbox', 'delete', '-u', alice.email, 'Short-lived']);
    await online();
    const told = await pending(dropped.actionId);
    assert.deepEqual([told?.state, told?.vanished], ['dropped', 1]);
    const refused = await pending(failed.actionId);
    assert.deepEqual(
      [refused?.state, refused?.failure?.code, refused?.failure?.details['folder']],
      ['failed', 'imap.mailbox-missing', 'Short-lived'],
    );
    await alice.list();
    assert.deepEqual([await times('vanishing', 'Projects'), await times('vanishing', 'INBOX')], [0, 0]);
    assert.equal(await times('nowhere to go', 'INBOX'), 1);
    for (const { actionId } of [dropped, failed]) await alice.engine.undoAction({ actionId });
    assert.deepEqual(await alice.engine.listPendingActions(), []);
    assert.equal(await times('nowhere to go', 'INBOX'), 1);
  });

  it('finds messages again where the numbers of their folder mean others now', async () => {
    const { id } = await message('renumbered');
    await offline();
    await alice.engine.setFlags({ messageIds: [id], add: ['flagged'], remove: [] });
    await alice.engine.moveMessages({ messageIds: [id], folder: 'Projects' });
    // All of INBOX goes elsewhere and comes back, under other UIDs and another UIDVALIDITY.
    await world.mail.doveadm(['mailbox', 'update', '-u', alice.email, '--uid-validity', '987654', 'INBOX']);
    await online();
    assert.deepEqual([await stored('renumbered', 'INBOX'), await stored('renumbered', 'Projects')], [0, 1]);
    const rows = (await alice.list('Projects')).filter(({ subject }) => subject === 'renumbered');
    assert.deepEqual([rows.length, rows[0]?.flags.includes('flagged')], [1, true]);
    assert.equal((await alice.list()).filter(({ subject }) => subject === 'renumbered').length, 0);
  });

  it('does not let a look that comes meanwhile undo what the server has not heard', async () => {
    const { id } = await message('not undone');
    // Another program says the contrary; ours is the last to reach the server.
    await alice.engine.setFlags({ messageIds: [id], add: ['seen'], remove: [] });
    await alice.settled();
    await offline();
    await alice.engine.setFlags({ messageIds: [id], add: ['flagged'], remove: ['seen'] });
    await world.mail.doveadm(['flags', 'add', '-u', alice.email, '\\Answered', 'mailbox', 'INBOX', 'header', 'Subject', 'not undone']);
    const seen: string[] = [];
    const subscription = alice.engine.onEvent((event) => {
      if (event.kind !== 'messages') return;
      void shown('INBOX').then((rows) => seen.push((rows.find((row) => row.id === id)?.flags ?? []).join(' ')));
    });
    await online();
    subscription.dispose();
    const flags = (await alice.list()).find((row) => row.id === id)?.flags;
    assert.deepEqual(flags, ['flagged', 'answered']);
    assert.ok(
      seen.every((each) => each.includes('flagged') && !each.includes('seen')),
      seen.join(', '),
    );
  });

  it('archives, and moves to junk and back with the keywords other programs know', async () => {
    const { id } = await message('filed');
    const accountId = alice.account.id;
    await assert.rejects(alice.engine.archiveMessages({ messageIds: [id] }), {
      code: 'action.no-folder',
      details: { role: 'archive', accountId },
    });
    assert.deepEqual(await alice.engine.createRoleFolder({ accountId, role: 'archive' }), { path: 'Archive' });
    assert.deepEqual(await alice.engine.createRoleFolder({ accountId, role: 'trash' }), { path: 'Trash' }, 'which is there');
    const { actionId } = await alice.engine.archiveMessages({ messageIds: [id] });
    await alice.settled();
    assert.equal(await stored('filed', 'Archive'), 1);
    const row = (await alice.list('Archive')).find(({ subject }) => subject === 'filed')!;
    const again = await alice.engine.archiveMessages({ messageIds: [row.id] });
    assert.deepEqual([again.messageIds, again.undoable], [[], false], 'and says so where it was done already');
    await alice.engine.undoAction({ actionId });
    assert.equal(await times('filed', 'INBOX'), 1);
    await alice.settled();
    const junk = (await alice.engine.listFolders({ accountId: alice.account.id })).find(({ specialUse }) => specialUse === 'junk')!.path;
    await alice.engine.markJunk({ messageIds: [row.id] });
    await alice.settled();
    const keywords = (folder: string): Promise<string> =>
      world.mail.doveadm(['fetch', '-u', alice.email, 'flags', 'mailbox', folder, 'header', 'Subject', 'filed']);
    assert.match(await keywords(junk), /\$Junk/);
    await alice.engine.markNotJunk({ messageIds: [row.id] });
    await alice.settled();
    assert.match(await keywords('INBOX'), /\$NotJunk/);
    assert.doesNotMatch(await keywords('INBOX'), /\$Junk/);
  });

  it('snoozes until a time, over a restart, and brings back unread and on top', async () => {
    const { id } = await message('later');
    await alice.engine.setFlags({ messageIds: [id], add: ['seen'], remove: [] });
    await message('newer');
    await alice.settled();
    const until = clock.now() + 30 * MINUTE;
    await alice.engine.snoozeMessages({ messageIds: [id], until });
    assert.equal(await times('later', 'INBOX'), 0);
    assert.deepEqual(
      (await alice.engine.listSnoozed()).map((each) => [each.message.subject, each.until]),
      [['later', until]],
    );
    await assert.rejects(alice.engine.snoozeMessages({ messageIds: [id], until: clock.now() - 1 }), { code: 'engine.bad-request' });
    await alice.reopen();
    await alice.list();
    assert.equal(await times('later', 'INBOX'), 0);
    const second = await alice.window();
    try {
      const back = new Promise<void>((resolve) => alice.engine.onEvent((event: QuMailEvent) => event.kind === 'actions' && resolve()));
      clock.leap(31 * MINUTE);
      await back;
      const [top] = await shown('INBOX');
      assert.deepEqual([top?.id, top?.flags.includes('seen')], [id, false]);
      assert.deepEqual(await alice.engine.listSnoozed(), []);
      assert.equal(await times('later', 'INBOX'), 1);
    } finally {
      await second[Symbol.asyncDispose]();
    }
  });

  it('brings a snoozed message back on top of its conversation, and does not count it until then', async () => {
    const letter = (n: number, subject: string, head: readonly string[]): Buffer =>
      Buffer.from(
        [
          `From: ${bob.email}`,
          `To: ${alice.email}`,
          `Subject: ${subject}`,
          `Date: ${new Date(clock.now() - (9 - n) * MINUTE).toUTCString()}`,
        ]
          .concat([`Message-ID: <plan-${n}@example.test>`, ...head, '', 'text', ''])
          .join('\r\n'),
      );
    world.mail.fill(alice.email, [letter(1, 'plan', []), letter(2, 'Re: plan', ['In-Reply-To: <plan-1@example.test>'])]);
    const first = (await alice.list()).find(({ subject }) => subject === 'plan')!;
    const threads = async () =>
      (await alice.engine.getThreadList({ accountId: alice.account.id, folder: 'INBOX', limit: 50 })).threads.map(({ newest }) => newest);
    assert.equal((await threads()).filter(({ subject }) => subject.endsWith('plan')).length, 1);
    await message('newest of all');
    await alice.engine.setFlags({ messageIds: [first.id], add: [], remove: ['seen'] });
    await alice.settled();
    await alice.engine.fetchMail({ accountId: alice.account.id });
    const before = await unread('INBOX');
    const counted = new Promise<void>((resolve) => alice.engine.onEvent((event) => event.kind === 'folders' && resolve()));
    await alice.engine.snoozeMessages({ messageIds: [first.id], until: clock.now() + 30 * MINUTE });
    await counted;
    assert.equal(await unread('INBOX'), before - 1);
    assert.equal((await alice.engine.listUnifiedFolders())[0]?.unread, before - 1);
    const back = new Promise<void>((resolve) => alice.engine.onEvent((event) => event.kind === 'actions' && resolve()));
    clock.leap(31 * MINUTE);
    await back;
    const listed = await threads();
    assert.equal(listed[0]?.id, first.id);
    assert.equal(listed.filter(({ subject }) => subject.endsWith('plan')).length, 1);
    assert.equal(await unread('INBOX'), before);
  });

  it('marks what comes later in a muted thread as read and archives it, and nothing else', async () => {
    const first = await message('endless');
    await alice.engine.muteThread({ messageId: first.id });
    assert.deepEqual(await alice.engine.isMuted({ messageId: first.id }), { muted: true, rule: 'archive' });
    const again = await bob.engine.createDraft({
      accountId: bob.account.id,
      source: { kind: 'reply', messageId: (await bob.receives('endless', 'Sent')).summary.id },
    });
    await bob.engine.sendDraft({ draftId: again.id, text: again.text.replace(/^To:.*$/m, `To: ${alice.email}`) });
    const archived = await alice.receives('Re: endless', 'Archive');
    assert.ok(archived.summary.flags.includes('seen'));
    await alice.settled();
    const copies = async (folder: string): Promise<number> =>
      (await alice.list(folder)).filter(({ subject }) => subject === 'Re: endless').length;
    assert.deepEqual([await copies('Archive'), await copies('INBOX')], [1, 0]);
    const [muted, ...more] = await alice.engine.listMuted();
    assert.deepEqual([muted?.newest.subject, muted?.rule, more], ['Re: endless', 'archive', []]);
    const archivedRow = (await shown('Archive')).find(({ subject }) => subject === 'Re: endless')!;
    assert.deepEqual(muted?.messageIds.toSorted(), [first.id, archivedRow.id].toSorted());
    await alice.engine.unmuteThread({ messageId: first.id });
    assert.deepEqual(await alice.engine.isMuted({ messageId: first.id }), { muted: false });
    assert.deepEqual(await alice.engine.listMuted(), []);
    assert.equal((await message('another matter')).flags.includes('seen'), false);
  });

  it('shows the inboxes as one, page by page, and does not lose its place', async () => {
    const whole = await alice.engine.getUnifiedList({ role: 'inbox', limit: 100 });
    assert.ok(whole.messages.length >= 4);
    const first = await alice.engine.getUnifiedList({ role: 'inbox', limit: 2 });
    await message('in between');
    const second = await alice.engine.getUnifiedList({ role: 'inbox', limit: 2, before: first.next! });
    assert.deepEqual(
      [...first.messages, ...second.messages].map(({ id }) => id),
      whole.messages.slice(0, 4).map(({ id }) => id),
    );
    const [inbox] = await alice.engine.listUnifiedFolders();
    assert.deepEqual([inbox?.role, inbox?.unread], ['inbox', await unread('INBOX')]);
  });
});
