import { QuMailError } from '../base/errors.ts';
import type { SecurityReport } from '../base/model.ts';
import type { KeyOrigin, MessageProtection, SealedEnvelope } from '../base/inspection.ts';
import { readPayload, type EnvelopeHeader, type EnvelopeParty } from '../crypto/envelope.ts';
import { decodeText, readHeaderSection } from '../mail/headerSection.ts';
import { readPayloads } from '../mail/readMime.ts';
import { sameMailbox } from './openJob.ts';

/** Fields that tell something of people or of the message; what servers add on the way is not told. */
const TOLD = ['From', 'Sender', 'Reply-To', 'To', 'Cc', 'Subject', 'Date', 'Message-ID', 'In-Reply-To', 'References'];
/** Characters of a value that are told, and values of one name. */
const MAX_VALUE = 300;
const MAX_SAME = 3;

/** What is known of a message whose protection is told. */
export interface Protected {
  readonly security: SecurityReport;
  /** RFC 5322 source. */
  readonly raw: Buffer;
  /** The account's own address. */
  readonly self: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number | undefined;
}

/** All that is known of how a message is protected: what was reached, what its container says, and what lies outside of it. Needs no key. */
export async function protectionOf({ security, raw, self, openedAt }: Protected): Promise<MessageProtection> {
  const header = await headerOf(raw);
  const keyOrigin = originOf(security, header, self);
  return {
    security,
    ...(openedAt !== undefined && { openedAt }),
    ...(keyOrigin !== undefined && { keyOrigin }),
    ...(header && { envelope: envelopeOf(header) }),
    outside: outsideOf(raw),
    size: raw.length,
  };
}

/** The container's header; undefined where there is none, or none that can be read: what is wrong with it the report's failure says. */
async function headerOf(raw: Buffer): Promise<EnvelopeHeader | undefined> {
  try {
    const payloads = await readPayloads(raw);
    return payloads && readPayload(payloads.json, payloads.parts).header;
  } catch (error) {
    if (QuMailError.is(error) && error.code.startsWith('open.')) return undefined;
    throw error;
  }
}

/** Where the keys came from, or would have to: what was sealed over a link names the SAE it is for, what names none was sealed with a pad. */
function originOf({ senderSaeId }: SecurityReport, header: EnvelopeHeader | undefined, self: string): KeyOrigin | undefined {
  if (header?.level === 'L3') return 'certificate';
  if (senderSaeId !== undefined) return senderSaeId.startsWith('pad:') ? 'pad' : 'key-manager';
  const party = header && (header.to.find(({ addr }) => sameMailbox(addr, self)) ?? header.to[0]);
  return party && (party.sae === undefined ? 'pad' : 'key-manager');
}

function envelopeOf(header: EnvelopeHeader): SealedEnvelope {
  const { id, level, suite, ts, from, to, keys, pq, paddedLength } = header;
  return {
    id,
    level,
    suite,
    sealedAt: ts,
    from: partyOf(from),
    to: to.map(partyOf),
    keys: keys.map(({ keyIds, bits, to: indexes, wrap }) => ({
      keyIds,
      bits,
      recipients: to.flatMap(({ addr }, index) => (indexes === undefined || indexes.includes(index) ? [addr] : [])),
      use: wrap ? 'wraps' : 'direct',
    })),
    postQuantumShare: pq === undefined ? 'absent' : 'present',
    paddedLength,
  };
}

function partyOf({ addr, sae, fpr }: EnvelopeParty): SealedEnvelope['from'] {
  return { address: addr, ...(sae !== undefined && { saeId: sae }), ...(fpr !== undefined && { fingerprint: fpr }) };
}

function outsideOf(raw: Buffer): MessageProtection['outside'] {
  const { fields } = readHeaderSection(raw);
  return TOLD.flatMap((name) => {
    const same = fields.filter((field) => field.name.toLowerCase() === name.toLowerCase()).slice(0, MAX_SAME);
    return same.map(({ value }) => ({ name, value: decodeText(value).slice(0, MAX_VALUE) }));
  });
}
