import assert from 'node:assert/strict';
import { OwnCopies, type OwnCopiesDeps } from '../../../src/core/account/ownCopies.ts';
import { QuMailError } from '../../../src/core/base/errors.ts';
import { Log } from '../../../src/core/base/log.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import type { GeneratedCertificate } from '../../../src/core/crypto/pgpEngine.ts';
import { copyIdOf } from '../../../src/core/mail/copyMessage.ts';
import { readMessage } from '../../../src/core/mail/readMime.ts';
import { outerHeadersOf, writeInner } from '../../../src/core/mail/writeMime.ts';
import { CHAT_MIGRATIONS } from '../../../src/core/store/chatSchema.ts';
import { migrate } from '../../../src/core/store/migrate.ts';
import { OwnCopyStore } from '../../../src/core/store/ownCopyStore.ts';
import { SealedMailStore } from '../../../src/core/store/sealedMail.ts';
import { VAULT_MIGRATIONS } from '../../../src/core/store/vaultSchema.ts';
import { addAccount, openVault, removeTempFolders, tempFolder, type Vault } from '../store/vaultFixture.ts';

const pgp = new OpenPgpEngine({ random: systemRandom });
const alice = { name: 'Alice', address: 'alice@example.test' };
const bob = { name: 'Bob', address: 'bob@other.test' };
const MESSAGE = `<qumail-chat.${'g'.repeat(22)}.${'u'.repeat(22)}@other.test>`;

/** One device: a vault of its own, and whatever certificate it was given. */
class Device {
  readonly vault: Vault;
  readonly store: OwnCopyStore;
  readonly sealedMail: SealedMailStore;
  readonly copies: OwnCopies;
  readonly remembered: string[] = [];
  reach: 'online' | 'offline' | 'cut-after' = 'online';
  rotatedAt = 0;

  constructor(vault: Vault, certificate: GeneratedCertificate, folder: Buffer[]) {
    this.vault = vault;
    this.store = new OwnCopyStore({ db: vault.db });
    this.sealedMail = new SealedMailStore({ db: vault.db, sealer: vault.storage });
    const own = {
      withSecret: (_: string, use: (secret: Buffer) => unknown) => use(Buffer.from(certificate.secretKey)),
      peek: () => ({ rotatedAt: this.rotatedAt }),
    };
    const handler = {
      ensureFolder: async (name: string) => name,
      findByMessageId: async (_: string, id: string) => folder.flatMap((raw, uid) => (raw.includes(`Message-ID: ${id}`) ? [uid] : [])),
      append: async (_: string, raw: Buffer) => {
        folder.push(raw);
        // It got there, and nobody here heard so.
        if (this.reach === 'cut-after') throw new QuMailError('net.cut');
        return undefined;
      },
    };
    this.copies = new OwnCopies({
      store: this.store,
      sealedMail: this.sealedMail,
      own: own as unknown as OwnCopiesDeps['own'],
      clock: systemClock,
      random: systemRandom,
      log: new Log(() => {}, 'copies'),
      addressOf: () => alice,
      handlerOf: () => (this.reach === 'offline' ? undefined : handler),
      isOnItsWay: () => false,
      isLine: () => true,
      isNew: ({ envelopeId }) => !this.remembered.includes(envelopeId),
      remember: ({ envelopeId }) => void this.remembered.push(envelopeId),
      transaction: (run) => run(),
    });
  }
}

