import assert from 'node:assert/strict';
import { DEFAULT_SETTINGS } from '../../src/core/base/engineSettings.ts';
import { QuMailError } from '../../src/core/base/errors.ts';
import { authorityFor, parseSettings, startSettings } from '../../src/core/settings.ts';

describe('settings at the engine’s door', () => {
  it('start as the defaults where nothing is given', () => {
    assert.deepEqual(
      startSettings({}, () => assert.fail()),
      DEFAULT_SETTINGS,
    );
  });

  it('that do not fit are refused by name, and the rest holds', () => {
    const refused: string[] = [];
    const given = {
      fetchInterval: Number.NaN,
      googleClientId: 'two words',
      startLevel: 'L1',
      uriRedirect: 7,
      __proto__: { yahooClientId: 'inherited' },
    };
    const settings = startSettings(given as never, (field) => refused.push(field));
    assert.deepEqual(refused.toSorted(), ['fetchInterval', 'googleClientId', 'uriRedirect']);
    assert.equal(settings.fetchInterval, DEFAULT_SETTINGS.fetchInterval);
    assert.equal(settings.startLevel, 'L1');
  });

  it('given later are taken as a whole or not at all', () => {
    assert.throws(
      () => parseSettings({ ...DEFAULT_SETTINGS, fetchInterval: 0 }),
      (error) => QuMailError.is(error, 'account.bad-settings') && error.details['field'] === 'fetchInterval',
    );
  });

  it('name an authority for the hosts they list, and for no other', () => {
    const settings = { ...DEFAULT_SETTINGS, certificateAuthorities: { 'mail.example': 'PEM' } };
    assert.equal(authorityFor(settings, 'mail.example'), 'PEM');
    for (const host of ['constructor', '__proto__', 'toString', 'example']) assert.equal(authorityFor(settings, host), undefined);
  });
});
