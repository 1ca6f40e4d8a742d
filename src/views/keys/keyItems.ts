import * as vscode from 'vscode';
import type { KeyLink, KeyManager } from '../../core/api.ts';
import { stockLabel } from '../labels.ts';
import { sentenceOf } from '../present.ts';
import { certificateItem, contactItem, keysItem, levelsItem, linkTooltip, ownCertificateItem, padItem } from './contactItems.ts';
import type { KeyNode } from './keyNodes.ts';

const WARNING = new vscode.ThemeColor('list.warningForeground');

/** One row of Contacts & Keys. */
export function keyItem(node: KeyNode): vscode.TreeItem {
  switch (node.kind) {
    case 'simulated':
      return simulatedItem();
    case 'account':
      return accountItem(node);
    case 'key-manager':
      return keyManagerItem(node.keyManager);
    case 'no-key-manager':
      return actionItem(vscode.l10n.t('Connect a key manager'), 'plug', 'qumail.connectKeyManager', node.accountId, 'no-key-manager');
    case 'own-sae':
      return ownSaeItem(node.accountId, node.saeId);
    case 'link':
      return linkItem(node.accountId, node.link);
    case 'contact':
      return contactItem(node);
    case 'contact-certificate':
      return certificateItem(node.contact);
    case 'contact-levels':
      return levelsItem(node.contact);
    case 'contact-keys':
      return keysItem(node);
    case 'pad':
      return padItem(node.pad);
    case 'own-certificate':
      return ownCertificateItem(node);
    case 'standby':
      return standbyItem(node);
    case 'no-contacts':
      return actionItem(vscode.l10n.t('Add a contact'), 'person-add', 'qumail.saveContact', { accountId: node.accountId }, 'no-contacts');
  }
}

function simulatedItem(): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Simulated key managers'));
  item.id = 'simulated';
  item.description = 'SIMULATED';
  item.iconPath = new vscode.ThemeIcon('beaker', WARNING);
  item.tooltip = vscode.l10n.t('These keys come from a program on this machine, not from a quantum link. They protect nothing.');
  return item;
}

function accountItem({ account }: Extract<KeyNode, { kind: 'account' }>): vscode.TreeItem {
  const item = new vscode.TreeItem(account.email, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `keys:${account.id}`;
  item.description = account.simulated ? 'SIMULATED' : '';
  item.iconPath = new vscode.ThemeIcon('account');
  item.contextValue = 'keys.account';
  return item;
}

function keyManagerItem(keyManager: KeyManager): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Key manager'), vscode.TreeItemCollapsibleState.Collapsed);
  const states: Record<KeyManager['state'], { text: string; icon: vscode.ThemeIcon }> = {
    unknown: { text: '', icon: new vscode.ThemeIcon('server') },
    connected: { text: vscode.l10n.t('connected'), icon: new vscode.ThemeIcon('server', new vscode.ThemeColor('charts.green')) },
    failed: { text: vscode.l10n.t('not reachable'), icon: new vscode.ThemeIcon('server', new vscode.ThemeColor('list.errorForeground')) },
  };
  const { text, icon } = states[keyManager.state];
  item.id = `key-manager:${keyManager.accountId}`;
  item.description = [keyManager.simulated ? 'SIMULATED' : '', text, hostOf(keyManager.url)].filter(Boolean).join(' · ');
  item.iconPath = icon;
  item.tooltip = [
    keyManager.url,
    `KME ${keyManager.kmeId}`,
    `SAE ${keyManager.saeId}`,
    vscode.l10n.t('Profile: {0}', keyManager.profile),
    keyManager.failure ? sentenceOf(keyManager.failure, vscode.l10n) : '',
  ]
    .filter(Boolean)
    .join('\n');
  item.contextValue = 'key-manager';
  return item;
}

function ownSaeItem(accountId: string, saeId: string): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Own SAE ID'));
  item.id = `own-sae:${accountId}`;
  item.description = saeId;
  item.iconPath = new vscode.ThemeIcon('tag');
  item.tooltip = vscode.l10n.t('Tell your contacts this ID; they need it to send you sealed mail.');
  item.contextValue = 'own-sae';
  return item;
}

function standbyItem({ accountId, url, kmeId }: Extract<KeyNode, { kind: 'standby' }>): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Standby'));
  item.id = `standby:${accountId}:${url}`;
  item.description = hostOf(url);
  item.iconPath = new vscode.ThemeIcon('server-environment');
  item.tooltip = `${url}\nKME ${kmeId}`;
  item.contextValue = 'standby';
  return item;
}

function linkItem(accountId: string, link: KeyLink): vscode.TreeItem {
  const item = new vscode.TreeItem(link.peerAddress || link.peerSaeId);
  item.id = `link:${accountId}:${link.peerSaeId}`;
  item.description = link.failure ? vscode.l10n.t('no link') : stockLabel(link, vscode.l10n);
  item.iconPath = new vscode.ThemeIcon('link');
  item.tooltip = linkTooltip(link);
  return item;
}

function actionItem(label: string, icon: string, command: string, argument: unknown, kind: string): vscode.TreeItem {
  const item = new vscode.TreeItem(label);
  item.iconPath = new vscode.ThemeIcon(icon);
  item.command = { command, title: label, arguments: [argument] };
  item.contextValue = kind;
  return item;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
