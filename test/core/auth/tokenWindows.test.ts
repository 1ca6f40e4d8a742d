import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startOidcWorld, type OidcWorld } from '../../world/oidcWorld.ts';
import { folderSecrets, removeTempFolders, tempFolder } from '../store/vaultFixture.ts';
import { openBench } from './harness.ts';
import type { WindowAnswer, WindowStart, WindowTask } from './tokenChild.ts';

const ALICE = 'alice@qumail.test';
const BOB = 'bob@qumail.test';

describe('auth: two windows over one folder', function () {
  this.timeout(30_000);
  let world: OidcWorld;
  let folder: string;
  const windows: ChildProcess[] = [];

  const open = async (start: Partial<WindowStart> = {}): Promise<ChildProcess> => {
    const file = fileURLToPath(import.meta.resolve('./tokenChild.ts'));
    const child = fork(file, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    windows.push(child);
    assert.deepEqual(await once(child, 'message'), ['started', undefined]);
    child.send({ folder, caPem: world.caPem, ...start });
    assert.deepEqual(await once(child, 'message'), ['ready', undefined]);
    return child;
  };
  const ask = async (child: ChildProcess, task: Partial<WindowTask> = {}): Promise<WindowAnswer> => {
    const answer = once(child, 'message');
    child.send({ email: ALICE, calls: 1, how: 'if-needed', ...task });
    return ((await answer) as [WindowAnswer])[0];
  };
  /** Signs in with tokens of a minute, so that the next call has to refresh. */
  const signIn = async (email: string): Promise<void> => {
    world.accessTokenSeconds = 60;
    const bench = openBench(world);
    await bench.signedIn(email);
    const secrets = folderSecrets(`${folder}-secrets`);
    for (const [name, value] of bench.secrets.values) await secrets.set(name, value);
    bench.manager.dispose();
    world.accessTokenSeconds = 3600;
  };
  const requestsDuring = async (run: () => Promise<unknown>): Promise<number> => {
    const before = world.counters.tokenRequests;
    await run();
    return world.counters.tokenRequests - before;
  };

  before(async () => {
    world = await startOidcWorld();
  });
  beforeEach(() => {
    folder = tempFolder();
  });
  afterEach(() => {
    world.refreshTokenReuse = 'refused';
    for (const child of windows.splice(0)) child.kill('SIGKILL');
    removeTempFolders();
  });
  after(() => world.dispose());

  it('make one token request for a hundred calls at once, of a refresh token that must not be used twice', async () => {
    await signIn(ALICE);
    const [one, two] = [await open(), await open()];
    const answers: WindowAnswer[] = [];
    const requests = await requestsDuring(async () => {
      answers.push(...(await Promise.all([ask(one, { calls: 50 }), ask(two, { calls: 50 })])));
    });
    assert.equal(requests, 1);
    assert.deepEqual(answers.map(({ failures }) => failures).flat(), []);
    const tokens = new Set(answers.flatMap(({ tokens: each }) => each));
    assert.equal(tokens.size, 1);
    assert.equal(await world.isActive([...tokens][0]!), true);
  });

  it('do so as well where a server refused the token in both, and once for each of two accounts', async () => {
    await signIn(ALICE);
    await signIn(BOB);
    const [one, two] = [await open(), await open()];
    const both = [ALICE, BOB];
    assert.equal(
      await requestsDuring(async () => {
        for (const email of both) {
          const answers = await Promise.all([one, two].map((child) => ask(child, { email, calls: 50, how: 'forced' })));
          assert.deepEqual(answers.map(({ failures }) => failures).flat(), []);
        }
      }),
      2,
    );
  });

  it('take turns for a day of refreshes without losing the rotated token once', async () => {
    await signIn(ALICE);
    const [one, two] = [await open(), await open()];
    world.accessTokenSeconds = 60;
    for (let round = 0; round < 12; round++) {
      const answers = await Promise.all([ask(one, { calls: 5 }), ask(two, { calls: 5 })]);
      assert.deepEqual(answers.map(({ failures }) => failures).flat(), [], `round ${round}`);
    }
  });

  it('wait for a secret store that shows the other window’s token late, rather than use the old one', async () => {
    await signIn(ALICE);
    const [one, two] = [await open(), await open({ lagMs: 400 })];
    const answers: WindowAnswer[] = [];
    assert.equal(
      await requestsDuring(async () => {
        // The second has looked already when the first refreshes.
        answers.push(...(await Promise.all([ask(two, { calls: 5, how: 'forced' }), ask(one, { calls: 5, how: 'forced' })])));
        answers.push(await ask(one), await ask(two));
      }),
      1,
    );
    assert.deepEqual(answers.map(({ failures }) => failures).flat(), []);
  });

  describe('one of which is killed between receiving and storing a rotated token', () => {
    const crash = async (dies: 'before-storing' | 'after-storing'): Promise<void> => {
      await signIn(ALICE);
      const child = await open({ dies });
      const gone = once(child, 'exit');
      child.send({ email: ALICE, calls: 10, how: 'if-needed' });
      assert.deepEqual(await gone, [null, 'SIGKILL']);
    };

    it('go on where the provider lets the old one be used again', async () => {
      world.refreshTokenReuse = 'allowed';
      await crash('before-storing');
      const next = await open();
      let answer: WindowAnswer | undefined;
      assert.equal(await requestsDuring(async () => (answer = await ask(next, { calls: 10 }))), 1);
      assert.deepEqual(answer!.failures, []);
      assert.equal(await world.isActive(answer!.tokens[0]!), true);
    });

    it('end in "sign in again" after one request where it does not, and ask no more', async () => {
      await crash('before-storing');
      const next = await open();
      const answers: WindowAnswer[] = [];
      assert.equal(
        await requestsDuring(async () => {
          for (const how of ['if-needed', 'forced', 'if-needed'] as const) answers.push(await ask(next, { calls: 20, how }));
        }),
        1,
      );
      for (const { tokens, failures } of answers) assert.deepEqual([tokens, failures], [[], ['auth.sign-in-again']]);
      await signIn(ALICE);
      assert.deepEqual((await ask(next)).failures, []);
    });

    it('lose nothing when the token was stored by then', async () => {
      await crash('after-storing');
      const next = await open();
      let answer: WindowAnswer | undefined;
      assert.equal(await requestsDuring(async () => (answer = await ask(next, { calls: 10 }))), 0);
      assert.equal(await world.isActive(answer!.tokens[0]!), true);
    });
  });
});
