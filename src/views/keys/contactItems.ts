import * as vscode from 'vscode';
import type { Contact, KeyLink, Pad } from '../../core/api.ts';
import { levelLabel, sizeLabel, stockLabel } from '../labels.ts';
import { padText } from '../pads/padText.ts';
import { sentenceOf } from '../present.ts';
import { certificateLines, inGroups, markLook, markMeaning, markOf } from '../trust/trustWords.ts';
import { forecastWords, quotaWords, rateWords } from './budgetWords.ts';
import type { KeyNode } from './keyNodes.ts';

const dateOf = (time: number): string => new Date(time).toLocaleDateString(vscode.env.language);

/** A contact: the trust mark as icon and in words, then what is shared with them. Its rows below say it in full. */
export function contactItem({ contact, link, budgets }: Extract<KeyNode, { kind: 'contact' }>): vscode.TreeItem {
  const item = new vscode.TreeItem(contact.name || contact.address, vscode.TreeItemCollapsibleState.Collapsed);
  const mark = markOf(contact);
  const look = markLook(mark, vscode.l10n);
  const known = mark !== 'none';
  item.id = `contact:${contact.accountId}:${contact.address}`;
  const stock = link ? (link.failure ? vscode.l10n.t('no link') : stockLabel(link, vscode.l10n)) : '';
  const minimum = contact.minimumLevel === 'L4' ? '' : vscode.l10n.t('at least {0}', contact.minimumLevel);
  const low = budgets.some((budget) => budget.low === 'yes') ? vscode.l10n.t('KEYS LOW') : '';
  const marked = known ? look.words : '';
  const notice = contact.keyChange?.effect === 'notice' ? vscode.l10n.t('another key seen') : '';
  const sae = contact.saeId ?? (known ? '' : vscode.l10n.t('no SAE ID'));
  // Trust and what changes come first: a narrow side bar shows little more.
  item.description = [marked, notice, low, stock, sae, minimum].filter(Boolean).join(' · ');
  const sealed = contact.saeId !== undefined && contact.startLevel !== 'L4';
  item.iconPath = known
    ? new vscode.ThemeIcon(look.icon, look.color === undefined ? undefined : new vscode.ThemeColor(look.color))
    : link?.failure
      ? new vscode.ThemeIcon('unlock', new vscode.ThemeColor('list.warningForeground'))
      : new vscode.ThemeIcon(sealed ? 'lock' : 'person');
  item.tooltip = [
    contact.name ? `${contact.name} <${contact.address}>` : contact.address,
    markMeaning(mark, vscode.l10n),
    contact.saeId ? `SAE ${contact.saeId}` : '',
    vscode.l10n.t('Starts at {0}', levelLabel(contact.startLevel, vscode.l10n)),
    vscode.l10n.t('Never below {0}', levelLabel(contact.minimumLevel, vscode.l10n)),
    link ? linkTooltip(link) : '',
  ]
    .filter(Boolean)
    .join('\n');
  item.contextValue = `contact.${contextOf(contact)}`;
  item.accessibilityInformation = { label: [contact.name || contact.address, look.words, item.description].join(', ') };
  return item;
}

/** What can be done about a contact's certificate, for the menus of the manifest. */
function contextOf(contact: Contact): 'changed' | 'revoked' | 'verified' | 'unverified' | 'none' {
  const mark = markOf(contact);
  if (mark === 'changed' || mark === 'revoked' || mark === 'verified') return mark;
  return contact.certificate?.facts ? 'unverified' : 'none';
}

