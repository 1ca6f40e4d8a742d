import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { payloadHash } from '../../src/core/account/openJob.ts';
import { readPayload } from '../../src/core/crypto/envelope.ts';
import { readPayloads } from '../../src/core/mail/readMime.ts';
import { messageIdOf } from '../faults/faultWorld.ts';
import type { PeopleWorld, Person } from '../world/peopleWorld.ts';

/** How things stand once everybody is back and has done what a person is asked to do. */
export interface Settled {
  /** Entries whose fate nobody knew, settled by the person. */
  readonly unsure: number;
  /** Drafts that were sent again by the person, because nothing of them had been queued. */
  readonly sentAnew: number;
  /** Messages whose key the key manager had delivered to a window that died before it could note it; sealed and sent again. */
  readonly keyLostInFlight: number;
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  /** Copies in Sent beyond the first. */
  readonly filedTwice: readonly string[];
  readonly wrongTexts: readonly string[];
  readonly mimesProduced: number;
  readonly keysInMimes: number;
  /** Key IDs that stand in two different payloads. */
  readonly keysInTwoMimes: readonly string[];
  /** Key IDs in a MIME that the key manager's log does not have once for the sender, or more than once for the receiver. */
  readonly keysNotAsLogged: readonly string[];
  /** Messages on the server that are not, octet for octet, what the ledger says its keys were used for. */
  readonly notAsLedger: readonly string[];
  readonly statesOfKeys: Readonly<Record<string, number>>;
  readonly keysWithoutRow: number;
  readonly stillReserved: number;
  readonly damaged: readonly string[];
}

export interface SettlingParts {
  readonly world: PeopleWorld;
  readonly alice: Person;
  readonly bob: Person;
  readonly subjects: readonly string[];
  readonly produced: string;
}

/** Opens both people's mail anew, does what a person would, and compares what everybody has. */
export async function settle(parts: SettlingParts): Promise<Settled> {
  const { world, alice, bob } = parts;
  await bob.open();
  await alice.reopen();
  const unsure = await settleOutbox(parts);
  const sentAnew = await sendWhatIsLeft(parts);
  const reading = await readAll(parts);
  const keys = await compareKeys(parts);
  const damaged: string[] = [];
  for (const person of [alice, bob]) {
    const audit = await person.engine.verifyAudit({});
    if (!audit.intact) damaged.push(`audit of ${person.name} at ${audit.brokenAt}`);
    for (const file of ['vault.db', 'mail.db']) {
      const db = new DatabaseSync(join(person.storageDir, file), { readOnly: true });
      if (db.prepare('PRAGMA integrity_check').get()?.['integrity_check'] !== 'ok') damaged.push(`${file} of ${person.name}`);
      db.close();
    }
  }
  const sent = (await world.mail.storedMessages(alice.email, 'Sent')).map(messageIdOf);
  return { unsure, sentAnew, ...reading, filedTwice: repeated(sent), ...keys, damaged };
}

