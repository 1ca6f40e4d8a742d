import assert from 'node:assert/strict';
import { redirectFlow, signInFlows, type SignInSite } from '../../../src/views/accounts/signInFlow.ts';

const site = (window: SignInSite['window'], host: SignInSite['host'], trust: SignInSite['trust']): SignInSite => ({ window, host, trust });

describe('views/sign-in flows', () => {
  const table: readonly (readonly [where: string, site: SignInSite, flows: string])[] = [
    ['the desktop', site('desktop', 'local', 'trusted'), 'loopback uri host password command'],
    ['the desktop with a folder nobody trusts', site('desktop', 'local', 'restricted'), 'loopback uri host password'],
    ['the desktop, running at the remote end', site('desktop', 'remote', 'trusted'), 'uri host password command'],
    ['the remote end with a folder nobody trusts', site('desktop', 'remote', 'restricted'), 'uri host password'],
    ['a browser window', site('browser', 'remote', 'trusted'), 'uri host password command'],
    ['a browser window on the same machine', site('browser', 'local', 'trusted'), 'uri host password command'],
    ['a browser window with a folder nobody trusts', site('browser', 'remote', 'restricted'), 'uri host password'],
  ];
  for (const [where, at, flows] of table) {
    it(`on ${where} offers ${flows}`, () => assert.deepEqual(signInFlows(at), flows.split(' ')));
  }

  it('listens on this machine only where the browser can reach it', () => {
    for (const [, at] of table) assert.equal(redirectFlow(at, 'auto'), at.window === 'desktop' && at.host === 'local' ? 'loopback' : 'uri');
  });

  it('does what the person chose, and nothing else that a settings file may say', () => {
    for (const [, at] of table) {
      assert.equal(redirectFlow(at, 'loopback'), 'loopback');
      assert.equal(redirectFlow(at, 'uri'), 'uri');
      assert.equal(redirectFlow(at, 'carrier-pigeon'), redirectFlow(at, 'auto'));
    }
  });

  it('never starts a program while the workspace is not trusted', () => {
    for (const [, at] of table) assert.equal(signInFlows(at).includes('command'), at.trust === 'trusted');
  });
});
