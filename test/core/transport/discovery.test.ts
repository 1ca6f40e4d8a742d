import assert from 'node:assert/strict';
import { createServer as createPlain, type AddressInfo, type Server } from 'node:net';
import { createServer as createSecure } from 'node:tls';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { Log, type LogEntry } from '../../../src/core/base/log.ts';
import { systemClock } from '../../../src/core/base/systemPorts.ts';
import { ServerDiscovery, type DiscoveryDeps } from '../../../src/core/transport/discovery.ts';
import { createProbe } from '../../../src/core/transport/probeServer.ts';
import { systemSrv } from '../../../src/core/transport/srvRecords.ts';
import { needMailWorld, type MailWorld } from '../../world/mailWorld.ts';
import { issueServer, testCaPem } from '../../world/pki.ts';
import { startNameServer, startPages, type Page, type Pages } from './discoveryWorld.ts';
import { rejectsWith, startWorld } from './support.ts';

const EMAIL = 'ana.secret@example.org';
const PROVIDER = 'autoconfig.example.org/mail/config-v1.1.xml';
const WELL_KNOWN = 'example.org/.well-known/autoconfig/mail/config-v1.1.xml';
const CENTRAL = 'autoconfig.thunderbird.net/v1.1/example.org';

function config(host: string): string {
  const one = (element: string, type: string, port: number): string =>
    `<${element} type="${type}"><hostname>${host}</hostname><port>${port}</port><socketType>SSL</socketType></${element}>`;
  return `<clientConfig version="1.1"><emailProvider id="x">${one('incomingServer', 'imap', 993)}${one('outgoingServer', 'smtp', 465)}</emailProvider></clientConfig>`;
}
const nobody: DiscoveryDeps['resolveSrv'] = async () => {
  throw new Error('ENOTFOUND');
};