/** What the person says of entries whose fate is unknown: it is the server that knows. */
async function settleOutbox({ world, alice, bob }: SettlingParts): Promise<number> {
  let unsure = 0;
  const deadline = Date.now() + 60_000;
  for (;;) {
    const entries = await alice.engine.listOutbox();
    if (entries.length === 0) return unsure;
    if (Date.now() > deadline) throw new Error(`the outbox does not empty: ${JSON.stringify(entries)}`);
    for (const { id, state } of entries) {
      if (state === 'acceptance-unknown') {
        unsure += 1;
        const there = (await world.mail.storedMessages(bob.email)).map(messageIdOf);
        const as = there.includes(outboxMessageId(alice, id)) ? 'sent' : 'resend';
        await alice.engine.settleOutbox({ outboxId: id, as });
      } else if (state === 'waiting' || state === 'queued') {
        await alice.engine.retryOutbox({ outboxId: id }).catch(() => {});
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function outboxMessageId(alice: Person, id: number): string {
  const db = new DatabaseSync(join(alice.storageDir, 'vault.db'), { readOnly: true });
  const row = db.prepare('SELECT rfc_message_id FROM outbox WHERE id = ?').get(id);
  db.close();
  return String(row?.['rfc_message_id']);
}

/** Drafts that are still there were never accepted: the person presses Send again. */
async function sendWhatIsLeft({ alice }: SettlingParts): Promise<number> {
  const drafts = await alice.engine.listDrafts();
  for (const { id, text } of drafts) await alice.engine.sendDraft({ draftId: id, text });
  return drafts.length;
}

/** What Bob can read, by the subject it was written under. */
async function readAll({ world, alice, bob, subjects }: SettlingParts) {
  const wanted = subjects.length;
  const ids = async (): Promise<string[]> => (await world.mail.storedMessages(bob.email)).map(messageIdOf);
  const deadline = Date.now() + 20_000;
  while ((await ids()).length < wanted && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200));
  const duplicated = repeated(await ids());
  await bob.list('INBOX', 500);
  const texts = new Map<string, string>();
  let keyLostInFlight = 0;
  const lostKeys = keysLostInFlight(world, bob);
  const own = new Map(
    (await Promise.all((await alice.list('Sent', 500)).map(async (each) => alice.engine.openMessage({ messageId: each.id })))).map(
      (each) => [each.rfcMessageId, each],
    ),
  );
  for (const { id } of await bob.list('INBOX', 500)) {
    let message = await bob.engine.openMessage({ messageId: id });
    if (message.security.seal !== 'opened') {
      // The one way to lose a key: delivered, and its receiver killed before it was on the disk. The message says so, and is sealed again.
      const original = own.get(message.rfcMessageId);
      const explained = original?.security.keyIds.some((keyId) => lostKeys.has(keyId));
      if (!original || !explained) continue;
      keyLostInFlight += 1;
      const again = `${original.summary.subject} again`;
      await alice.send({ To: bob.email, Subject: again, Security: original.security.level }, original.text);
      message = await bob.receives(again);
    }
    texts.set(message.summary.subject.replace(/ again$/, ''), message.text.trim());
  }
  return {
    keyLostInFlight,
    lost: subjects.filter((subject) => !texts.has(subject)),
    duplicated,
    wrongTexts: [...texts].filter(([subject, text]) => text !== `the text of ${subject}`).map(([subject]) => subject),
  };
}

function keysLostInFlight(world: PeopleWorld, bob: Person): Set<string> {
  const known = new Set(ledgerOf(bob).map(({ keyId }) => keyId));
  const delivered = world.kme.pair.deliveries.filter(({ saeId, verb }) => saeId === bob.saeId && verb === 'dec_keys');
  return new Set(delivered.map(({ keyId }) => keyId).filter((keyId) => !known.has(keyId)));
}

interface LedgerRow {
  readonly keyId: string;
  readonly state: string;
  readonly sha256: string | undefined;
}

function ledgerOf(person: Person): LedgerRow[] {
  const db = new DatabaseSync(join(person.storageDir, 'vault.db'), { readOnly: true });
  const rows = db.prepare('SELECT key_id, state, sha256 FROM ledger_keys').all();
  db.close();
  return rows.map((row) => ({
    keyId: String(row['key_id']),
    state: String(row['state']),
    sha256: row['sha256'] === null ? undefined : Buffer.from(row['sha256'] as Uint8Array).toString('hex'),
  }));
}

/** Every MIME that any process ever produced, the key managers' log, and both ledgers against each other. */
async function compareKeys({ world, alice, bob, produced }: SettlingParts) {
  const payloads = new Map<string, Set<string>>();
  const usedFor = new Map<string, Set<string>>();
  const files = globSync('*.eml', { cwd: produced });
  for (const file of files) {
    const mime = readFileSync(join(produced, file));
    const found = await readPayloads(mime);
    if (!found) continue;
    const parts = readPayload(found.json, found.parts);
    for (const keyId of parts.header.keys.flatMap((entry) => entry.keyIds)) {
      add(payloads, keyId, payloadHash(parts).toString('hex'));
      add(usedFor, keyId, file.replace('.eml', ''));
    }
  }
  const served = new Map<string, string[]>();
  for (const { keyId, saeId, verb } of world.kme.pair.deliveries) served.set(keyId, [...(served.get(keyId) ?? []), `${verb} ${saeId}`]);
  const keysNotAsLogged = [...payloads.keys()].filter((keyId) => {
    const log = served.get(keyId) ?? [];
    const times = (what: string): number => log.filter((each) => each === what).length;
    return times(`enc_keys ${alice.saeId}`) !== 1 || times(`dec_keys ${bob.saeId}`) > 1 || log.length > 2;
  });
  const ledger = ledgerOf(alice);
  const rows = new Map(ledger.map((row) => [row.keyId, row]));
  // What lies in Sent is what was sent: its hash is the one its keys were used for.
  const notAsLedger: string[] = [];
  for (const mime of await world.mail.storedMessages(alice.email, 'Sent')) {
    const found = await readPayloads(mime);
    if (!found) continue;
    const { header } = readPayload(found.json, found.parts);
    const hash = createHash('sha256').update(mime).digest('hex');
    for (const keyId of header.keys.flatMap((entry) => entry.keyIds)) {
      const row = rows.get(keyId);
      if (row?.state !== 'USED' || row.sha256 !== hash || !usedFor.get(keyId)?.has(hash))
        notAsLedger.push(`${messageIdOf(mime)}: ${row?.state}`);
    }
  }
  const statesOfKeys: Record<string, number> = {};
  for (const { state } of [...ledger, ...ledgerOf(bob)]) statesOfKeys[state] = (statesOfKeys[state] ?? 0) + 1;
  const known = new Set([...ledger, ...ledgerOf(bob)].map(({ keyId }) => keyId));
  return {
    mimesProduced: files.length,
    keysInMimes: payloads.size,
    keysInTwoMimes: [...payloads].filter(([, hashes]) => hashes.size > 1).map(([keyId]) => keyId),
    keysNotAsLogged,
    notAsLedger,
    statesOfKeys,
    keysWithoutRow: [...served.keys()].filter((keyId) => !known.has(keyId)).length,
    stillReserved: statesOfKeys['RESERVED'] ?? 0,
  };
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  map.set(key, (map.get(key) ?? new Set()).add(value));
}

function repeated(ids: readonly string[]): string[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}
