import assert from 'node:assert/strict';
import { needMailWorld } from '../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../world/peopleWorld.ts';

describe('when the desktop’s keyring lost QuMail’s keys', function () {
  this.timeout(30_000);
  let world: PeopleWorld;
  let alice: Person;
  let bob: Person;

  before(async function () {
    needMailWorld(this);
    world = await startPeopleWorld();
    [alice, bob] = await world.pair('alice', 'bob');
    await alice.send({ To: bob.email, Subject: 'read before', Security: 'L2' }, 'soon unreadable\n');
    await bob.receives('read before');
    for (const name of [...bob.secrets.keys()]) if (name.startsWith('qumail.epoch.')) bob.secrets.delete(name);
    await bob.reopen();
  });

  after(() => world?.dispose());

  it('mail opened before is listed and says why it cannot be read', async () => {
    const [message] = await bob.list();
    assert.equal(message?.failure?.code, 'store.secret-missing');
    assert.equal(message?.seal, 'failed');
    const opened = await bob.engine.openMessage({ messageId: message!.id });
    assert.equal(opened.security.failure?.code, 'store.secret-missing');
    assert.equal(opened.text, '');
  });

  it('sealed mail is sent and received again under new keys', async () => {
    await bob.send({ To: alice.email, Subject: 'after the loss', Security: 'L2' }, 'still here\n');
    assert.equal((await alice.receives('after the loss')).text.trim(), 'still here');
    await alice.send({ To: bob.email, Subject: 'and back', Security: 'L1' }, 'good\n');
    assert.equal((await bob.receives('and back')).text.trim(), 'good');
  });
});
