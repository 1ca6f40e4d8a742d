import type { Contact, KeyOrigin, MessageProtection, SealedEnvelope, SecurityReport } from '../../core/api.ts';
import { dateFormat } from '../dateFormats.ts';
import { levelLabel, sizeLabel } from '../labels.ts';
import { sentenceOf, type Localiser } from '../present.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { protectionFacts } from './protection.ts';

/** Where and how dates are told; `timeZone` only for tests. */
export interface ProtectionLocale {
  readonly l10n: Localiser;
  readonly language: string;
  readonly timeZone?: string;
}

/** `contact`: the sender, where it is one. */
export interface InspectedMessage {
  readonly protection: MessageProtection;
  readonly contact?: Contact | undefined;
}

type Line = readonly [label: string, value: string | undefined];

/** All that is known of how a message is protected, as a page of plain text: facts, IDs and codes; no key and nothing of what was sealed. */
export function protectionText({ protection, contact }: InspectedMessage, locale: ProtectionLocale): string {
  const { l10n } = locale;
  const { security, envelope, keyOrigin } = protection;
  const sections: (readonly [title: string, lines: readonly Line[]])[] = [
    [l10n.t('What was reached'), reachedLines(protection, contact, locale)],
    ...(envelope
      ? [
          [l10n.t('What the sender asked for'), envelopeLines(envelope, security, locale)] as const,
          [l10n.t('Keys'), keyLines(envelope, security, keyOrigin, l10n)] as const,
        ]
      : []),
    [l10n.t('Outside of the seal, for every server on the way'), outsideLines(protection, l10n)],
  ];
  const text = sections.map(([title, lines]) => [title, ...lines.flatMap(lineText)].join('\n')).join('\n\n');
  return `${security.simulated ? `${l10n.t('SIMULATED')}\n\n` : ''}${text}\n`;
}

function lineText([label, value]: Line): string[] {
  return value === undefined || value === '' ? [] : [`  ${label}: ${value}`];
}

function reachedLines({ security, openedAt }: MessageProtection, contact: Contact | undefined, locale: ProtectionLocale): readonly Line[] {
  const { l10n } = locale;
  const states: Record<SecurityReport['seal'], string> = {
    plain: l10n.t('not sealed'),
    opened: l10n.t('opened and verified'),
    unopened: l10n.t('sealed, not opened yet'),
    failed: l10n.t('sealed, could not be opened and verified'),
  };
  // Opened, and yet something about it does not agree: never told as verified.
  const state = security.seal === 'opened' && security.failure ? l10n.t('opened, but something does not agree') : states[security.seal];
  const proven = security.seal === 'opened' && !security.failure;
  const level = proven || security.seal === 'plain' ? security.level : 'L4';
  return [
    [l10n.t('Level'), levelLabel(level, l10n)],
    [l10n.t('State'), state],
    [l10n.t('Reason'), security.failure && `${sentenceOf(security.failure, l10n)} (${security.failure.code})`],
    [l10n.t('Suite'), security.suite && suiteText(security.suite, l10n)],
    ...protectionFacts(security, contact, l10n).map(({ label, value }): Line => [label, value]),
    [l10n.t('Signed at'), dateText(security.signature?.signedAt, locale)],
    [l10n.t('Opened here'), dateText(openedAt, locale)],
  ];
}

function envelopeLines(envelope: SealedEnvelope, { seal }: SecurityReport, locale: ProtectionLocale): readonly Line[] {
  const { l10n } = locale;
  const { level, suite, sealedAt, from, to, postQuantumShare, paddedLength, id } = envelope;
  return [
    [l10n.t('Note'), seal === 'opened' ? '' : l10n.t('the container says so itself; that is proven only by opening it')],
    [l10n.t('Level'), levelLabel(level, l10n)],
    [l10n.t('Suite'), suiteText(suite, l10n)],
    [l10n.t('Post-quantum share'), postQuantumShare === 'present' ? l10n.t('yes') : level === 'L2' ? l10n.t('no') : ''],
    [l10n.t('Sealed at'), dateText(Date.parse(sealedAt), locale)],
    [l10n.t('Sealed by'), partyText(from, l10n)],
    ...to.map((party): Line => [l10n.t('Sealed for'), partyText(party, l10n)]),
    [l10n.t('Padded to'), l10n.t('{0} bytes', paddedLength)],
    [l10n.t('Envelope'), id],
  ];
}

function keyLines(
  { keys }: SealedEnvelope,
  { senderSaeId, keyManager }: SecurityReport,
  origin: KeyOrigin | undefined,
  l10n: Localiser,
): readonly Line[] {
  const origins: Record<KeyOrigin, string> = {
    'key-manager': l10n.t('a key manager (ETSI GS QKD 014)'),
    pad: l10n.t('a pad exchanged in person'),
    certificate: l10n.t('certificates; no key of a link or pad was spent'),
  };
  return [
    [l10n.t('Source'), origin && origins[origin]],
    [l10n.t('Key manager'), origin === 'key-manager' ? keyManager : ''],
    [l10n.t('Shared with'), senderSaeId],
    ...keys.flatMap(({ keyIds, bits, recipients, use }): readonly Line[] => [
      [
        l10n.t('For {0}', recipients.join(', ')),
        use === 'direct'
          ? l10n.t('{0} bits of key, used directly', bits)
          : l10n.t('{0} bits of key, protecting the key of the message', bits),
      ],
      ...keyIds.map((keyId): Line => [l10n.t('Key ID'), keyId]),
    ]),
  ];
}

function outsideLines({ outside, security, size }: MessageProtection, l10n: Localiser): readonly Line[] {
  const all = security.seal === 'plain' && !security.suite ? l10n.t('everything: the message is not sealed') : '';
  return [
    [l10n.t('Note'), all],
    ...outside.map(({ name, value }): Line => [name, withoutIcons(value)]),
    [l10n.t('Size on the server'), sizeLabel(size)],
  ];
}

/** The algorithms behind a suite's name (PROTOCOL 3 to 5). */
function suiteText(suite: string, l10n: Localiser): string {
  const algorithms: Partial<Record<string, string>> = {
    'QM1-OTP-P1305': l10n.t('one-time pad, Poly1305 under a key of the pad'),
    'QM1-CB256': l10n.t('AES-256 in Cobblestone-256, key by HKDF-SHA-512 from quantum keys'),
    'QM1-CB256+PQ': l10n.t('AES-256 in Cobblestone-256, key by HKDF-SHA-512 from quantum keys and ML-KEM-768 with X25519'),
    'QM1-PGP9980': l10n.t('OpenPGP (RFC 9580, RFC 9980): ML-KEM-768 with X25519, signed'),
    'PGP/MIME': l10n.t('OpenPGP of another program (RFC 3156)'),
  };
  const words = algorithms[suite];
  return words === undefined ? suite : `${suite}: ${words}`;
}

function partyText({ address, saeId, fingerprint }: SealedEnvelope['from'], l10n: Localiser): string {
  return [address, saeId && l10n.t('SAE {0}', saeId), fingerprint && l10n.t('certificate {0}', fingerprint)].filter(Boolean).join(', ');
}

function dateText(time: number | undefined, { language, timeZone }: ProtectionLocale): string {
  // What a hostile header says need be no time at all.
  if (time === undefined || !Number.isFinite(time) || Math.abs(time) > 8.64e15) return '';
  const zone = timeZone === undefined ? {} : { timeZone };
  return dateFormat(language, { ...zone, dateStyle: 'medium', timeStyle: 'long' }).format(time);
}
