import * as vscode from 'vscode';
import type { Chat, ChatMember } from '../../core/api.ts';
import { pickOne } from '../box.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import type { ChatPanels } from './chatPanels.ts';
import type { ChatPictures } from './chatPictures.ts';
import { changePicture } from './chatSettings.ts';
import { memberWord, reachText, safetyOf, startLevel } from './chatText.ts';
import { pictureIcon } from './pictureIcon.ts';

/**
 * Everybody in the chat, how sure it is who they are and how they are reached; choosing somebody compares safety numbers. A group comes first,
 * with its picture, which choosing changes.
 */
export async function showMembers(context: ViewContext, { pictures, panels }: MemberViews, chat: Chat): Promise<void> {
  const { id: chatId, accountId } = chat;
  const reaches = await context.run(
    vscode.l10n.t('Looking how everybody can be reached'),
    (signal) => context.api.checkChat({ chatId, level: startLevel(chat.minimumLevel) }, { signal }),
    { place: 'view', viewId: 'qumail.chats', failure: { accountId } },
  );
  const group = chat.kind === 'group' && chat.member ? [await groupItem(pictures, chat)] : [];
  const items: readonly MemberItem[] = chat.members.map((member) => {
    const reach = reaches?.find(({ address }) => address === member.address);
    return {
      label: `$(${iconOf(member)}) ${withoutIcons(member.name || member.address)}`,
      description: [memberWord(member, vscode.l10n), member.name ? member.address : ''].filter(Boolean).join(' · '),
      detail: reach ? reachText(reach, vscode.l10n) : '',
      member,
    };
  });
  const placeHolder = vscode.l10n.t('Choose a person to compare safety numbers with');
  const picked = await pickOne([...group, ...items], {
    title: `${chat.name} · ${vscode.l10n.t('Members & Safety')}`,
    placeHolder,
  });
  if (!picked || picked.member?.self) return;
  if (!picked.member) return changePicture(context, panels, chat);
  await vscode.commands.executeCommand('qumail.verifyContact', { accountId, address: picked.member.address });
}

export interface MemberViews {
  readonly pictures: ChatPictures;
  readonly panels: ChatPanels;
}

/** Without a member it is the group itself. */
type MemberItem = vscode.QuickPickItem & { readonly member?: ChatMember };

async function groupItem(pictures: ChatPictures, chat: Chat): Promise<MemberItem> {
  const picture = await pictures.of(chat);
  const address = picture && pictureIcon(picture, 'open');
  return {
    label: withoutIcons(chat.name),
    description: vscode.l10n.t('{0} members', chat.members.length),
    detail: [safetyOf(chat.verified, vscode.l10n).word, vscode.l10n.t('Choose to change the picture')].join(' · '),
    iconPath: address === undefined ? new vscode.ThemeIcon('organization') : vscode.Uri.parse(address),
  };
}

function iconOf({ self, verified }: ChatMember): string {
  if (self) return 'account';
  return verified === 'no' ? 'unverified' : 'verified-filled';
}

export type MemberChange = 'add' | 'remove' | 'grant' | 'revoke';

/** Adds, removes, or changes who administers; asks who where nobody was named. */
export async function changeMember(context: ViewContext, chat: Chat, kind: MemberChange): Promise<void> {
  const titles: Record<MemberChange, string> = {
    add: vscode.l10n.t('Add whom to {0}?', chat.name),
    remove: vscode.l10n.t('Remove whom from {0}?', chat.name),
    grant: vscode.l10n.t('Make whom an administrator of {0}?', chat.name),
    revoke: vscode.l10n.t('Who is no longer to be an administrator of {0}?', chat.name),
  };
  const people = kind === 'add' ? await strangersTo(context, chat) : candidates(chat, kind);
  if (people.length === 0) return void vscode.window.showInformationMessage(vscode.l10n.t('There is nobody this can be done with.'));
  const items = people.map(({ name, address }) => ({ label: withoutIcons(name || address), description: name ? address : '', address }));
  const picked = await pickOne(items, { placeHolder: titles[kind], matchOnDescription: true });
  if (!picked || (kind === 'remove' && !(await maySendAway(picked.label, chat.name)))) return;
  await context.run(
    vscode.l10n.t('Changing the group'),
    (signal) => context.api.changeChat({ chatId: chat.id, change: { kind, address: picked.address } }, { signal }),
    { failure: { accountId: chat.accountId, contact: picked.address } },
  );
}

async function strangersTo(context: ViewContext, chat: Chat): Promise<readonly { name: string; address: string }[]> {
  const contacts = await context.api.listContacts({ accountId: chat.accountId });
  return contacts.filter(({ address }) => !chat.members.some((member) => member.address === address));
}

function candidates(chat: Chat, kind: Exclude<MemberChange, 'add'>): readonly ChatMember[] {
  if (kind === 'remove') return chat.members.filter(({ self }) => !self);
  return chat.members.filter(({ admin }) => admin === (kind === 'revoke'));
}

async function maySendAway(person: string, group: string): Promise<boolean> {
  const remove = vscode.l10n.t('Remove');
  const detail = vscode.l10n.t('What is said from then on is not sealed for this person. What was said before stays readable there.');
  return (
    (await vscode.window.showWarningMessage(vscode.l10n.t('Remove {0} from {1}?', person, group), { modal: true, detail }, remove)) ===
    remove
  );
}
