import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isAtLeast, possibleLevels, startLevel, strongerOf, type RecipientLevels } from '../../../src/core/account/levels.ts';
import { SECURITY_LEVELS } from '../../../src/core/api.ts';

const level = fc.constantFrom(...SECURITY_LEVELS);
const certificate = fc.constantFrom('post-quantum', 'classic', 'changed', 'expired');
const recipient: fc.Arbitrary<RecipientLevels> = fc.record(
  { address: fc.emailAddress(), minimumLevel: level, hasLink: fc.boolean(), certificate },
  { requiredKeys: ['address', 'minimumLevel', 'hasLink'] },
) as fc.Arbitrary<RecipientLevels>;

describe('security levels', () => {
  const linked: RecipientLevels = { address: 'bob@example.test', minimumLevel: 'L4', hasLink: true };
  const stranger: RecipientLevels = { address: 'carol@example.test', minimumLevel: 'L4', hasLink: false };

  it('start at L2 where everyone has a QKD link', () => {
    assert.equal(startLevel([linked], 'best'), 'L2');
    assert.equal(startLevel([linked, linked], 'best'), 'L2');
  });

  it('start at L4 where one recipient is a stranger, and where there is nobody yet', () => {
    assert.equal(startLevel([linked, stranger], 'best'), 'L4');
    assert.equal(startLevel([], 'best'), 'L4');
  });

  it('start at L3 where nobody lacks a post-quantum certificate, and stay there while one of them is in question', () => {
    const certified: RecipientLevels = { ...stranger, certificate: 'post-quantum' };
    const changed: RecipientLevels = { ...stranger, certificate: 'changed' };
    assert.equal(startLevel([certified], 'best'), 'L3');
    assert.equal(startLevel([certified, changed], 'best'), 'L3');
    const expired: RecipientLevels = { ...stranger, certificate: 'expired' };
    assert.equal(startLevel([certified, expired], 'best'), 'L3');
    assert.deepEqual(possibleLevels([expired]), ['L4']);
    assert.equal(startLevel([certified, stranger], 'best'), 'L4');
    assert.equal(startLevel([{ ...stranger, certificate: 'classic' }], 'best'), 'L4');
    assert.equal(startLevel([{ ...linked, certificate: 'post-quantum' }], 'best'), 'L2');
    assert.deepEqual(possibleLevels([certified]), ['L3', 'L4']);
    assert.deepEqual(possibleLevels([changed]), ['L4']);
    assert.deepEqual(possibleLevels([{ ...linked, certificate: 'post-quantum' }]), ['L1', 'L2', 'L3', 'L4']);
  });

  it('never start below any recipient’s minimum, whatever the setting', () => {
    fc.assert(
      fc.property(fc.array(recipient, { maxLength: 8 }), fc.oneof(fc.constant('best' as const), level), (recipients, preferred) => {
        const start = startLevel(recipients, preferred);
        return recipients.every(({ minimumLevel }) => isAtLeast(start, minimumLevel));
      }),
    );
  });

  it('are possible only where every recipient can receive them and no minimum is undercut', () => {
    assert.deepEqual(possibleLevels([linked]), ['L1', 'L2', 'L4']);
    assert.deepEqual(possibleLevels([linked, stranger]), ['L4']);
    assert.deepEqual(possibleLevels([{ ...linked, minimumLevel: 'L2' }]), ['L1', 'L2']);
    assert.deepEqual(possibleLevels([{ ...stranger, minimumLevel: 'L2' }]), []);
    fc.assert(
      fc.property(fc.array(recipient, { minLength: 1, maxLength: 8 }), (recipients) =>
        possibleLevels(recipients).every((possible) =>
          recipients.every(
            (each) =>
              isAtLeast(possible, each.minimumLevel) &&
              (possible === 'L4' || (possible === 'L3' ? each.certificate === 'post-quantum' : each.hasLink)),
          ),
        ),
      ),
    );
  });

  it('order from the pad down to none', () => {
    assert.equal(strongerOf('L2', 'L4'), 'L2');
    assert.equal(strongerOf('L2', 'L1'), 'L1');
    assert.ok(isAtLeast('L1', 'L2') && !isAtLeast('L4', 'L3'));
  });
});
