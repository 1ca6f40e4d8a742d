import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ALICE, BOB, startKmeWorld, type KmeWorld } from '../world/kmeWorld.ts';
import { needMailWorld, startMailWorld, type MailWorld } from '../world/mailWorld.ts';
import { AUTHORIZATION_HOST, CLIENT_ID, startOidcWorld, type OidcWorld } from '../world/oidcWorld.ts';
import { issueServer } from '../world/pki.ts';
import { findSecrets, hoardSecrets, placesIn, type Secret } from '../world/secretSearch.ts';
import type { VSCode } from './harness/vscode.ts';
import { packagedExtension } from './packaged.ts';
import { QuMail } from './qumail.ts';
import { introduce, PEOPLE, takeSeat, type PersonName } from './seat.ts';
import { countPages, signInOnPages } from './signInPages.ts';

/** Life of access tokens: over before the suite is. */
const TOKEN_SECONDS = 20;

const PAD = { subject: 'Pad subject', body: 'pad body, only for Bob' };
const PLANS = { subject: 'Plans subject', body: 'see the enclosed blueprints', file: 'blueprints.bin' };
const OPEN = { subject: 'Open subject', body: 'no secrets in here' };
const ANSWER = 'agreed, under the same seal';

describe('e2e/the main job in two windows', function () {
  let folder: string;
  let mail: MailWorld;
  let oidc: OidcWorld;
  let kme: KmeWorld;
  let windows: Record<PersonName, VSCode>;
  let alice: QuMail;
  let bob: QuMail;
  let signedInAt = 0;
  let refreshesBefore = 0;
  let pagesOpened: () => number;
  const plans = randomBytes(1024 * 1024);
  let hoard: ReturnType<typeof hoardSecrets>;

  before(async function () {
    needMailWorld(this);
    folder = mkdtempSync(join(tmpdir(), 'qumail-job-'));
    const users = Object.values(PEOPLE);
    oidc = await startOidcWorld({
      users: users.map(({ email, name }) => ({ email, displayName: name })),
      accessTokenSeconds: TOKEN_SECONDS,
      authorizationHost: 'browser-only',
    });
    mail = await startMailWorld({ users, tls: { ...(await issueServer()), caPem: oidc.caPem }, introspectionUrl: oidc.introspectionUrl });
    hoard = hoardSecrets();
    kme = await startKmeWorld();
    writeFileSync(join(folder, 'ca.pem'), oidc.caPem);
    const vsix = packagedExtension();
    const [first, second] = await Promise.all([openWindow('alice', vsix), openWindow('bob', vsix)]);
    windows = { alice: first, bob: second };
    alice = new QuMail(first.workbench);
    bob = new QuMail(second.workbench);
    await Promise.all([alice.open(), bob.open()]);
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const window of Object.values(windows ?? {})) {
      await window.workbench.screenshot('failed');
      console.log(window.log('QuMail.log'));
    }
  });

  after(async () => {
    hoard?.stop();
    await Promise.all(Object.values(windows ?? {}).map((window) => window[Symbol.asyncDispose]()));
    kme?.dispose();
    oidc?.dispose();
    await mail?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const openWindow = (name: PersonName, vsix: string): Promise<VSCode> =>
    takeSeat(
      name,
      { folder, kme },
      {
        vsix: [vsix],
        name,
        settings: { 'qumail.signIn.redirect': 'loopback' },
        extraHostRules: [`MAP ${AUTHORIZATION_HOST} 127.0.0.1`],
        browser: { certificates: 'test-authority' },
      },
    );

  it('signs the first person in through the OAuth pages in the browser', async () => {
    const { context, workbench } = windows.alice;
    const arrival = context.waitForEvent('page');
    await alice.startSignInWithOidc({ email: PEOPLE.alice.email, issuer: oidc.issuer, clientId: CLIENT_ID, servers: mail });
    await workbench.dialog.expect(AUTHORIZATION_HOST);
    await workbench.screenshot('open-browser');
    await workbench.dialog.click(AUTHORIZATION_HOST, 'Open');
    const page = await arrival;
    await signInOnPages(page, PEOPLE.alice.email, (step) => workbench.screenshotOf(page, step));
    await page.close();
    await alice.account(PEOPLE.alice.email);
    signedInAt = Date.now();
    pagesOpened = countPages(context);
    await alice.mail.item('Inbox');
    await workbench.screenshot('signed-in');
  });

  it('signs the second person in with a password', async () => {
    const { email, name, password } = PEOPLE.bob;
    await bob.signInWithPassword({ email, name, password, servers: mail });
    await bob.mail.item('Inbox');
    await windows.bob.workbench.screenshot('signed-in');
  });

  it("connects both key managers and makes them each other's contacts", async () => {
    const settle = async (person: QuMail, own: PersonName, other: PersonName): Promise<void> => {
      await introduce(person, own, other, { folder, kme });
      await windows[own].workbench.screenshot('contacts-and-keys');
    };
    await Promise.all([settle(alice, 'alice', 'bob'), settle(bob, 'bob', 'alice')]);
  });

  it('sends a text under a one-time pad (L1), and the other reads it', async () => {
    await alice.compose({ to: PEOPLE.bob.email, subject: PAD.subject, level: 'L1', body: PAD.body });
    await windows.alice.workbench.screenshot('l1-composed');
    await alice.send();
    await bob.openMessage(PAD.subject);
    await windows.bob.workbench.screenshot('l1-read');
    const { level, text } = await bob.reader.banner();
    assert.equal(level, 'L1');
    assert.match(text, /L1 · Quantum one-time pad/);
    assert.match(text, new RegExp(`Verified: sealed by ${PEOPLE.alice.email} \\(SAE ${ALICE}\\)`));
    assert.equal((await bob.reader.body()).trim(), PAD.body);
    assert.ok((await bob.reader.keyIds()).length > 0);
  });

  it('sends an attachment of 1 MiB at L2, which the other saves byte for byte', async () => {
    const path = join(folder, 'alice', PLANS.file);
    writeFileSync(path, plans);
    await alice.write({ to: PEOPLE.bob.email, subject: PLANS.subject, level: 'L2', attach: path, body: PLANS.body });
    await bob.openMessage(PLANS.subject);
    const { level, text } = await bob.reader.banner();
    assert.equal(level, 'L2');
    assert.match(text, new RegExp(`Verified: sealed by ${PEOPLE.alice.email}`));
    assert.equal((await bob.reader.body()).trim(), PLANS.body);
    assert.deepEqual(await bob.reader.attachments(), [PLANS.file]);
    const saved = await bob.reader.saveAttachment({ name: PLANS.file, octets: plans.length }, join(folder, 'bob', 'saved.bin'));
    await windows.bob.workbench.screenshot('l2-read-and-saved');
    assert.ok(plans.equals(saved));
  });

  it('sends ordinary mail (L4), plainly said to be unprotected', async () => {
    await alice.write({ to: PEOPLE.bob.email, subject: OPEN.subject, level: 'L4', body: OPEN.body });
    await bob.openMessage(OPEN.subject);
    await windows.bob.workbench.screenshot('l4-read');
    const { level, text } = await bob.reader.banner();
    assert.equal(level, 'L4');
    assert.match(text, /Ordinary mail/);
    assert.equal((await bob.reader.body()).trim(), OPEN.body);
  });

  it('answers a sealed message under the same seal, and the first person reads the answer', async () => {
    await bob.openMessage(PAD.subject);
    await bob.reply(ANSWER);
    await windows.bob.workbench.screenshot('reply-composed');
    await bob.send();
    await alice.openMessage(`Re: ${PAD.subject}`);
    await windows.alice.workbench.screenshot('reply-read');
    const { level, text } = await alice.reader.banner();
    assert.equal(level, 'L1');
    assert.match(text, new RegExp(`Verified: sealed by ${PEOPLE.bob.email} \\(SAE ${BOB}\\)`));
    assert.match(await alice.reader.body(), new RegExp(ANSWER));
  });

  it('leaves neither subject, body nor file name in the clear on the server', async () => {
    const stored = [...(await mail.storedMessages(PEOPLE.bob.email)), ...(await mail.storedMessages(PEOPLE.alice.email))];
    const sealed = stored.filter((raw) => raw.includes('qumail_payload.json'));
    assert.equal(stored.length, 4);
    assert.equal(sealed.length, 3);
    const secrets = [PAD.subject, PAD.body, PLANS.subject, PLANS.body, 'blueprints', ANSWER];
    for (const raw of sealed) {
      for (const secret of secrets) {
        assert.ok(!raw.includes(secret), secret);
        for (const skipped of [0, 1, 2]) assert.ok(!raw.includes(inBase64(secret, skipped)), `${secret} in base64`);
      }
      assert.match(raw.toString('latin1'), /^Subject: QuMail Secure Message\r?$/m);
    }
    assert.ok(stored.some((raw) => raw.includes(OPEN.subject)));
  });

  it('was served each key once on each side', () => {
    const byKey = new Map<string, string[]>();
    for (const { keyId, saeId } of kme.pair.deliveries) byKey.set(keyId, [...(byKey.get(keyId) ?? []), saeId]);
    assert.ok(byKey.size >= 3);
    for (const saes of byKey.values()) assert.deepEqual(saes.toSorted(), [ALICE, BOB]);
  });

  it('keeps accounts, folders and opened sealed mail when the window is reloaded, without fetching a key again', async () => {
    await delay(Math.max(0, signedInAt + TOKEN_SECONDS * 1000 - Date.now()));
    refreshesBefore = oidc.counters.refreshes;
    const before = kme.pair.deliveries.length;
    await Promise.all([windows.alice.workbench.reload(), windows.bob.workbench.reload()]);
    await Promise.all([alice.open(), bob.open()]);
    await alice.account(PEOPLE.alice.email);
    await bob.account(PEOPLE.bob.email);
    await bob.mail.item('Inbox');
    await bob.openMessage(PAD.subject);
    assert.equal((await bob.reader.body()).trim(), PAD.body);
    await bob.openMessage(PLANS.subject);
    const saved = await bob.reader.saveAttachment({ name: PLANS.file, octets: plans.length }, join(folder, 'bob', 'saved-again.bin'));
    assert.ok(plans.equals(saved));
    await windows.bob.workbench.screenshot('after-reload');
    await alice.openMessage(`Re: ${PAD.subject}`);
    assert.match(await alice.reader.body(), new RegExp(ANSWER));
    await windows.alice.workbench.screenshot('after-reload');
    assert.equal(kme.pair.deliveries.length, before);
  });

  it('left neither keys nor passwords nor what was sealed in settings, global state, databases and logs', () => {
    const keys = hoard.secrets.filter(({ name }) => name.startsWith('key '));
    assert.ok(keys.length >= 3);
    const passwords = Object.values(PEOPLE).map(({ name, password }): Secret => ({ name: `${name}'s password`, value: password }));
    const sealed = [PAD.subject, PAD.body, PLANS.subject, PLANS.body, PLANS.file, ANSWER].map((value): Secret => ({
      name: 'sealed text',
      value,
    }));
    for (const { userDataDir } of Object.values(windows)) {
      const places = placesIn(userDataDir, 'VS Code', (path) => !path.startsWith('extensions'));
      const browser = places.filter(({ name }) => name.includes('browser/'));
      assert.ok(browser.length > 10 && places.length > browser.length + 10);
      assert.deepEqual(findSecrets([...keys, ...passwords], places), []);
      // The browser keeps what is on screen, and VS Code the text of an open draft, which SECURITY.md tells.
      assert.deepEqual(
        findSecrets(
          sealed,
          places.filter((place) => !browser.includes(place)),
        ),
        [],
      );
    }
  });

  it('went on after the access token had expired, without asking anyone', async () => {
    // The reloaded window had nothing but the expired token and what renews it.
    assert.ok(oidc.counters.refreshes > refreshesBefore);
    await alice.write({ to: PEOPLE.bob.email, subject: 'After expiry', level: 'L2', body: 'still here' });
    await bob.openMessage('After expiry');
    assert.equal((await bob.reader.body()).trim(), 'still here');
    assert.equal(pagesOpened(), 0);
    assert.deepEqual(await windows.alice.workbench.notifications.messages(), []);
    await windows.alice.workbench.screenshot('after-expiry');
  });
});

/** What of `text` shows in base64 wherever it starts: whole groups of three octets from `skipped` on. */
function inBase64(text: string, skipped: number): string {
  const octets = Buffer.from(text).subarray(skipped);
  return octets.subarray(0, octets.length - (octets.length % 3)).toString('base64');
}
