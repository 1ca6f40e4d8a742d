import assert from 'node:assert/strict';
import type { DiscoveredServers } from '../../../src/core/api.ts';
import { foundChoices, knownChoices, nothingFound } from '../../../src/views/accounts/foundServers.ts';
import { knownProvider } from '../../../src/views/accounts/mailDomains.ts';
import { requestOf } from '../../../src/views/accounts/signInSteps.ts';
import { plain } from './plainLocaliser.ts';

const FOUND: DiscoveredServers = {
  source: 'srv',
  servers: {
    imap: { host: 'mx.example.org', port: 41993, security: 'tls' },
    smtp: { host: '2001:db8::1', port: 587, security: 'starttls' },
    userName: 'alice',
  },
  displayName: 'Example Mail',
};

describe('views/found servers', () => {
  it('shows everything that would be used before it is used: source, hosts, ports, encryption', () => {
    const [choice] = foundChoices([FOUND], plain);
    const words = `${choice?.label} ${choice?.description} ${choice?.detail}`;
    for (const fact of ['mx.example.org:41993 TLS', '[2001:db8::1]:587 STARTTLS', 'DNS records', 'Example Mail']) {
      assert.ok(words.includes(fact), `${fact} in ${words}`);
    }
  });

  it('becomes the request exactly as it was shown', () => {
    const [choice] = foundChoices([FOUND], plain);
    const request = requestOf({ provider: 'password', email: 'alice@example.org', name: '', password: 'x', ...choice?.answers });
    assert.ok(request?.provider === 'qumail_native');
    assert.deepEqual(request.servers, FOUND.servers);
  });

  it('can be edited, starting from the best', () => {
    const choices = foundChoices([FOUND, { ...FOUND, source: 'well-known' }], plain);
    assert.deepEqual(
      choices.map(({ value }) => value),
      ['found0', 'found1', 'edit'],
    );
    assert.deepEqual(choices[2]?.answers, choices[0]?.answers);
  });

  it('names every source in words of its own', () => {
    const sources = ['autoconfig', 'central', 'srv', 'well-known'] as const;
    const details = sources.map((source) => foundChoices([{ ...FOUND, source }], plain)[0]?.detail);
    assert.equal(new Set(details).size, sources.length);
  });

  it('says so when nothing was found, and asks for them', () => {
    assert.deepEqual(foundChoices([], plain), []);
    assert.equal(nothingFound('example.org', plain).value, 'hand');
  });

  it('does not carry a log-in name over from servers chosen before', () => {
    const gmail = knownProvider('a@gmail.com');
    assert.ok(gmail);
    assert.equal(knownChoices(gmail, plain)[0]?.answers?.['userName'], '');
  });
});
