import assert from 'node:assert/strict';
import { join } from 'node:path';
import { OwnCertificates, SUBKEY_LIFE_MS, SUBKEY_ROTATION_MS } from '../../../src/core/account/ownCertificates.ts';
import { Log } from '../../../src/core/base/log.ts';
import { systemRandom } from '../../../src/core/base/systemPorts.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import { openDatabase } from '../../../src/core/store/database.ts';
import { OWN_CERT_MIGRATIONS } from '../../../src/core/store/ownCertSchema.ts';
import { OwnCertificateStore } from '../../../src/core/store/ownCertificateStore.ts';
import { epochIdOf } from '../../../src/core/store/sealedRecord.ts';
import { SecureStorage } from '../../../src/core/store/secureStorage.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { manualClock } from '../transport/manualClock.ts';
import { addAccount, folderSecrets, rawBytes, removeTempFolders, tempFolder } from '../store/vaultFixture.ts';

const DAY = 86_400_000;
const ACCOUNT = 'alice';

describe('the own certificate', function () {
  this.timeout(20_000);
  const pgp = new OpenPgpEngine({ random: systemRandom });
  const closing: (() => void)[] = [];

  after(removeTempFolders);
  afterEach(() => {
    for (const close of closing.splice(0).reverse()) close();
  });

  async function world() {
    const folder = tempFolder();
    const clock = manualClock();
    clock.advance(1_800_000_000_000 - clock.now());
    const db = openDatabase(join(folder, 'vault.db'), { durability: 'full', migrations: [...VAULT_MIGRATIONS, ...OWN_CERT_MIGRATIONS] });
    const secrets = folderSecrets(`${folder}-secrets`);
    const storage = await SecureStorage.open({ db, secrets, random: systemRandom, clock });
    addAccount(db, ACCOUNT);
    const store = new OwnCertificateStore({ db, sealer: storage });
    const retire = async (): Promise<number> => {
      await storage.ensureEpoch();
      store.reseal();
      return storage.retireEpochs(() => store.sealedRecords());
    };
    const accounts = [{ id: ACCOUNT, address: { name: 'Alice', address: 'alice@example.org' } }];
    const window = (): OwnCertificates => {
      const refresh = (): Promise<void> => storage.ensureEpoch();
      const own = new OwnCertificates({ store, pgp, clock, log: new Log(() => {}, 'test'), accounts: () => accounts, refresh });
      closing.push(() => own.dispose());
      return own;
    };
    /** A window with a database handle and epoch keys of its own, as another process has. */
    const otherWindow = async (): Promise<OwnCertificates> => {
      const otherDb = openDatabase(join(folder, 'vault.db'), {
        durability: 'full',
        migrations: [...VAULT_MIGRATIONS, ...OWN_CERT_MIGRATIONS],
      });
      const other = await SecureStorage.open({ db: otherDb, secrets, random: systemRandom, clock });
      closing.push(() => (other.dispose(), otherDb.close()));
      const own = new OwnCertificates({
        store: new OwnCertificateStore({ db: otherDb, sealer: other }),
        pgp,
        clock,
        log: new Log(() => {}, 'test'),
        accounts: () => accounts,
        refresh: () => other.ensureEpoch(),
      });
      closing.push(() => own.dispose());
      return own;
    };
    closing.push(() => (storage.dispose(), db.close()));
    return { folder, clock, db, secrets, storage, store, retire, window, otherWindow };
  }

  it('is made once, also where two windows ask at the same time', async () => {
    const { window } = await world();
    const [one, two] = [window(), window()];
    assert.equal(one.peek(ACCOUNT), undefined);
    const made = await Promise.all([one.get(ACCOUNT), one.get(ACCOUNT), two.get(ACCOUNT)]);
    assert.equal(new Set(made.map(({ fingerprint }) => fingerprint)).size, 1);
    assert.match(made[0]!.fingerprint, /^[0-9A-F]{64}$/);
    const facts = await pgp.inspect(made[0]!.certificate, { now: made[0]!.createdAt, address: 'alice@example.org' });
    assert.deepEqual([facts.version, facts.postQuantum, facts.fingerprint], [6, true, made[0]!.fingerprint]);
  });

  it('is made in the background, and tried again where that failed', async () => {
    const { clock, store, window } = await world();
    const own = window();
    own.start();
    await own.get(ACCOUNT);
    assert.ok(store.get(ACCOUNT));
    await clock.untilArmed(DAY / 8, DAY);
  });

  it('gets a new encryption subkey after 30 days, keeps its name, and loses the old subkey after 60', async () => {
    const { clock, window } = await world();
    const own = window();
    const first = await own.get(ACCOUNT);
    const sealTo = async (certificate: Buffer): Promise<Buffer> => {
      const { message } = await pgp.seal({
        plaintext: Buffer.from('secret'),
        certificates: [certificate],
        now: clock.now(),
        profile: 'pq',
      });
      return message;
    };
    const open = (message: Buffer, sessionKey?: Buffer) =>
      own.withSecret(ACCOUNT, (secretKey) =>
        pgp.open({ message, secretKeys: [secretKey!], ...(sessionKey && { sessionKey }), verifyWith: [], now: clock.now() }),
      );
    const old = await sealTo(first.certificate);
    clock.advance(SUBKEY_ROTATION_MS - 1);
    assert.equal((await own.get(ACCOUNT)).rotatedAt, first.rotatedAt);
    clock.advance(1);
    const second = await own.get(ACCOUNT);
    assert.equal(second.fingerprint, first.fingerprint);
    assert.ok(!second.certificate.equals(first.certificate));
    const { sessionKey } = await open(old);
    await open(await sealTo(second.certificate));

    clock.advance(SUBKEY_ROTATION_MS + 1);
    assert.ok(clock.now() - first.rotatedAt > SUBKEY_LIFE_MS);
    const third = await own.get(ACCOUNT);
    assert.equal(third.fingerprint, first.fingerprint);
    await assert.rejects(open(old), (error: { code: string }) => /^open\.(?:subkey-gone|no-secret-key)$/.test(error.code));
    // What was opened while it could be stays readable by its own session key.
    assert.equal((await open(old, sessionKey)).plaintext.toString(), 'secret');
  });

  it('is renewed by one of two windows, and both go on with the same', async () => {
    const { clock, store, window } = await world();
    const [one, two] = [window(), window()];
    await one.get(ACCOUNT);
    clock.advance(SUBKEY_ROTATION_MS);
    const renewed = await Promise.all([one.get(ACCOUNT), two.get(ACCOUNT)]);
    assert.ok(renewed[0].certificate.equals(renewed[1].certificate));
    assert.equal(store.get(ACCOUNT)?.version, 2);
  });

  it('leaves nothing of a taken-out subkey to whoever kept the old database and takes the keyring later', async () => {
    const { clock, db, secrets, retire, window } = await world();
    const own = window();
    await own.get(ACCOUNT);
    const kept = Buffer.from(db.prepare('SELECT sealed_secret FROM own_certificates').get()!['sealed_secret'] as Uint8Array);
    const epochKey = `qumail.epoch.${epochIdOf(kept)}`;
    assert.ok(await secrets.get(epochKey));
    clock.advance(SUBKEY_LIFE_MS + DAY);
    await own.get(ACCOUNT);
    clock.advance(2 * DAY);
    await retire();
    assert.equal(await secrets.get(epochKey), undefined);
    assert.ok(await own.withSecret(ACCOUNT, async (secretKey) => secretKey !== undefined));
    await own.get(ACCOUNT);
  });

  it('moves on day by day without another subkey, and keeps one day’s epoch key alive for nobody', async () => {
    const { clock, db, secrets, store, retire, window } = await world();
    const own = window();
    const { fingerprint } = await own.get(ACCOUNT);
    const seen = new Set<string>();
    for (let day = 0; day < 5; day += 1) {
      seen.add(epochIdOf(db.prepare('SELECT sealed_secret FROM own_certificates').get()!['sealed_secret'] as Uint8Array));
      clock.advance(DAY);
      await retire();
    }
    assert.equal(seen.size, 5);
    const alive = await Promise.all([...seen].map((id) => secrets.get(`qumail.epoch.${id}`)));
    assert.ok(alive.filter((key) => key !== undefined).length <= 2, 'yesterday’s and today’s at most');
    assert.deepEqual([store.get(ACCOUNT)?.fingerprint, store.get(ACCOUNT)?.version], [fingerprint, 1]);
  });

  it('is not made anew by a window that slept while another one sealed it under a newer epoch', async () => {
    const { clock, store, retire, window, otherWindow } = await world();
    const awake = window();
    const { fingerprint } = await awake.get(ACCOUNT);
    const asleep = await otherWindow();
    for (let day = 0; day < 4; day += 1) {
      clock.advance(DAY);
      await retire();
    }
    assert.equal((await asleep.get(ACCOUNT)).fingerprint, fingerprint);
    assert.ok(await asleep.withSecret(ACCOUNT, async (secretKey) => secretKey !== undefined));
    clock.advance(4 * DAY);
    await retire();
    assert.ok(await asleep.withSecret(ACCOUNT, async (secretKey) => secretKey !== undefined));
    assert.equal(store.get(ACCOUNT)?.version, 1);
  });

  it('of an older version of this program moves from the long-lived epoch to the daily ones', async () => {
    const { db, store, storage, retire, window } = await world();
    const own = window();
    await own.get(ACCOUNT);
    const secret = store.secretOf(ACCOUNT)!;
    const sealed = storage.seal('mail', 'own-certificate.secret', ACCOUNT, secret);
    db.prepare("UPDATE own_certificates SET sealed_secret = ?, epoch = 'mail'").run(sealed);
    assert.ok(store.secretOf(ACCOUNT)!.equals(secret));
    assert.deepEqual(store.sealedRecords(), []);
    await retire();
    assert.ok(store.secretOf(ACCOUNT)!.equals(secret));
    assert.equal(store.sealedRecords().length, 1);
  });

  it('lies sealed in the vault, is wiped after use, and goes with its account', async () => {
    const { folder, db, store, window } = await world();
    const own = window();
    await own.get(ACCOUNT);
    let kept: Buffer = Buffer.alloc(0);
    const copy = await own.withSecret(ACCOUNT, async (secretKey) => Buffer.from((kept = secretKey!)));
    assert.ok(kept.every((octet) => octet === 0));
    const certificate = store.get(ACCOUNT)!.certificate;
    // Whatever stands in the secret key and not in the certificate must not stand in the files.
    for (let at = 0; at + 32 <= copy.length; at += 32) {
      const piece = copy.subarray(at, at + 32);
      if (!certificate.includes(piece)) assert.ok(!rawBytes(folder).includes(piece), `octets ${at} of the secret key`);
    }
    db.exec(`DELETE FROM accounts WHERE id = '${ACCOUNT}'`);
    assert.equal(own.peek(ACCOUNT), undefined);
    assert.equal(await own.withSecret(ACCOUNT, async (secretKey) => secretKey), undefined);
  });
});
