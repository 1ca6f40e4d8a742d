import assert from 'node:assert/strict';
import { writeCopy } from '../../../src/core/account/draftCopy.ts';
import { DraftCopyReader, type ReadCopies } from '../../../src/core/account/draftCopyReader.ts';
import { DraftCopyWriter } from '../../../src/core/account/draftCopyWriter.ts';
import type { DraftPlace } from '../../../src/core/account/draftFinder.ts';
import type { OwnCertificates } from '../../../src/core/account/ownCertificates.ts';
import { QuMailError, type ErrorCode } from '../../../src/core/base/errors.ts';
import { Log } from '../../../src/core/base/log.ts';
import { systemClock, systemRandom } from '../../../src/core/base/systemPorts.ts';
import { openOwnDraft, ownDraftKey, sealOwnDraft } from '../../../src/core/crypto/ownDraft.ts';
import { ownCopyKey } from '../../../src/core/crypto/ownCopy.ts';
import { OpenPgpEngine } from '../../../src/core/crypto/openPgpEngine.ts';
import type { GeneratedCertificate } from '../../../src/core/crypto/pgpEngine.ts';

const DAY = 86_400_000;
const ACCOUNT = 'a';
const NAME = '00000000-0000-4000-8000-000000000001';
const REVISION = '00000000-0000-4000-8000-000000000002';
const alice = { name: 'Alice', address: 'alice@example.test' };
const pgp = new OpenPgpEngine({ random: systemRandom });
const content = { text: 'the very words', inReplyTo: '', references: [] };
const draft = { ...content, id: 'd', accountId: ACCOUNT, updatedAt: 1_700_000_000_000 };

/** A folder that holds what is put into it, and a reader and a writer with the keys of a device. */
class Device {
  keys: GeneratedCertificate;
  rotatedAt = 0;
  /** What happens instead when the keys are asked for. */
  failing: ErrorCode | undefined;
  readonly place: DraftPlace;
  readonly reader: DraftCopyReader;
  readonly writer: DraftCopyWriter;

  constructor(keys: GeneratedCertificate, folder: Buffer[]) {
    this.keys = keys;
    const own = {
      peek: () => ({ certificate: this.keys.certificate, fingerprint: this.keys.fingerprint, rotatedAt: this.rotatedAt }),
      withSecret: async (_: string, use: (secretKey: Buffer) => Promise<unknown>) => {
        if (this.failing) throw new QuMailError(this.failing);
        return use(Buffer.from(this.keys.secretKey));
      },
    } as unknown as OwnCertificates;
    const handler = {
      fetchSource: async (_: string, __: number, uid: number) => folder[uid - 1]!,
      actions: {
        identify: async (_: string, __: number, { uids }: { uids: number[] }) =>
          uids.map((uid) => ({
            uid,
            size: folder[uid - 1]!.length,
            rfcMessageId: /^Message-ID: (.*)\r$/m.exec(folder[uid - 1]!.toString())![1]!,
          })),
        append: async (_: string, raw: Buffer) => ({ uid: folder.push(raw), uidValidity: 1 }),
      },
    } as unknown as DraftPlace['handler'];
    const { signal } = new AbortController();
    this.place = { accountId: ACCOUNT, handler, folder: 'Drafts', uidValidity: 1, uidNext: 1 };
    this.reader = new DraftCopyReader({ own, pgp, clock: systemClock, log: new Log(() => {}, 'drafts'), signal });
    this.writer = new DraftCopyWriter({ own, random: systemRandom, addressOf: () => alice, signal });
  }

  reads(): Promise<ReadCopies> {
    return this.reader.readAll(this.place, [1]);
  }
}