describe('account/copies for the own other devices', function () {
  this.timeout(20_000);
  let certificate: GeneratedCertificate;
  let here: Device;
  let there: Device;
  let folder: Buffer[];
  let plaintext: Buffer;

  before(async () => {
    certificate = await pgp.generate({ addresses: [alice.address], name: 'Alice', now: Date.now() - 60_000 });
    const message = {
      from: bob,
      to: [alice],
      cc: [],
      subject: 'Chat',
      date: new Date(1_700_000_000_000),
      messageId: MESSAGE,
      references: [],
    };
    const whole = { ...message, markdown: 'the very words', body: 'text' as const, attachments: [] };
    plaintext = await writeInner(whole, outerHeadersOf(whole));
  });
  beforeEach(async () => {
    folder = [];
    here = await device(certificate);
    there = await device(certificate);
    for (const each of [here, there]) each.store.setShared('a', 1);
  });
  afterEach(() => {
    for (const each of [here, there]) each.vault.close();
    removeTempFolders();
  });

  async function device(own: GeneratedCertificate): Promise<Device> {
    const vault = await openVault(tempFolder());
    migrate(vault.db, [...VAULT_MIGRATIONS, ...CHAT_MIGRATIONS]);
    addAccount(vault.db, 'a');
    return new Device(vault, own, folder);
  }
  const opens = (at: Device, level: 'L1' | 'L2' | 'L3' = 'L2'): void => {
    const summary = { from: bob, to: [alice], subject: 'Chat', preview: '', hasAttachments: false };
    const report = { level, suite: 'S', keyIds: ['k'], sealedAt: '', payloadSha256: 'A'.repeat(43), summary };
    at.sealedMail.put({ accountId: 'a', rfcMessageId: MESSAGE, envelopeId: 'E', plaintext, report, own: 'received' });
    at.copies.due('a', level, MESSAGE, 'E');
  };
  const takes = async (at: Device, raw: Buffer) => {
    const parts = await readMessage(raw);
    return at.copies.take('a', { rfcMessageId: parts.messageId, parts });
  };

  it('bring what was opened to the other device, octet for octet, and nothing of it in the clear', async () => {
    opens(here);
    await here.copies.flush('a');
    assert.equal(folder.length, 1);
    assert.ok(!folder[0]!.includes('the very words') && !folder[0]!.includes(bob.address));
    const taken = await takes(there, folder[0]!);
    assert.equal(taken?.kind, 'mail');
    const stored = there.sealedMail.getByEnvelope('a', 'E');
    assert.ok(stored && stored.plaintext.equals(plaintext));
    assert.deepEqual([stored.rfcMessageId, stored.own, there.remembered], [MESSAGE, 'received', ['E']]);
    // Again, after a crash, and once it is settled.
    assert.equal((await takes(there, folder[0]!))?.kind, 'mail');
    there.copies.settle('a', MESSAGE);
    there.sealedMail.delete('a', 'E');
    assert.equal((await takes(there, folder[0]!))?.kind, 'known', 'what was erased does not come back');
    assert.equal(there.sealedMail.getByEnvelope('a', 'E'), undefined);
  });

  it('are made where there can be another device, at L3 only for a subkey that it lacks, and once', async () => {
    const alone = await device(certificate);
    opens(alone);
    await alone.copies.flush('a');
    alone.vault.close();
    opens(here, 'L3');
    await here.copies.flush('a');
    assert.equal(folder.length, 0);
    here.rotatedAt = 2;
    opens(here, 'L3');
    for (let time = 0; time < 3; time += 1) await here.copies.flush('a');
    assert.equal(folder.length, 1);
  });

  it('wait for the server, and are not made twice where an answer was lost', async () => {
    here.reach = 'offline';
    opens(here);
    await here.copies.flush('a');
    assert.equal(folder.length, 0);
    here.reach = 'cut-after';
    await here.copies.flush('a');
    here.reach = 'online';
    await here.copies.flush('a');
    assert.equal(folder.length, 1);
    assert.deepEqual(here.store.due('a'), []);
  });

  it('hold no octet of a one-time pad’s message, only that there is one', async () => {
    opens(here, 'L1');
    await here.copies.flush('a');
    const taken = await takes(there, folder[0]!);
    assert.deepEqual(taken, { kind: 'told', of: { messageId: MESSAGE, own: 'received', from: bob.address, at: 1_700_000_000_000 } });
    assert.equal(there.sealedMail.getByEnvelope('a', 'E'), undefined);
  });

  it('are nobody’s where another certificate sealed them, or they name another message', async () => {
    opens(here);
    await here.copies.flush('a');
    const stranger = await device(await pgp.generate({ addresses: [alice.address], name: 'Alice', now: Date.now() - 60_000 }));
    stranger.store.setShared('a', 1);
    assert.equal(await takes(stranger, folder[0]!), undefined);
    stranger.vault.close();
    const other = MESSAGE.replace('u', 'v');
    const renamed = Buffer.from(
      folder[0]!.toString('latin1').replaceAll(copyIdOf(MESSAGE), copyIdOf(other)).replaceAll(MESSAGE, other),
      'latin1',
    );
    assert.equal(await takes(there, renamed), undefined);
    assert.equal(
      await takes(
        there,
        Buffer.from(folder[0]!.toString('latin1').replace('qumail_copy.bin', 'x.bin').replace('qumail_copy.bin', 'x.bin'), 'latin1'),
      ),
      undefined,
    );
  });
});
