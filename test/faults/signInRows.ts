import type { TokenFault } from '../world/oidcWorld.ts';
import type { FaultWorld } from './faultWorld.ts';
import type { FaultRow } from './row.ts';

/** Her token has run out, and the token endpoint does this, so many times or until it is mended. */
const refresh =
  (fault: TokenFault, times?: number) =>
  (world: FaultWorld): void => {
    world.oidc.setTokenFault(fault, times);
    world.expireToken();
  };

/** Requests to the token endpoint while a row runs; a loop would show here. */
function counting(row: FaultRow, most: number): FaultRow {
  let before = 0;
  return {
    ...row,
    strike: (world) => {
      before = world.oidc.counters.tokenRequests;
      return row.strike(world);
    },
    finally: (world) => {
      const requests = world.oidc.counters.tokenRequests - before;
      if (requests > most) throw new Error(`${requests} requests to the token endpoint, at most ${most} make sense`);
      return row.finally?.(world);
    },
  };
}

export const SIGN_IN_ROWS: readonly FaultRow[] = [
  counting({ name: 'access token expired', spoiled: 'sign-in', strike: (w) => w.expireToken(), reaches: 'sent' }, 1),
  counting(
    {
      name: 'access token refused by the mail host before its time',
      spoiled: 'sign-in',
      strike: (w) => (w.gate.kill(w.accessToken), w.dropConnections()),
      reaches: 'sent',
    },
    2,
  ),
  {
    name: 'access token refused before its time, while the endpoint answers 500',
    spoiled: 'sign-in',
    strike: (w) => (w.oidc.setTokenFault('status-500'), w.gate.kill(w.accessToken), w.dropConnections()),
    reaches: 'auth.refresh-failed',
    account: 'offline auth.refresh-failed',
  },
  {
    name: 'token endpoint answers 500, until it is mended',
    spoiled: 'sign-in',
    strike: refresh('status-500'),
    reaches: 'auth.refresh-failed',
    account: 'offline auth.refresh-failed',
  },
  {
    name: 'token endpoint answers 500 once',
    spoiled: 'sign-in',
    strike: refresh('status-500', 1),
    reaches: ['sent', 'auth.refresh-failed'],
  },
  {
    name: 'token endpoint answers 429, until it is mended',
    spoiled: 'sign-in',
    strike: refresh('status-429'),
    reaches: 'auth.refresh-failed',
    account: 'offline auth.refresh-failed',
  },
  { name: 'token endpoint answers garbage', spoiled: 'sign-in', strike: refresh('garbage'), reaches: 'auth.bad-answer' },
  {
    name: 'token endpoint answers with the page of a hotel network',
    spoiled: 'sign-in',
    strike: refresh('html'),
    reaches: 'auth.bad-answer',
  },
  {
    name: 'token endpoint answers 2 MB',
    spoiled: 'sign-in',
    form: 'long',
    strike: refresh('huge'),
    reaches: ['auth.refresh-failed', 'auth.bad-answer'],
  },
  {
    name: 'token endpoint answers without a token',
    spoiled: 'sign-in',
    strike: refresh('no-access-token'),
    reaches: ['auth.bad-answer', 'auth.sign-in-again'],
    signIns: 1,
  },
  {
    name: 'token endpoint hands out a token of another type',
    spoiled: 'sign-in',
    form: 'long',
    strike: refresh('mac-token'),
    reaches: 'auth.bad-answer',
  },
  {
    name: 'token endpoint does not say how long the token lives',
    spoiled: 'sign-in',
    strike: refresh('no-expires-in', 1),
    reaches: 'sent',
  },
  { name: 'token endpoint takes its time', spoiled: 'sign-in', strike: refresh('slow'), reaches: 'sent' },
  { name: 'token endpoint is silent', spoiled: 'sign-in', strike: refresh('silent'), reaches: 'auth.refresh-failed', form: 'long' },
  counting(
    {
      name: 'grant refused (invalid_grant)',
      spoiled: 'sign-in',
      strike: refresh('invalid-grant'),
      reaches: 'auth.sign-in-again',
      account: 'needs-sign-in auth.sign-in-again',
      signIns: 1,
    },
    3,
  ),
  counting(
    {
      name: 'grant revoked at the provider',
      spoiled: 'sign-in',
      strike: async (w) => (await w.oidc.revokeAll(w.alice.email), w.expireToken()),
      reaches: 'auth.sign-in-again',
      account: 'needs-sign-in auth.sign-in-again',
      signIns: 1,
    },
    3,
  ),
  counting(
    {
      name: 'refresh token rotated and the answer lost: the old one is refused, nothing loops',
      spoiled: 'sign-in',
      strike: refresh('lose-answer', 1),
      reaches: ['auth.refresh-failed', 'auth.sign-in-again'],
      account: 'needs-sign-in auth.sign-in-again',
      signIns: 1,
    },
    5,
  ),
  {
    name: 'secret store refuses the rotated token once',
    spoiled: 'sign-in',
    strike: (w) => ((w.lockedWrites = 1), w.expireToken()),
    reaches: ['sent', 'store.locked'],
  },
  {
    name: 'discovery answers 500 after a restart',
    spoiled: 'sign-in',
    strike: async (w) => {
      w.oidc.discoveryFault = 'status-500';
      await w.alice.reopen();
      w.expireToken();
    },
    reaches: 'auth.refresh-failed',
  },
  {
    name: 'discovery answers garbage after a restart',
    spoiled: 'sign-in',
    form: 'long',
    strike: async (w) => {
      w.oidc.discoveryFault = 'garbage';
      await w.alice.reopen();
      w.expireToken();
    },
    reaches: ['auth.refresh-failed', 'auth.discovery-failed', 'auth.bad-answer'],
  },
  {
    name: 'discovery sends to a token endpoint without TLS after a restart',
    spoiled: 'sign-in',
    strike: async (w) => {
      w.oidc.discoveryFault = 'plain-http-endpoint';
      await w.alice.reopen();
      w.expireToken();
    },
    reaches: ['auth.refresh-failed', 'auth.discovery-failed', 'auth.bad-answer'],
  },
  {
    name: 'mail host cannot ask whether a token is good',
    spoiled: 'sign-in',
    strike: (w) => ((w.gate.state = 'broken'), w.dropConnections()),
    // Postfix says 535 for this as well: nobody can tell it from a refusal.
    reaches: 'auth.token-refused',
    signIns: 1,
  },
  {
    name: 'token expires while 20 looks for mail and a send are under way',
    spoiled: 'sign-in',
    strike: (w) => w.expireToken(),
    act: async (w) => {
      const [sent, ...looks] = await Promise.all([w.write(w.alice, w.bob), ...Array.from({ length: 20 }, () => w.look())]);
      return looks.every((look) => look === 'ok') ? sent : looks.join();
    },
    reaches: 'sent',
  },
];