export function certificateItem(contact: Contact): vscode.TreeItem {
  const argument = { accountId: contact.accountId, address: contact.address };
  const { certificate } = contact;
  const item = new vscode.TreeItem(vscode.l10n.t('Certificate'));
  item.id = `certificate:${contact.accountId}:${contact.address}`;
  const look = markLook(markOf(contact), vscode.l10n);
  item.description = certificate
    ? `${look.words} · ${inGroups(certificate.fingerprint, 4).slice(0, 4).join(' ')}…`
    : vscode.l10n.t('none known');
  item.iconPath = new vscode.ThemeIcon(look.icon === 'person' ? 'verified' : look.icon);
  item.tooltip = certificate ? certificateLines(certificate, vscode.l10n, dateOf).join('\n') : markMeaning('none', vscode.l10n);
  item.command = contact.keyChange
    ? { command: 'qumail.reviewKeyChange', title: vscode.l10n.t('Review Change'), arguments: [argument] }
    : certificate?.facts && certificate.mark !== 'revoked'
      ? { command: 'qumail.verifyContact', title: vscode.l10n.t('Verify Contact'), arguments: [argument] }
      : { command: 'qumail.discoverCertificate', title: vscode.l10n.t('Find Certificate'), arguments: [argument] };
  return item;
}

export function levelsItem(contact: Contact): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Levels'));
  item.id = `levels:${contact.accountId}:${contact.address}`;
  item.description = vscode.l10n.t('starts at {0}, never below {1}', contact.startLevel, contact.minimumLevel);
  item.iconPath = new vscode.ThemeIcon('shield');
  item.tooltip = `${levelLabel(contact.startLevel, vscode.l10n)}\n${levelLabel(contact.minimumLevel, vscode.l10n)}`;
  const argument = { accountId: contact.accountId, address: contact.address };
  item.command = { command: 'qumail.saveContact', title: vscode.l10n.t('Edit Contact'), arguments: [argument] };
  return item;
}

/** What the quantum link still has, how long it lasts, and this contact's share of it. */
export function keysItem({ contact, link, budget }: Extract<KeyNode, { kind: 'contact-keys' }>): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Quantum keys'));
  item.id = `keys:${contact.accountId}:${contact.address}`;
  const failure = budget?.failure ?? link?.failure;
  item.description =
    contact.saeId === undefined
      ? vscode.l10n.t('no SAE ID')
      : [
          failure ? vscode.l10n.t('no link') : budget ? forecastWords(budget, vscode.l10n) : link ? stockLabel(link, vscode.l10n) : '',
          `SAE ${contact.saeId}`,
        ]
          .filter(Boolean)
          .join(' · ');
  item.iconPath = new vscode.ThemeIcon(budget?.low === 'yes' ? 'warning' : 'key');
  item.tooltip = [
    failure ? sentenceOf(failure, vscode.l10n) : '',
    budget && !failure ? rateWords(budget, vscode.l10n) : '',
    budget?.quota ? quotaWords(budget.quota, vscode.l10n) : '',
    link && !failure ? linkTooltip(link) : '',
  ]
    .filter(Boolean)
    .join('\n');
  return item;
}

export function padItem(pad: Pad): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Pad'));
  const text = padText(pad, dateOf, vscode.l10n);
  item.id = `pad:${pad.accountId}:${pad.name}`;
  item.description = text.description;
  item.iconPath = new vscode.ThemeIcon('file-binary');
  item.tooltip = `${text.detail}\n${vscode.l10n.t('{0} read', sizeLabel(Math.floor(pad.readBits / 8)))}`;
  item.contextValue = 'pad';
  return item;
}

export function ownCertificateItem({ accountId, own }: Extract<KeyNode, { kind: 'own-certificate' }>): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Own certificate'));
  item.id = `own-certificate:${accountId}`;
  item.description = `${inGroups(own.fingerprint, 4).slice(0, 4).join(' ')}…`;
  item.iconPath = new vscode.ThemeIcon('credit-card');
  item.tooltip = `${inGroups(own.fingerprint, 4).join(' ')}\n${vscode.l10n.t('Show your contact card: whoever scans it can seal mail for you.')}`;
  item.command = { command: 'qumail.showContactCard', title: vscode.l10n.t('Show Own Contact Card'), arguments: [{ accountId }] };
  item.contextValue = 'own-certificate';
  return item;
}

export function linkTooltip(link: KeyLink): string {
  if (link.failure) return sentenceOf(link.failure, vscode.l10n);
  const size = link.keySize === undefined ? '' : vscode.l10n.t('Keys of {0} bits', link.keySize);
  return [`SAE ${link.peerSaeId}`, vscode.l10n.t('Stock: {0}', stockLabel(link, vscode.l10n)), size].filter(Boolean).join('\n');
}
