import type { ErrorCode } from '../core/api.ts';
import type { Localiser } from './localiser.ts';
import { parseEnhanced, statusWords } from './outbox/smtpStatus.ts';
import type { Fact, Sentence } from './sentence.ts';
import { chatSentences } from './sentences/chatSentences.ts';

/** The words for every code there is: a new one fails to compile here. `present.ts` is the only reader. */
export function sentences(l10n: Localiser): Record<ErrorCode, Sentence> {
  const server = (fact: Fact): string => fact('host', l10n.t('the server'));
  const startServer = (fact: Fact): string => fact('host', l10n.t('The server'));
  const reason = (fact: Fact): string => fact('reason', fact('response', fact('enhanced', fact('status', l10n.t('no reason given')))));
  const smtpReason = (fact: Fact): string => {
    const status = parseEnhanced(fact('enhanced', ''));
    return status ? statusWords(status, l10n) : reason(fact);
  };
  return {
    'auth.sign-in-again': {
      say: () => l10n.t('The sign-in has ended. Mail and keys stay here; sign in again to go on.'),
      step: 'sign-in-again',
    },
    'auth.refresh-failed': {
      say: (f) => l10n.t('The sign-in could not be renewed ({0}). QuMail tries again by itself.', reason(f)),
      step: 'retry',
    },
    'auth.wrong-password': {
      say: () => l10n.t('The mail server did not accept this password. Some providers want an app password.'),
      step: 'sign-in-again',
    },
    'auth.token-refused': { say: () => l10n.t('The mail server refused the sign-in. Sign in again to go on.'), step: 'sign-in-again' },
    'auth.state-mismatch': {
      say: () => l10n.t('The answer from the browser belongs to another sign-in and was not used. Start the sign-in again.'),
      step: 'retry',
    },
    'auth.issuer-mismatch': {
      say: () => l10n.t('The answer came from another sign-in service than the one asked and was not used.'),
      step: 'log',
    },
    'auth.denied': { say: (f) => l10n.t('The sign-in page said no: {0}.', reason(f)), step: 'retry' },
    'auth.cancelled': { say: () => l10n.t('The sign-in was cancelled.') },
    'auth.timeout': { say: () => l10n.t('Nobody came back from the browser in time. Start the sign-in again.'), step: 'retry' },
    'auth.client-missing': {
      say: () => l10n.t('This provider needs an OAuth client ID of your own before anyone can sign in.'),
      step: 'client-id',
    },
    'auth.bad-answer': { say: () => l10n.t('The sign-in service answered something QuMail does not understand.'), step: 'log' },
    'auth.discovery-failed': {
      say: (f) => l10n.t('The sign-in service at {0} does not describe itself. Check the issuer address.', f('issuer', server(f))),
    },
    'auth.command-failed': {
      say: (f) => l10n.t('The token command of this account gave no access token: {0}.', commandReason(f('reason', ''), f, l10n)),
      step: 'retry',
    },
    'auth.identity-missing': {
      say: () => l10n.t('You are signed in, but the provider told no e-mail address. Allow access to it and try again.'),
      step: 'retry',
    },

    'net.host-unknown': {
      say: (f) => l10n.t('No server is known by the name {0}. Check the name and the network.', server(f)),
      step: 'retry',
    },
    'net.refused': { say: (f) => l10n.t('{0} does not accept connections on this port.', startServer(f)), step: 'retry' },
    'net.timeout': { say: (f) => l10n.t('{0} did not answer in time.', startServer(f)), step: 'retry' },
    'net.cut': { say: (f) => l10n.t('The connection to {0} broke. Nothing is lost.', server(f)), step: 'retry' },
    'net.certificate': {
      say: (f) =>
        l10n.t(
          'The certificate of {0} is not trusted ({1}). If it comes from a private authority, add that authority in the settings.',
          server(f),
          reason(f),
        ),
      step: 'certificate-authorities',
    },
    'net.tls-required': {
      say: (f) => l10n.t('{0} offers no encrypted connection. QuMail does not send passwords or mail without one.', startServer(f)),
    },
    'net.protocol': { say: (f) => l10n.t('{0} does not speak the expected protocol. Check host and port.', startServer(f)) },
    'net.too-large': { say: (f) => l10n.t('The answer of {0} is larger than QuMail accepts.', server(f)) },

    'imap.mailbox-missing': {
      say: (f) => l10n.t('The folder {0} no longer exists on the server.', eitherFact(f, 'folder', 'path')),
      step: 'fetch',
    },
    'imap.message-missing': { say: () => l10n.t('The message is no longer on the server.'), step: 'fetch' },
    'imap.rejected': { say: (f) => l10n.t('The mail server refused: {0}.', reason(f)), step: 'retry' },
    'smtp.rejected': {
      say: (f) => l10n.t('The mail server refused the message: {0}. The draft is still here.', smtpReason(f)),
      step: 'outbox',
    },
    'smtp.deferred': {
      say: (f) => l10n.t('The mail server cannot take the message now: {0}. It waits in the outbox.', smtpReason(f)),
      step: 'outbox',
    },
    'smtp.recipient-rejected': {
      say: (f) => l10n.t('The mail server does not accept these recipients: {0}. Nothing was sent.', f('recipients', '?')),
    },
    'smtp.too-large': { say: () => l10n.t('The message is larger than the mail server accepts. Attach less and send again.') },
    'smtp.gave-up': {
      say: (f) => l10n.t('The mail server did not take the message for {0} days: {1}. It was not sent.', f('days', '5'), smtpReason(f)),
      step: 'outbox',
    },
    'smtp.acceptance-unknown': {
      say: () =>
        l10n.t('The connection broke before the server confirmed. The message may have been sent; look in Sent before you send it again.'),
      step: 'outbox',
    },

    'kme.not-configured': { say: () => l10n.t('This account has no key manager. Connect one to use quantum keys.'), step: 'key-manager' },
    'kme.unreachable': { say: () => l10n.t('The key manager cannot be reached.'), step: 'retry' },
    'kme.timeout': { say: () => l10n.t('The key manager did not answer in time.'), step: 'retry' },
    'kme.identity': {
      say: () =>
        l10n.t(
          'The server that answered is not the key manager you named, or its certificate is not from your authority. No key was asked for.',
        ),
      step: 'key-manager',
    },
    'kme.certificate-expired': {
      say: () => l10n.t('A certificate for the key manager has expired. Ask its operator for a new one.'),
      step: 'key-manager',
    },
    'kme.unauthorised': { say: () => l10n.t('The key manager does not know your client certificate or SAE ID.'), step: 'key-manager' },
    'kme.exhausted': {
      say: (f) =>
        f('wantedBits') === ''
          ? l10n.t('The key manager is short of keys. Wait for more, or choose another level.')
          : l10n.t(
              'The key manager is short of keys: {0} bits are needed, {1} are there. Wait for more, or choose another level.',
              f('wantedBits'),
              f('gotBits', '0'),
            ),
      step: 'level',
    },
    'kme.unavailable': { say: () => l10n.t('The key manager is busy or has no link at the moment. Try again shortly.'), step: 'retry' },
    'kme.bad-request': { say: (f) => l10n.t('The key manager refused the request: {0}.', reason(f)), step: 'key-manager-status' },
    'kme.bad-answer': {
      say: () => l10n.t('The key manager answered something that is not ETSI GS QKD 014. Check its address.'),
      step: 'key-manager',
    },
    'kme.key-not-found': {
      say: () => l10n.t('The key manager does not have the key of this message. It may have been delivered already, or have expired.'),
      step: 'retry',
    },
    'kme.key-may-be-lost': {
      say: () =>
        l10n.t('The key was asked for once and the answer never came. The key manager no longer has it; ask the sender to send again.'),
    },
    'kme.too-large': {
      say: () => l10n.t('The message needs more key than the key manager gives at once. Shorten it or choose another level.'),
      step: 'level',
    },
    'kme.simulated': { say: () => l10n.t('Key managers of the demo lab serve lab accounts only, and lab accounts use no others.') },

    'key.reused': {
      say: () => l10n.t('The key manager delivered a key it had delivered before. The key was not used. Tell its operator.'),
      step: 'log',
    },
    'key.not-held': { say: () => l10n.t('The key of this message is not here any more.') },
    'key.betrayed': {
      say: () => l10n.t('The key manager names keys in a way that gives them away. The key was not used. Tell its operator.'),
      step: 'log',
    },
    'key.quota-exceeded': {
      say: (f) => l10n.t('The share of keys for {0} is spent for now. Raise it, or wait.', f('address', l10n.t('this contact'))),
      step: 'key-manager-status',
    },

    'pad.malformed': {
      say: (f) =>
        f('reason') === 'newer'
          ? l10n.t('This pad was made by a newer QuMail. Update QuMail and import it again.')
          : l10n.t('This file is not a QuMail pad.'),
    },
    'pad.damaged': {
      say: (f) =>
        f('reason') === 'cut'
          ? l10n.t('The end of this pad is missing, so none of it was used. Copy it again, or make another one.')
          : l10n.t('This pad is damaged, so none of it was used. Copy it again, or make another one.'),
    },
    'pad.bad-randomness': {
      say: () => l10n.t('These bytes are not random: they repeat, or some are far too common. Nothing was made of them.'),
    },
    'pad.too-short': { say: () => l10n.t('That is too little for a pad. Choose a smaller pad, or a larger file of random bytes.') },
    'pad.wrong-contact': {
      say: (f) =>
        l10n.t('This pad belongs to {0}, not to {1}.', f('found', l10n.t('somebody else')), f('expected', l10n.t('this contact'))),
    },
    'pad.own-file': { say: () => l10n.t('You made this pad: your half is here already. Hand the file to your contact.') },
    'pad.already-imported': { say: () => l10n.t('This pad has been imported before. A pad is used once; delete the file.') },
    'pad.exhausted': {
      say: () => l10n.t('The pad shared with this contact is too short for this message. Make another one, or choose L2.'),
      step: 'level',
    },
    'pad.missing': {
      say: (f) =>
        l10n.t('The pad that {0} sealed this with is not here. Import it to open the message.', f('address', l10n.t('the sender'))),
    },

    'seal.no-contact': {
      say: (f) => l10n.t('{0} is not among your contacts yet, so there is no key to seal with.', eitherFact(f, 'address', 'recipient')),
      step: 'contact',
    },
    'seal.no-link': {
      say: (f) =>
        l10n.t(
          'There is no quantum key link to {0}: the contact needs an SAE ID and this account a key manager.',
          eitherFact(f, 'address', 'recipient'),
        ),
      step: 'contact',
    },
    'seal.below-minimum': {
      say: (f) =>
        l10n.t('{0} is to get nothing below {1}. Choose a higher level, or change the contact.', f('address', '?'), f('minimum', '?')),
      step: 'level',
    },
    'seal.quotes-sealed': {
      say: (f) =>
        l10n.t(
          'This draft still holds text or the subject of a message that came sealed at {0}. Choose that level or a higher one, or take them out.',
          f('minimum', '?'),
        ),
      step: 'level',
    },
    'seal.level-unsupported': { say: () => l10n.t('QuMail cannot send at this level yet. Choose another one.'), step: 'level' },
    'seal.pad-too-large': {
      say: (f) =>
        l10n.t(
          'A one-time pad message may have {0} bytes; this one has {1}. Shorten it or choose another level.',
          f('limit', '?'),
          f('size', '?'),
        ),
      step: 'level',
    },
    'seal.too-many-recipients': { say: (f) => l10n.t('A sealed message can have at most {0} recipients.', f('limit', '?')) },
    'seal.no-certificate': {
      say: (f) => l10n.t('No certificate is known for {0}. Ask for a contact card, or choose another level.', f('addresses', '?')),
      step: 'level',
    },
    'seal.not-post-quantum': {
      say: (f) =>
        l10n.t(
          'The certificate of {0} does not hold against quantum computers, so L3 would promise too much. Choose "PGP" to use it anyway.',
          f('addresses', '?'),
        ),
      step: 'level',
    },
    'seal.key-changed': {
      say: (f) => l10n.t('The keys of {0} have changed. Nothing is sent until you have decided about the change.', f('address', '?')),
      step: 'contact',
    },

    'open.malformed': {
      say: () => l10n.t('The sealed part of this message is damaged or not written by QuMail. Ask the sender to send it again.'),
    },
    'open.unknown-version': { say: () => l10n.t('This message was sealed by a newer QuMail. Update QuMail to read it.') },
    'open.unknown-suite': {
      say: () => l10n.t('This message was sealed with a method this QuMail does not know. Update QuMail to read it.'),
    },
    'open.unknown-critical': {
      say: (f) => l10n.t('This message needs a feature this QuMail does not know ({0}). Update QuMail to read it.', f('name', '?')),
    },
    'open.duplicate-member': { say: () => l10n.t('The sealed part of this message contradicts itself and was not opened.') },
    'open.two-payloads': { say: () => l10n.t('This message carries two sealed parts, which no sender makes. It was not opened.') },
    'open.limit': { say: (f) => l10n.t('This message is beyond what QuMail opens ({0}).', f('what', '?')) },
    'open.truncated': { say: () => l10n.t('This message was cut on its way. Ask the sender to send it again.') },
    'open.part-missing': { say: () => l10n.t('A part of this sealed message is missing. Ask the sender to send it again.') },
    'open.part-mismatch': { say: () => l10n.t('A part of this sealed message was changed on its way. It was not opened.') },
    'open.tampered': { say: () => l10n.t('This message was changed after it was sealed, or sealed with another key. It was not opened.') },
    'open.not-for-you': {
      say: (f) =>
        f('what', '') === 'sae'
          ? l10n.t('This message was sealed to another device of yours. Read it there, or ask the sender to seal it to this one.')
          : l10n.t('This message was sealed for other recipients.'),
    },
    'open.sender-unknown': {
      say: (f) =>
        l10n.t(
          'The SAE ID of the sender {0} is not known. Add it to the contact to open this message.',
          eitherFact(f, 'address', 'sender'),
        ),
      step: 'contact',
    },
    'open.reflection': { say: () => l10n.t('Someone sent you back a message of your own. It was not opened.') },
    'open.replayed': {
      say: () => l10n.t('The key of this message has opened another one before. Someone sent a copy; it was not opened.'),
    },
    'open.headers-differ': {
      say: () => l10n.t('Sender or recipients outside differ from those sealed inside. Trust only what is sealed.'),
    },
    'open.written-elsewhere': {
      say: () => l10n.t('You sealed this message on another device. Read it there, or restore a backup of that device here.'),
    },
    'open.level-unsupported': { say: () => l10n.t('QuMail cannot open messages of this level yet.') },
    'open.no-secret-key': {
      say: () => l10n.t('This message was sealed to a certificate whose key is not on this computer. Ask the sender to seal it again.'),
    },
    'open.subkey-gone': {
      say: () => l10n.t('This message was sealed to a key that has been replaced and erased. Ask the sender to seal it again.'),
    },
    'open.sender-changed': {
      say: (f) => l10n.t('{0} signed this message with another certificate than before. Check the change first.', f('address', '?')),
      step: 'contact',
    },
    'open.bad-signature': { say: () => l10n.t('The signature of this message does not fit it. It was not opened.') },
    'open.unknown-signer': {
      say: () => l10n.t('This message was not signed with the certificate known for its sender. Check the contact before you trust it.'),
    },

    'cert.malformed': { say: () => l10n.t('This is not a certificate that QuMail can read.') },
    'cert.too-large': { say: () => l10n.t('This certificate is larger than any honest one and was not read.') },
    'cert.expired': { say: () => l10n.t('This certificate has expired. Ask its owner for the current one.') },
    'cert.revoked': { say: () => l10n.t('The owner of this certificate has revoked it. Ask for the new one.') },
    'cert.weak': {
      say: (f) => l10n.t('This certificate uses an algorithm that is too weak or unknown here ({0}).', f('algorithm', '?')),
    },
    'cert.no-encryption': { say: () => l10n.t('This certificate cannot be used for encryption.') },
    'cert.address-mismatch': {
      say: (f) => l10n.t('This certificate does not belong to {0}.', f('address', l10n.t('this address'))),
    },
    'cert.bad-binding': { say: () => l10n.t('Parts of this certificate were not signed by its owner. It was not accepted.') },

    'card.malformed': { say: () => l10n.t('This is not a contact card that QuMail can read.') },
    'card.unknown-critical': {
      say: (f) => l10n.t('This card needs a feature this QuMail does not know ({0}). Update QuMail to use it.', f('name', '?')),
    },
    'card.forged': { say: () => l10n.t('This card was not signed by the certificate it names. It was not accepted.') },
    'card.replayed': { say: () => l10n.t('This card is older than the one that is known. It was not accepted.') },
    'card.other-address': { say: (f) => l10n.t('This card belongs to {0}.', f('address', l10n.t('somebody else'))) },
    'card.expired': { say: () => l10n.t('This card has expired. Ask the contact for a new one.') },
    'card.no-certificate': {
      say: () => l10n.t('This card came without its certificate, so its signature cannot be checked. Ask for the whole card.'),
    },
    'card.not-sealed': {
      say: () => l10n.t("A card that comes in ordinary mail could be anybody's. Import the file yourself if you trust it."),
    },
    'trust.rejected': { say: () => l10n.t('You turned this very change down before.') },
    'trust.weaker': {
      say: () => l10n.t('This contradicts what is known of the contact and comes from a weaker source. It was not accepted.'),
    },
    'trust.no-change': {
      say: () => l10n.t('This change is no longer there, or another one took its place. Look at the contact again.'),
      step: 'contact',
    },
    'trust.no-certificate': {
      say: (f) =>
        l10n.t('No certificate of {0} is known yet. Ask for a contact card, or look for one.', f('address', l10n.t('this contact'))),
    },
    'trust.mismatch': {
      say: () =>
        l10n.t('The safety numbers differ. Somebody may be between you and this contact: send nothing, and find out on another way.'),
    },
    'qr.other-protocol': { say: (f) => l10n.t('This code belongs to another program ({0}).', f('scheme', '?')) },
    'qr.malformed': { say: () => l10n.t('This code is not complete. Show and scan it again.') },
    'qr.other-person': { say: (f) => l10n.t('This code is for {0}, not for you and this contact.', f('address', l10n.t('somebody else'))) },
    'wkd.not-found': { say: (f) => l10n.t('{0} publishes no certificate for this address.', f('domain', '?')) },
    'wkd.refused': { say: (f) => l10n.t('There is no place where {0} could publish certificates.', f('domain', '?')) },

    'draft.no-recipient': { say: () => l10n.t('The message has no recipient. Write an address after "To:".') },
    'draft.bad-address': { say: (f) => l10n.t('"{0}" is not an e-mail address.', f('address', '?')) },
    'draft.other-sender': {
      say: (f) =>
        l10n.t('This draft goes out from {0}. To write as {1}, start a message in that account.', f('account', '?'), f('address', '?')),
    },
    'draft.bad-header': {
      say: (f) => l10n.t('"{0}" is not a header line QuMail knows. Leave an empty line before the text.', f('name', '?')),
    },
    'draft.bad-level': { say: () => l10n.t('The security level is one of L1, L2, L3 and L4.'), step: 'level' },
    'draft.file-missing': { say: (f) => l10n.t('The file {0} cannot be read.', f('path', '?')) },
    'draft.file-too-large': {
      say: (f) => l10n.t('The file {0} is too large: {1} bytes, at most {2}.', f('path', '?'), f('size', '?'), f('limit', '?')),
    },
    'draft.too-large': { say: (f) => l10n.t('The message is too large: {0} bytes, at most {1}.', f('size', '?'), f('limit', '?')) },
    'draft.missing': { say: () => l10n.t('This draft no longer exists: it was sent or deleted.') },

    'search.empty': { say: () => l10n.t('Type what to look for.') },
    'search.too-long': { say: (f) => l10n.t('A search can have {0} characters at most. Shorten it.', f('limit', '2000')) },
    'search.too-many-terms': { say: (f) => l10n.t('A search can have {0} terms at most. Leave some out.', f('limit', '64')) },
    'search.too-deep': { say: (f) => l10n.t('Parentheses can be nested {0} deep at most.', f('limit', '16')) },
    'search.unknown-operator': {
      say: (f) =>
        f('nearest', '') === ''
          ? l10n.t('Searches know no "{0}:". To look for it as text, put it in quotes.', f('name', ''))
          : l10n.t(
              'Searches know no "{0}:". Did you mean "{1}:"? To look for it as text, put it in quotes.',
              f('name', ''),
              f('nearest', ''),
            ),
    },
    'search.value-missing': { say: (f) => l10n.t('Write what to look for right after "{0}:".', f('name', '')) },
    'search.bad-value': {
      say: (f) =>
        f('name', '') === ''
          ? l10n.t('There is no text to look for in "{0}".', f('value', ''))
          : l10n.t('"{0}" does not fit "{1}:". Completion shows what does.', f('value', ''), f('name', '')),
    },
    'search.stray': {
      say: (f) => l10n.t('"{0}" needs something to look for beside it. To look for it as text, put it in quotes.', f('what', '')),
    },
    'search.unclosed-quote': { say: () => l10n.t('The quotation mark is not closed. Add one at the end of the phrase.') },
    'search.unclosed-parenthesis': { say: () => l10n.t('The parenthesis is not closed. Add one at the end of the group.') },
    'search.server-cannot': {
      say: (f) => l10n.t('The mail server cannot look for "{0}:". Leave it out to search on the server.', f('name', '')),
    },
    'search.missing': { say: () => l10n.t('This saved search no longer exists.') },

    'draft.version-missing': { say: () => l10n.t('This earlier version of the draft is no longer kept.') },
    'action.missing': { say: () => l10n.t('This is too long ago to be undone.') },
    'action.final': { say: () => l10n.t('What was deleted for good cannot be brought back.') },
    'action.no-folder': {
      say: (f) => l10n.t('This account has no folder for that ({0}). Create one at your provider, then try again.', f('role', '')),
    },
    'unsubscribe.none': {
      say: () => l10n.t('This message offers no safe way to unsubscribe. Mark it as junk if you do not want more of it.'),
    },
    'unsubscribe.refused': {
      say: (f) => l10n.t('{0} did not accept the request to unsubscribe ({1}). Try again later.', f('host', ''), f('status', '')),
      step: 'retry',
    },
    'import.unreadable': { say: (f) => l10n.t('{0} could not be read: {1}.', f('path', ''), reason(f)) },
    'import.no-mail': {
      say: (f) => l10n.t('There is no mail in {0}. QuMail reads .eml files, mbox files and folders of them.', f('path', '')),
    },
    'export.unwritable': { say: (f) => l10n.t('{0} could not be written: {1}. Choose another place.', f('path', ''), reason(f)) },

    'store.locked': { say: () => l10n.t('Another program holds the mail database. Close other windows, then try again.'), step: 'retry' },
    'store.full': { say: () => l10n.t('The disk is full. Free some space; nothing is lost.'), step: 'retry' },
    'store.unwritable': {
      say: () => l10n.t('QuMail cannot write to its folder. Check its permissions and that the disk is not read-only.'),
      step: 'retry',
    },
    'store.corrupt': { say: () => l10n.t('The mail database is damaged.'), step: 'log' },
    'store.newer': { say: () => l10n.t('The mail database was written by a newer QuMail. Update QuMail.') },
    'store.secret-missing': {
      say: () => l10n.t('A key that protects stored mail is gone from the secret storage. Sign in again.'),
      step: 'sign-in-again',
    },

    'vault.locked': { say: () => l10n.t('Your mail and keys are locked with your passphrase. Unlock QuMail to go on.') },
    'vault.wrong-passphrase': { say: () => l10n.t('This is not the passphrase. Nothing was changed; try again.') },
    'vault.weak-passphrase': {
      say: (f) => l10n.t('This passphrase is too short. Use at least {0} characters; a few unrelated words are best.', f('minimum', '8')),
    },
    'vault.passphrase-needed': {
      say: () => l10n.t('This desktop has no place to keep secrets, so QuMail cannot do without a passphrase here.'),
    },
    'backup.phrase-checksum': {
      say: (f) => {
        const index = f('index', '');
        return index === ''
          ? l10n.t('This recovery phrase was mistyped: it should be 24 words that fit together. Compare it with your copy.')
          : l10n.t('Word {0} of the recovery phrase is not one of its words. Compare it with your copy.', String(Number(index) + 1));
      },
    },
    'backup.wrong-phrase': { say: () => l10n.t('This recovery phrase belongs to another backup.') },
    'backup.truncated': {
      say: () => l10n.t('This backup file is incomplete. Copy it again from where it was kept; nothing was restored.'),
    },
    'backup.newer': { say: () => l10n.t('This backup was written by a newer QuMail. Update QuMail, then restore it.') },
    'backup.malformed': { say: () => l10n.t('This file is not a QuMail backup.') },
    'backup.tampered': { say: () => l10n.t('This backup file was altered or damaged. Use another copy; nothing was restored.') },
    'file.unreadable': { say: (f) => l10n.t('The file {0} cannot be read.', f('path', '?')) },
    'file.unwritable': { say: (f) => l10n.t('The file {0} cannot be written. Choose another place.', f('path', '?')) },

    'account.exists': { say: (f) => l10n.t('{0} is signed in already.', f('email', l10n.t('This account'))) },
    'account.missing': { say: () => l10n.t('This account is signed out.') },
    'account.bad-settings': { say: (f) => l10n.t('These settings cannot be right: {0}.', f('field', '?')) },
    'contact.missing': { say: () => l10n.t('This contact no longer exists.') },
    'message.missing': { say: () => l10n.t('This message no longer exists.'), step: 'fetch' },
    'attachment.missing': { say: () => l10n.t('This attachment no longer exists.') },
    ...chatSentences(l10n),
    'lab.only': { say: () => l10n.t('This belongs to the demo lab and works only there.') },
    'engine.cancelled': { say: () => l10n.t('Cancelled.') },
    'engine.stopped': {
      say: () => l10n.t('QuMail stopped working in the background. Restart it; mail and keys are safe.'),
      step: 'restart',
    },
    'engine.bad-request': { say: () => l10n.t('QuMail asked itself for something impossible. The log says more.'), step: 'log' },
    'engine.internal': { say: () => l10n.t('Something unexpected happened in QuMail. The log says more.'), step: 'log' },
  };
}

/** The first of two details that is there: rooms of the engine name the same thing from their own side. */
function eitherFact(fact: Fact, first: string, second: string): string {
  return fact(first, fact(second, '?'));
}

/** What went wrong with a program that should print a token. */
function commandReason(code: string, fact: Fact, l10n: Localiser): string {
  const reasons: Readonly<Record<string, string>> = {
    timeout: l10n.t('it took too long'),
    exit: l10n.t('it ended with status {0}', fact('status', '?')),
    'too-large': l10n.t('it printed too much'),
    empty: l10n.t('it printed nothing'),
    'not-a-token': l10n.t('what it printed is no token'),
    'not-found': l10n.t('it was not found or could not be started'),
  };
  return reasons[code] ?? l10n.t('no reason given');
}
