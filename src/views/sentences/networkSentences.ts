import type { ErrorCode } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';
import { parseEnhanced, statusWords } from '../outbox/smtpStatus.ts';
import type { Fact, Sentence } from '../sentence.ts';
import { eitherFact, reasonOf } from './facts.ts';

type NetworkCode = Extract<ErrorCode, `net.${string}` | `imap.${string}` | `smtp.${string}`>;

/** The words for networks and mail servers. */
export function networkSentences(l10n: Localiser): Record<NetworkCode, Sentence> {
  return {
    'net.host-unknown': {
      say: (f) => l10n.t('No server is known by the name {0}. Check the name and the network.', f('host', l10n.t('the server'))),
      step: 'retry',
    },
    'net.refused': { say: (f) => l10n.t('{0} does not accept connections on this port.', f('host', l10n.t('The server'))), step: 'retry' },
    'net.timeout': { say: (f) => l10n.t('{0} did not answer in time.', f('host', l10n.t('The server'))), step: 'retry' },
    'net.cut': { say: (f) => l10n.t('The connection to {0} broke. Nothing is lost.', f('host', l10n.t('the server'))), step: 'retry' },
    'net.certificate': {
      say: (f) =>
        l10n.t(
          'The certificate of {0} is not trusted ({1}). If it comes from a private authority, add that authority in the settings.',
          f('host', l10n.t('the server')),
          reasonOf(f, l10n),
        ),
      step: 'certificate-authorities',
    },
    'net.tls-required': {
      say: (f) =>
        l10n.t('{0} offers no encrypted connection. QuMail does not send passwords or mail without one.', f('host', l10n.t('The server'))),
    },
    'net.protocol': {
      say: (f) => l10n.t('{0} does not speak the expected protocol. Check host and port.', f('host', l10n.t('The server'))),
    },
    'net.too-large': { say: (f) => l10n.t('The answer of {0} is larger than QuMail accepts.', f('host', l10n.t('the server'))) },
    'imap.mailbox-missing': {
      say: (f) => l10n.t('The folder {0} no longer exists on the server.', eitherFact(f, 'folder', 'path')),
      step: 'fetch',
    },
    'imap.message-missing': { say: () => l10n.t('The message is no longer on the server.'), step: 'fetch' },
    'imap.message-withheld': { say: () => l10n.t('The mail server lists this message, but does not hand it out.'), step: 'retry' },
    'imap.rejected': { say: (f) => l10n.t('The mail server refused: {0}.', reasonOf(f, l10n)), step: 'retry' },
    'smtp.rejected': {
      say: (f) => l10n.t('The mail server refused the message: {0}. The draft is still here.', smtpReasonOf(f, l10n)),
      step: 'outbox',
    },
    'smtp.deferred': {
      say: (f) => l10n.t('The mail server cannot take the message now: {0}. It waits in the outbox.', smtpReasonOf(f, l10n)),
      step: 'outbox',
    },
    'smtp.recipient-rejected': {
      say: (f) => l10n.t('The mail server does not accept these recipients: {0}. Nothing was sent.', f('recipients', '?')),
    },
    'smtp.too-large': { say: () => l10n.t('The message is larger than the mail server accepts. Attach less and send again.') },
    'smtp.gave-up': {
      say: (f) =>
        l10n.t('The mail server did not take the message for {0} days: {1}. It was not sent.', f('days', '5'), smtpReasonOf(f, l10n)),
      step: 'outbox',
    },
    'smtp.acceptance-unknown': {
      say: () =>
        l10n.t('The connection broke before the server confirmed. The message may have been sent; look in Sent before you send it again.'),
      step: 'outbox',
    },
  };
}

function smtpReasonOf(fact: Fact, l10n: Localiser): string {
  const status = parseEnhanced(fact('enhanced', ''));
  return status ? statusWords(status, l10n) : reasonOf(fact, l10n);
}