describe('account/copies of drafts', function () {
  this.timeout(20_000);
  const begun = Date.now() - 62 * DAY;
  let young: GeneratedCertificate;
  /** The same certificate when its first encryption subkey was taken out. */
  let old: GeneratedCertificate;
  let folder: Buffer[];

  before(async () => {
    young = await pgp.generate({ addresses: [alice.address], name: 'Alice', now: begun });
    old = young;
    for (const days of [31, 62]) {
      const now = begun + days * DAY;
      old = { ...old, ...(await pgp.rotateSubkey({ secretKey: old.secretKey, now, dropBefore: now - 60 * DAY })) };
    }
  });
  beforeEach(() => {
    folder = [];
  });

  const copy = { draftId: draft.id, accountId: ACCOUNT, name: NAME, ancestors: [] };
  const textOf = ({ found }: ReadCopies): string | undefined => found[0]?.copy.content.text;

  /** As versions before this one wrote it. */
  async function asBefore(keys: GeneratedCertificate): Promise<Buffer> {
    const plaintext = writeCopy({ v: 1, name: NAME, revision: REVISION, ancestors: [], updatedAt: 1, content });
    const { message } = await pgp.seal({
      plaintext,
      certificates: [keys.certificate],
      signWith: keys.secretKey,
      now: begun + DAY,
      profile: 'pq',
    });
    const part = 'Content-Disposition: attachment; filename="qumail_draft.pgp"';
    const head = [`Message-ID: <${REVISION}@example.test>`, `X-QuMail-Draft: ${NAME}`, '', '--b', part, ''];
    return Buffer.from([...head, message.toString('base64'), '--b--', ''].join('\r\n'), 'latin1');
  }

  it('are written under a key that every device with the certificate has, whatever became of its subkeys', async () => {
    const there = await new Device(young, folder).writer.put(copy, draft, [], new Device(young, folder).place);
    assert.deepEqual([there.uid, there.uidValidity], [1, 1]);
    const read = await new Device(old, folder).reads();
    assert.deepEqual([textOf(read), read.found[0]?.revision, read.found[0]?.sealing], ['the very words', there.revision, 'own-key']);
    assert.ok(!folder[0]!.includes('the very words'));
  });

  it('of earlier versions open while the subkey is there, and are known for what they claim to be afterwards', async () => {
    folder.push(await asBefore(young));
    const { found } = await new Device(young, folder).reads();
    assert.deepEqual([found[0]?.revision, found[0]?.sealing], [REVISION, 'subkey']);
    assert.deepEqual(await new Device(old, folder).reads(), {
      found: [],
      unread: [{ uid: 1, revision: REVISION, name: NAME, why: 'shut' }],
    });
  });

  it('that no key opens are tried again when the keys are others, and not before', async () => {
    folder.push(await asBefore(young));
    const device = new Device(old, folder);
    await device.reads();
    device.keys = young;
    assert.equal((await device.reads()).unread.length, 1);
    device.rotatedAt = 1;
    assert.equal(textOf(await device.reads()), 'the very words');
  });

  it('that could not be opened for another reason are tried again at the next look', async () => {
    const device = new Device(young, folder);
    await device.writer.put(copy, draft, [], device.place);
    device.failing = 'engine.internal';
    assert.equal((await device.reads()).unread[0]?.why, 'failed');
    // While the own keys cannot be read, nothing is said of any copy.
    device.failing = 'store.locked';
    await assert.rejects(device.reads(), { code: 'store.locked' });
    device.failing = undefined;
    assert.equal(textOf(await device.reads()), 'the very words');
  });

  it('are nobody’s under another certificate, another name or a changed octet, and their key is no other use’s', async () => {
    const other = await pgp.generate({ addresses: [alice.address], name: 'Alice', now: begun });
    const device = new Device(young, folder);
    await device.writer.put(copy, draft, [], device.place);
    assert.equal((await new Device(other, folder).reads()).unread[0]?.why, 'shut');
    const key = ownDraftKey(young.secretKey);
    assert.deepEqual(ownDraftKey(old.secretKey), key);
    assert.notDeepEqual(ownCopyKey(young.secretKey), key);
    const sealed = sealOwnDraft({ key, name: NAME, plaintext: Buffer.from('x') }, systemRandom);
    assert.equal(openOwnDraft({ key, name: NAME, sealed }).toString(), 'x');
    const tampered = { code: 'open.tampered' };
    assert.throws(() => openOwnDraft({ key, name: REVISION, sealed }), tampered);
    for (let at = 0; at < sealed.length; at += 5) {
      const altered = Buffer.from(sealed);
      altered[at]! ^= 1;
      assert.throws(() => openOwnDraft({ key, name: NAME, sealed: altered }), tampered);
    }
  });
});
