import assert from 'node:assert/strict';
import { DraftFinder } from '../../../src/core/account/draftFinder.ts';
import { DRAFT_FIELD } from '../../../src/core/mail/draftMessage.ts';
import type { EmailHandler } from '../../../src/core/transport/emailHandler.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { BOB, handlerFor, message, startWorld } from '../transport/support.ts';

describe('account/looking for copies of drafts', () => {
  let world: MailWorld;
  let handler: EmailHandler;
  let finder: DraftFinder;

  before(async function () {
    needMailWorld(this);
    world = await startWorld();
  });
  beforeEach(() => {
    handler = handlerFor(world, BOB);
    finder = new DraftFinder(new AbortController().signal);
  });
  afterEach(() => handler?.dispose());
  after(() => world?.stop());

  const look = (folder: string, known: readonly number[] = []) => finder.look({ accountId: 'b', handler, folder }, () => known);
  const file = (folder: string, subject: string, headers = '') =>
    handler.append(folder, message({ from: BOB.email, to: BOB.email, subject, body: 'x\r\n', headers }), []);

  it('finds those among other messages, and what was seen before where nothing marks it any more', async () => {
    await handler.ensureFolder('Some');
    await file('Some', 'a draft', `${DRAFT_FIELD}: name\r\n`);
    await file('Some', 'not ours');
    assert.deepEqual((await look('Some')).uids, [1]);
    const { uids, gone, place } = await look('Some', [1, 2]);
    assert.deepEqual([uids, [...gone], place.uidNext], [[1, 2], [], 3]);
  });

  it('says that one is gone when it is, and not of one that the server has not come to yet', async () => {
    await handler.ensureFolder('Gone');
    await file('Gone', 'a draft', `${DRAFT_FIELD}: name\r\n`);
    const { place } = await look('Gone');
    await handler.actions.remove('Gone', place.uidValidity, [1]);
    const { uids, gone } = await look('Gone', [1, 2]);
    assert.deepEqual([uids, [...gone]], [[], [1]]);
  });

  it('knows a copy under more copies than are looked at, which are the newest', async () => {
    await handler.ensureFolder('Many');
    await file('Many', 'a draft', `${DRAFT_FIELD}: name\r\n`);
    for (let count = 1; count < 512; count *= 2) await world.doveadm(['copy', '-u', BOB.email, 'Many', 'mailbox', 'Many', 'all']);
    const { uids, gone } = await look('Many', [1, 2]);
    assert.deepEqual([uids.length, uids[0], uids[1], uids[2], uids.at(-1), gone.size], [502, 1, 2, 13, 512, 0]);
  });
});
