import assert from 'node:assert/strict';
import { fillingOf } from '../../../../src/core/account/sync/fillingOf.ts';
import { ModelImap } from '../../transport/modelImap.ts';
import { numberedMail } from './numberedMail.ts';
import { ACCOUNT, SyncRig } from './syncRig.ts';

const COUNT = 120;
describe('filling the offline copy', function () {
  this.timeout(10_000);
  let server: ModelImap;
  let rig: SyncRig;

  beforeEach(async () => {
    server = new ModelImap({ condstore: 'condstore' });
    await server.start();
    server.create('Other');
    server.create('Late');
    for (let n = 0; n < COUNT; n++) server.add(n < COUNT / 2 ? 'INBOX' : 'Other', numberedMail(n));
    rig = await new SyncRig(server.address).open();
  });
  afterEach(async () => {
    rig.dispose();
    await server.close();
  });

  const here = (path: string): number => rig.stored(path).filter(({ raw }) => raw !== undefined).length;
  const filling = () => fillingOf({ id: ACCOUNT, leads: rig.leads, background: rig.background }, rig.offline, rig.budget);
  /** Called once, when the server is asked for sources for the first time. */
  const onFirstSources = (act: () => void): void => {
    server.lies.onSources = () => {
      delete server.lies.onSources;
      act();
    };
  };

  it('ends when it is stopped; all folders are still looked into, and what comes then comes whole', async () => {
    let stopping: Promise<void> | undefined;
    onFirstSources(() => (stopping = rig.background.stop()));
    await rig.sync();
    await stopping;
    assert.deepEqual([filling(), here('Other')], [{ filling: 'stopped' }, 0]);
    const before = here('INBOX');
    assert.ok(before < COUNT / 2);

    server.add('INBOX', numberedMail(1000));
    await rig.sync();
    server.add('Other', numberedMail(1001));
    server.add('Late', numberedMail(1002));
    await rig.sync();
    assert.deepEqual([here('INBOX'), here('Other'), here('Late')], [before + 1, 1, 1]);
    assert.equal(rig.stored('INBOX').at(-1)?.raw, numberedMail(1000).toString());
    assert.deepEqual(filling(), { filling: 'stopped' });

    rig.background.goOn();
    await rig.background.idle();
    assert.deepEqual([here('INBOX'), here('Other')], [COUNT / 2 + 1, COUNT / 2 + 1]);
    assert.deepEqual(filling(), { filling: 'complete' });
  });

  it('ends in the window that does it when another one says so, stays ended when yet another one takes over, and goes on likewise', async () => {
    const other = await new SyncRig(server.address, { dir: rig.dir }).open();
    other.leads = false;
    try {
      onFirstSources(() => {
        void other.background.stop();
        // As when it is seen that another window wrote.
        rig.background.heed();
      });
      await rig.sync();
      const before = here('INBOX') + here('Other');
      assert.ok(before < COUNT);
      [rig.leads, other.leads] = [false, true];
      await other.sync();
      assert.equal(here('INBOX') + here('Other'), before);
      rig.background.goOn();
      other.background.heed();
      await other.background.idle();
      assert.equal(here('INBOX') + here('Other'), COUNT);
    } finally {
      other.close();
    }
  });

  it('says that it ended also where a message went while it was filled', async () => {
    onFirstSources(() => server.expunge('INBOX', 7));
    await rig.sync();
    const last = rig.progress.at(-2);
    assert.ok(last !== undefined && last !== 'ended' && last.done < last.total);
    assert.deepEqual([rig.progress.at(-1), rig.progress.filter((step) => step === 'ended').length], ['ended', 1]);
    assert.deepEqual(filling(), { filling: 'complete' });
  });

  it('says that it ended where it was stopped, cut, or has no room, and which of them it was', async () => {
    assert.deepEqual(filling(), { filling: 'waiting' });
    server.lies.onSources = () => server.dropAll();
    await rig.sync();
    delete server.lies.onSources;
    assert.equal(rig.progress.at(-1), 'ended');
    assert.deepEqual([filling().filling, filling().failure?.code], ['cut', 'net.cut']);
    rig.budget = rig.offline.room.usedOctets() + 1;
    await rig.sync();
    assert.equal(rig.progress.at(-1), 'ended');
    assert.ok(here('Other') < COUNT / 2);
    assert.deepEqual(filling(), { filling: 'no-room' });
  });

  it('takes in again what went for want of room as soon as there is more, and not what arrivals would push out again', async () => {
    const large = (n: number): Buffer => Buffer.concat([numberedMail(n), Buffer.alloc(50_000, 'x\r\n')]);
    for (let n = 0; n < 40; n++) server.add('Late', large(2000 + n));
    await rig.sync();
    const used = rig.offline.room.usedOctets();
    const sources = (): number => rig.log.filter(({ event }) => event.endsWith('folder-filled')).length;
    rig.budget = used - 1_000_000;
    rig.background.budgetChanged();
    await rig.background.idle();
    const left = here('Late');
    assert.ok(left > 10 && left < 25, `${left} left`);
    // A little more is no reason to fetch any: the next arrivals would push it out again.
    const fetched = sources();
    for (let n = 0; n < 3; n++) {
      rig.budget += 20_000;
      rig.background.budgetChanged();
      await rig.background.idle();
    }
    assert.deepEqual([sources() - fetched, here('Late')], [0, left]);
    rig.budget = used * 1.05;
    rig.background.budgetChanged();
    await rig.background.idle();
    const some = here('Late');
    assert.ok(some > left && some < 40, `${some} of ${left}`);
    assert.ok(rig.offline.room.usedOctets() < rig.budget * 0.95);
    rig.budget = 2 ** 40;
    rig.background.budgetChanged();
    await rig.background.idle();
    assert.equal(here('Late'), 40);
  });
});