describe('discovering the servers of an address', () => {
  const open: { close(): Promise<void> }[] = [];
  const logged: LogEntry[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
    logged.length = 0;
  });

  async function discoveryWith(
    o: Partial<DiscoveryDeps> & { pages?: Readonly<Record<string, Page>> },
  ): Promise<{ discovery: ServerDiscovery; pages: Pages }> {
    const { pages: wanted = {}, ...deps } = o;
    const pages = await startPages(wanted);
    open.push(pages);
    const log = new Log((entry) => logged.push(entry), 'discovery');
    const quiet = { resolveSrv: nobody, probe: async () => false, clock: systemClock };
    return { pages, discovery: new ServerDiscovery({ fetch: pages.fetch, log, ...quiet, ...deps }) };
  }
  const sources = async (discovery: ServerDiscovery, email = EMAIL): Promise<string[]> =>
    (await discovery.discoverServers({ email })).map(({ source, servers }) => `${source} ${servers.imap.host}`);

  it('ranks autoconfig before the central database, SRV records and well-known names, and lists the same servers once', async () => {
    const names = await startNameServer({
      '_imaps._tcp.example.org': [{ name: 'srv.example.org', port: 993, priority: 0, weight: 1 }],
      '_submissions._tcp.example.org': [{ name: 'srv.example.org', port: 465, priority: 0, weight: 1 }],
    });
    open.push(names);
    const { discovery } = await discoveryWith({
      pages: {
        [PROVIDER]: { body: config('own.example.org') },
        [WELL_KNOWN]: { body: config('own.example.org') },
        [CENTRAL]: { body: config('central.example.org') },
      },
      resolveSrv: systemSrv([names.address]),
      probe: async () => true,
    });
    assert.deepEqual(await sources(discovery), [
      'autoconfig own.example.org',
      'central central.example.org',
      'srv srv.example.org',
      'well-known imap.example.org',
    ]);
  });

  it('sends the whole address to the provider and the domain alone to the central database', async () => {
    const { discovery, pages } = await discoveryWith({ pages: { [CENTRAL]: { body: config('mail.example.org') } } });
    await sources(discovery);
    assert.equal(pages.asked.length, 3);
    for (const url of pages.asked) assert.equal(url.includes('secret'), url.startsWith(`https://${PROVIDER}`), url);
  });

  it('takes SRV records by priority, then weight, and TLS before STARTTLS', async () => {
    const names = await startNameServer({
      '_imaps._tcp.example.org': [
        { name: 'third.example.org', port: 993, priority: 20, weight: 99 },
        { name: 'second.example.org', port: 993, priority: 10, weight: 5 },
        { name: 'first.example.org', port: 1993, priority: 10, weight: 50 },
      ],
      '_imap._tcp.example.org': [{ name: 'plain.example.org', port: 143, priority: 0, weight: 0 }],
      '_submissions._tcp.example.org': [{ name: '.', port: 0, priority: 0, weight: 0 }],
      '_submission._tcp.example.org': [{ name: 'send.example.org', port: 587, priority: 0, weight: 0 }],
    });
    open.push(names);
    const { discovery } = await discoveryWith({ resolveSrv: systemSrv([names.address]) });
    const [found] = await discovery.discoverServers({ email: EMAIL });
    assert.deepEqual(found, {
      source: 'srv',
      servers: {
        imap: { host: 'first.example.org', port: 1993, security: 'tls' },
        smtp: { host: 'send.example.org', port: 587, security: 'starttls' },
      },
    });
  });

  it('believes an SRV target of "." that there is no such service, and no target that is an address', async () => {
    for (const name of ['.', '192.0.2.1', 'localhost']) {
      const resolveSrv: DiscoveryDeps['resolveSrv'] = async () => [{ name, port: 993, priority: 0, weight: 0 }];
      assert.deepEqual(await sources((await discoveryWith({ resolveSrv })).discovery), []);
    }
  });

  it('takes the first well-known name that answers', async () => {
    const probe: DiscoveryDeps['probe'] = async (_protocol, { host, port }) => host === 'mail.example.org' || port === 587;
    const [found] = await (await discoveryWith({ probe })).discovery.discoverServers({ email: EMAIL });
    assert.deepEqual(found?.servers, {
      imap: { host: 'mail.example.org', port: 993, security: 'tls' },
      smtp: { host: 'mail.example.org', port: 465, security: 'tls' },
    });
  });

  it('follows a redirect to another https host', async () => {
    const moved = { status: 302, headers: { location: 'https://config.hoster.example/x' } };
    const { discovery } = await discoveryWith({
      pages: { [PROVIDER]: moved, 'config.hoster.example/x': { body: config('imap.hoster.example') } },
    });
    assert.deepEqual(await sources(discovery), ['autoconfig imap.hoster.example']);
  });

  const REFUSED: readonly (readonly [string, Page, string])[] = [
    ['a redirect to http:', { status: 301, headers: { location: 'http://example.org/config.xml' } }, 'net.tls-required'],
    ['a redirect to an address', { status: 301, headers: { location: 'https://192.0.2.1/config.xml' } }, 'net.protocol'],
    ['a redirect to this machine', { status: 301, headers: { location: 'https://localhost/config.xml' } }, 'net.protocol'],
    ['a redirect with a password', { status: 301, headers: { location: 'https://a:b@example.net/' } }, 'net.protocol'],
    ['a redirect to another port', { status: 301, headers: { location: 'https://example.net:8443/' } }, 'net.protocol'],
    ['a redirect to itself', { status: 301, headers: { location: `https://${PROVIDER}` } }, 'net.protocol'],
    ['a document of 10 MB', { body: Buffer.alloc(10_000_000, 'x') }, 'net.too-large'],
    ['a page of a hotel network', { body: '<!doctype html><title>Welcome</title>' }, 'net.protocol'],
    ['a document with an entity bomb', { body: '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>' }, 'net.protocol'],
  ];
  for (const [name, page, code] of REFUSED) {
    it(`refuses ${name} with a code, and the other sources still count`, async () => {
      const { discovery } = await discoveryWith({ pages: { [PROVIDER]: page, [CENTRAL]: { body: config('mail.example.org') } } });
      assert.deepEqual(await sources(discovery), ['central mail.example.org']);
      assert.deepEqual(
        logged.filter(({ facts }) => facts['source'] === 'autoconfig').map(({ facts }) => facts['code']),
        [code],
      );
    });
  }

  it('tells why servers on plain sockets were passed over', async () => {
    const { discovery } = await discoveryWith({ pages: { [PROVIDER]: { body: config('mail.example.org').replaceAll('SSL', 'plain') } } });
    assert.deepEqual(await sources(discovery), []);
    assert.deepEqual(
      logged.map(({ event, facts }) => [event, facts['reasons']]),
      [['discovery.discovery-refused', 'plain-socket']],
    );
  });

  it('gives an empty list when there is no network at all', async () => {
    const offline = async (): Promise<never> => {
      throw new QuMailError('net.refused');
    };
    assert.deepEqual(await sources((await discoveryWith({ fetch: offline, resolveSrv: offline })).discovery), []);
  });

  it('ends after ten seconds with what it has, and leaves nothing running', async () => {
    const timers: { ms: number; run: () => void }[] = [];
    const clock = { ...systemClock, after: (ms: number, run: () => void) => (timers.push({ ms, run }), { dispose() {} }) };
    const aborted: string[] = [];
    const never = (name: string, signal: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => (aborted.push(name), reject(new QuMailError('engine.cancelled')))),
      );
    const { discovery } = await discoveryWith({
      pages: { [PROVIDER]: 'silent' },
      clock,
      resolveSrv: (name, signal) => never(name, signal),
      probe: (protocol, _server, signal) => never(protocol, signal),
    });
    const result = discovery.discoverServers({ email: EMAIL });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      timers.map(({ ms }) => ms),
      [10_000],
    );
    timers[0]!.run();
    assert.deepEqual(await result, []);
    assert.equal(aborted.length, 4 + 6);
  });

  it('gives the other sources three seconds more once one has answered', async () => {
    const timers: { ms: number; run: () => void }[] = [];
    let armed: () => void = () => {};
    const twice = new Promise<void>((resolve) => (armed = resolve));
    const clock = {
      ...systemClock,
      after: (ms: number, run: () => void) => {
        if (timers.push({ ms, run }) === 2) armed();
        return { dispose() {} };
      },
    };
    const { discovery } = await discoveryWith({ pages: { [PROVIDER]: 'silent', [CENTRAL]: { body: config('mail.example.org') } }, clock });
    const result = sources(discovery);
    await twice;
    assert.ok(timers[1]!.ms <= 3000 && timers[1]!.ms > 2000);
    timers[1]!.run();
    assert.deepEqual(await result, ['central mail.example.org']);
  });

  it('can be cancelled', async () => {
    const { discovery } = await discoveryWith({ pages: { [PROVIDER]: 'silent' } });
    const controller = new AbortController();
    const result = discovery.discoverServers({ email: EMAIL }, { signal: controller.signal });
    controller.abort();
    await rejectsWith(result, 'engine.cancelled');
  });

  for (const email of [
    '',
    'ana',
    '@example.org',
    'ana@',
    'ana@localhost',
    'ana@192.0.2.1',
    'ana@[192.0.2.1]',
    'ana@0x7f.1',
    'ana@exa\nmple.org',
    'ana b@example.org',
    'ana@example.org:80',
    'ana@a/b.c',
  ])
    it(`asks nobody for ${JSON.stringify(email)}`, async () => {
      const { discovery, pages } = await discoveryWith({});
      await rejectsWith(discovery.discoverServers({ email }), 'account.bad-settings', { field: 'email' });
      assert.deepEqual(pages.asked, []);
    });

  it('asks for an internationalised domain by its A-labels', async () => {
    const { discovery, pages } = await discoveryWith({});
    await sources(discovery, 'ana@Bücher.example');
    assert.ok(pages.asked.some((url) => url.endsWith('/v1.1/xn--bcher-kva.example')));
  });
});

