import assert from 'node:assert/strict';
import { HistoryServer } from '../../../faults/historyServer.ts';
import { needMailWorld } from '../../../world/mailWorld.ts';
import { startPeopleWorld, type PeopleWorld, type Person } from '../../../world/peopleWorld.ts';
import { ModelImap } from '../../transport/modelImap.ts';
import { ACCOUNT, SyncRig } from './syncRig.ts';

const NAMES = [
  'परियोजनाएँ',
  'திட்டங்கள்',
  'プロジェクト',
  '项目 & 计划',
  'Ü & Ö',
  '&',
  '& - &',
  '&-',
  '🚀 launch',
  'say "hello"',
  "it's",
  'back\\slash',
  '100% (done) {3}',
  '*star*',
  ' spaced ',
  '[Gmail]x',
  'עברית',
  'e\u0301 combined',
  'Work/Sub & Unter/深い',
];

const mail = (name: string, n: number): string =>
  `From: bob@other.test\r\nSubject: in ${n}\r\nMessage-ID: <${n}@names.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${name}\r\n`;

describe('folders by names of all kinds', function () {
  this.timeout(60_000);

  describe('at a server that knows modified UTF-7', () => {
    let world: PeopleWorld;
    let alice: Person;
    let server: HistoryServer;

    before(async function () {
      needMailWorld(this);
      world = await startPeopleWorld();
      server = await new HistoryServer(
        world.mail.imap,
        { email: 'alice@example.test', password: 'alice-password' },
        world.mail.caPem,
      ).open();
      for (const [n, name] of NAMES.entries()) {
        await server.create(name);
        await server.append(name, mail(name, n));
      }
      alice = await world.person('alice');
      await alice.signInWithPassword();
    });
    after(async () => {
      await server?.close();
      await world?.dispose();
    });

    const paths = async (): Promise<string[]> =>
      (await alice.engine.listFolders({ accountId: alice.account.id })).flatMap(({ path, selectable }) => (selectable ? [path] : []));

    it('are listed, looked into, moved into and renamed as any other', async () => {
      await alice.list();
      const known = await paths();
      const there = await server.folders();
      assert.deepEqual(known.toSorted(), there.toSorted());
      for (const [n, name] of NAMES.entries()) assert.ok(known.includes(name), `${n} ${name}`);
      for (const [n, name] of NAMES.entries()) {
        const [message, ...more] = await alice.list(name);
        assert.deepEqual([message?.subject, more.length], [`in ${n}`, 0], name);
        assert.equal((await alice.engine.openMessage({ messageId: message!.id })).text.trim(), name.trim());
      }
      // Each message goes on to the next folder.
      for (const [n, name] of NAMES.entries()) {
        const [message] = (await alice.list(name)).filter(({ subject }) => subject === `in ${n}`);
        await alice.engine.moveMessages({ messageIds: [message!.id], folder: NAMES[(n + 1) % NAMES.length]! });
      }
      await alice.settled();
      for (const [n, name] of NAMES.entries())
        assert.deepEqual(
          (await server.list(NAMES[(n + 1) % NAMES.length]!)).map(({ rfcMessageId }) => rfcMessageId),
          [`<${n}@names.test>`],
          name,
        );
      assert.deepEqual(await alice.engine.listPendingActions(), []);
      await server.rename('プロジェクト', '完了/プロジェクト & 2');
      const before = (await alice.list('プロジェクト').catch(() => [])).map(({ id }) => id);
      await alice.list();
      assert.ok(!(await paths()).includes('プロジェクト'));
      assert.equal((await alice.list('完了/プロジェクト & 2')).length, 1);
      assert.ok(before.length <= 1);
    });
  });

  for (const utf8 of ['utf8', undefined] as const)
    it(`are the same folders ${utf8 ? 'in UTF-8, where the server takes that (RFC 6855)' : 'in ASCII alone'}`, async () => {
      const server = new ModelImap(utf8 ? { utf8 } : {});
      await server.start();
      const names = utf8 ? NAMES : ['say "hello"', "it's", 'back\\slash', '100% (done) {3}', ' spaced ', 'constructor'];
      for (const [n, name] of names.entries()) {
        server.create(name);
        server.add(name, Buffer.from(mail(name, n)));
      }
      const rig = await new SyncRig(server.address).open();
      try {
        await rig.sync();
        for (const [n, name] of names.entries())
          assert.equal(rig.stored(name)[0]?.raw, Buffer.from(mail(name, n)).toString('latin1'), name);
        assert.equal(
          server.commands.some((line) => /ENABLE.*UTF8=ACCEPT/.test(line)),
          utf8 !== undefined,
        );
      } finally {
        rig.dispose();
        await server.close();
      }
    });

  it('that no honest server has: what cannot be named is passed over, what can is shown harmlessly, and nothing else suffers', async () => {
    const server = new ModelImap();
    await server.start();
    server.add('INBOX', Buffer.from(mail('INBOX', 1)));
    const literal = (name: string): string => `* LIST () "/" {${Buffer.byteLength(name)}}\r\n${name}`;
    server.lies.listed = () => [
      literal('nul\0in it'),
      literal('evil\r\n* BYE gone\r\nA1 NO'),
      literal('line\nfeed'),
      literal('x'.repeat(5000)),
      literal('..'),
      literal('../../outside'),
      literal('/'),
      literal('#news.comp.mail'),
      literal('bell\u0007and\u001bescape'),
      literal('a&IC4-txt.exe'), // U+202E, right-to-left override
      literal('&!!!-'),
      literal('&2AA-'), // half a surrogate pair
      literal('&AAAADQAK-'), // NUL, CR and LF in modified UTF-7
      literal('INBOX'),
      literal('inbox'),
      '* LIST () NIL ""',
    ];
    const rig = await new SyncRig(server.address).open();
    try {
      await rig.sync().catch(() => {});
      const folders = rig.messages.listFolders(ACCOUNT);
      assert.ok(folders.length > 1);
      for (const { path, name } of folders) {
        assert.ok(path !== '' && path.length <= 1000 && !/[\0\r\n]/.test(path), JSON.stringify(path));
        assert.ok(name !== '' && !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(name), JSON.stringify(name));
      }
      assert.deepEqual(
        folders.filter(({ path }) => path.toUpperCase() === 'INBOX').map(({ path }) => path),
        ['INBOX'],
      );
      assert.equal(rig.stored('INBOX')[0]?.raw, mail('INBOX', 1));
      // No name became a command of its own.
      assert.ok(
        server.commands.every((line) =>
          /^(UID |CAPABILITY|AUTHENTICATE|LOGIN|ID|ENABLE|NAMESPACE|COMPRESS|LIST|LSUB|STATUS|SELECT|EXAMINE|FETCH|NOOP|LOGOUT|CLOSE|GETQUOTA)/i.test(
            line,
          ),
        ),
        server.commands.join('\n'),
      );
    } finally {
      rig.dispose();
      await server.close();
    }
  });
});