describe('probing a server by a well-known name', () => {
  let world: MailWorld;
  before(async function () {
    needMailWorld(this);
    world = await startWorld();
  });
  after(() => world?.stop());
  const signal = new AbortController().signal;

  it('knows real servers over TLS and STARTTLS by greeting and certificate', async () => {
    const probe = createProbe({ authorities: () => world.caPem });
    for (const [protocol, server] of [
      ['imap', world.imap],
      ['imap', world.imapStartTls],
      ['smtp', world.smtp],
      ['smtp', world.smtpStartTls],
    ] as const)
      assert.equal(await probe(protocol, { ...server, host: 'localhost' }, signal), true, `${protocol} ${server.security}`);
    assert.equal(await probe('imap', { ...world.smtp, host: 'localhost' }, signal), false, 'another protocol');
    const stranger = createProbe({ authorities: () => undefined });
    for (const server of [world.imap, world.imapStartTls])
      assert.equal(await stranger('imap', { ...server, host: 'localhost' }, signal), false);
  });

  it('does not believe a server that floods, falls silent or refuses to encrypt', async () => {
    const { certPem, keyPem } = await issueServer();
    const ca = await testCaPem();
    const probe = createProbe({ authorities: () => ca });
    const on = async (server: Server): Promise<number> => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return (server.address() as AddressInfo).port;
    };
    const flood = createSecure({ cert: certPem, key: keyPem }, (socket) => void socket.on('error', () => {}).write('* '.repeat(10_000)));
    const silent = createSecure({ cert: certPem, key: keyPem }, (socket) => void socket.on('error', () => {}));
    const plain = createPlain((socket) => {
      socket.on('error', () => {}).write('220 mail.example.org\r\n');
      socket.on('data', () => socket.write('454 not now\r\n'));
    });
    assert.equal(await probe('imap', { host: 'localhost', port: await on(flood), security: 'tls' }, signal), false);
    assert.equal(await probe('smtp', { host: 'localhost', port: await on(plain), security: 'starttls' }, signal), false);
    const controller = new AbortController();
    const waiting = probe('imap', { host: 'localhost', port: await on(silent), security: 'tls' }, controller.signal);
    silent.once('secureConnection', () => controller.abort());
    assert.equal(await waiting, false);
    for (const server of [flood, silent, plain]) await new Promise((resolve) => server.close(resolve));
  });
});
