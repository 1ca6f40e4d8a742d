import * as vscode from 'vscode';
import type { Chat, ChatChange, ChatLevel } from '../../core/api.ts';
import { askText, pickOne } from '../box.ts';
import { levelLabel } from '../labels.ts';
import type { ViewContext } from '../viewContext.ts';
import type { ChatPanels } from './chatPanels.ts';
import { levelsFrom, reachText, startLevel, timerText, TIMERS } from './chatText.ts';

/** Octets of a file that is read to become a picture. */
const MAX_FILE = 25 * 1024 * 1024;

/** Asks a chat to be changed; whether this person may is for the group's own rules. */
async function change(context: ViewContext, chat: Chat, what: ChatChange): Promise<void> {
  await context.run(
    vscode.l10n.t('Changing the group'),
    (signal) => context.api.changeChat({ chatId: chat.id, change: what }, { signal }),
    { failure: { accountId: chat.accountId, retry: () => change(context, chat, what) } },
  );
}

export async function renameChat(context: ViewContext, chat: Chat): Promise<void> {
  const name = await askText({
    prompt: vscode.l10n.t('Name of the group'),
    value: chat.kind === 'group' ? chat.name : '',
    check: (text) => (text.trim() === '' || text.length > 100 ? vscode.l10n.t('A name has 1 to 100 characters.') : undefined),
  });
  if (name !== undefined) await change(context, chat, { kind: 'rename', name: name.trim() });
}

/** The picture is made small and square, and loses what the camera wrote into it. */
export async function changePicture(context: ViewContext, panels: ChatPanels, chat: Chat): Promise<void> {
  const choose = { label: `$(file-media) ${vscode.l10n.t('Choose a picture…')}`, what: 'choose' as const };
  const none = { label: `$(trash) ${vscode.l10n.t('No picture')}`, what: 'none' as const };
  const picked = chat.hasPicture ? await pickOne([choose, none]) : choose;
  if (!picked) return;
  if (picked.what === 'none') return change(context, chat, { kind: 'picture', picture: null });
  const [file] =
    (await vscode.window.showOpenDialog({
      filters: { [vscode.l10n.t('Pictures')]: ['png', 'jpg', 'jpeg', 'webp'] },
      canSelectMany: false,
    })) ?? [];
  if (!file) return;
  const { size } = await vscode.workspace.fs.stat(file);
  const content = size > MAX_FILE ? undefined : await panels.squared(chat.id, await vscode.workspace.fs.readFile(file));
  if (!content)
    return void vscode.window.showWarningMessage(vscode.l10n.t('This is no picture that QuMail can read. PNG, JPEG and WebP are.'));
  await change(context, chat, { kind: 'picture', picture: { name: 'picture', mimeType: 'image/webp', content } });
}

export async function changeMinimumLevel(context: ViewContext, chat: Chat): Promise<void> {
  const items = levelsFrom('L3').map((level) => ({
    label: levelLabel(level, vscode.l10n),
    description: level === chat.minimumLevel ? vscode.l10n.t('as it is') : '',
    level,
  }));
  const picked = await pickOne(items, { placeHolder: vscode.l10n.t('Never below which level?') });
  if (picked && picked.level !== chat.minimumLevel) await change(context, chat, { kind: 'minimum-level', minimumLevel: picked.level });
}

export async function changeTimer(context: ViewContext, chat: Chat): Promise<void> {
  const items = TIMERS.map((seconds) => ({
    label: timerText(seconds, vscode.l10n),
    description: seconds === chat.timer ? vscode.l10n.t('as it is') : '',
    seconds,
  }));
  const placeHolder = vscode.l10n.t('Messages written from now on disappear from every device after');
  const picked = await pickOne(items, { placeHolder });
  if (picked && picked.seconds !== chat.timer) await change(context, chat, { kind: 'timer', seconds: picked.seconds });
}

export async function changeReceipts(context: ViewContext, chat: Chat): Promise<void> {
  const items = [
    {
      label: vscode.l10n.t('On'),
      detail: vscode.l10n.t('The others see that a message came, and that it was read'),
      receipts: 'on' as const,
    },
    { label: vscode.l10n.t('Off'), detail: vscode.l10n.t('Nobody is told'), receipts: 'off' as const },
  ];
  const shown = items.map((item) => ({ ...item, description: item.receipts === chat.receipts ? vscode.l10n.t('as it is') : '' }));
  const picked = await pickOne(shown, { placeHolder: vscode.l10n.t('Receipts in this chat') });
  if (picked) await context.api.setChatReceipts({ chatId: chat.id, receipts: picked.receipts });
}

/** The level of the next messages from this window: at least the chat's own, and who is reached at it. */
export async function pickNextLevel(context: ViewContext, chat: Chat, now: ChatLevel | undefined): Promise<ChatLevel | undefined> {
  const current = now ?? startLevel(chat.minimumLevel);
  const items = await context.run(
    vscode.l10n.t('Looking how everybody can be reached'),
    async (signal) =>
      Promise.all(
        levelsFrom(chat.minimumLevel).map(async (level) => {
          const reaches = await context.api.checkChat({ chatId: chat.id, level }, { signal });
          const missing = reaches.filter(({ reachable }) => !reachable);
          return {
            label: `$(${missing.length === 0 ? 'check' : 'warning'}) ${levelLabel(level, vscode.l10n)}`,
            description: level === current ? vscode.l10n.t('as it is') : '',
            detail: (missing.length > 0 ? missing : reaches)
              .map((reach) => `${reach.address}: ${reachText(reach, vscode.l10n)}`)
              .join(' · '),
            level,
          };
        }),
      ),
    { place: 'view', viewId: 'qumail.chats', failure: { accountId: chat.accountId } },
  );
  const picked = items && (await pickOne(items, { placeHolder: vscode.l10n.t('Level of the next messages') }));
  return picked?.level;
}

export async function leaveChat(context: ViewContext, chat: Chat): Promise<void> {
  const leave = vscode.l10n.t('Leave');
  const detail = vscode.l10n.t('The others are told. What was said stays here until you forget the chat.');
  if ((await vscode.window.showWarningMessage(vscode.l10n.t('Leave {0}?', chat.name), { modal: true, detail }, leave)) !== leave) return;
  await context.run(vscode.l10n.t('Leaving'), (signal) => context.api.leaveChat({ chatId: chat.id }, { signal }), {
    failure: { accountId: chat.accountId },
  });
}

/** Resolves to whether it is forgotten. */
export async function forgetChat(context: ViewContext, chat: Chat): Promise<boolean> {
  const forget = vscode.l10n.t('Forget');
  const detail = chat.member
    ? vscode.l10n.t('It is removed from this computer. You stay a member, and what is said next brings the chat back.')
    : vscode.l10n.t('It is removed from this computer.');
  if ((await vscode.window.showWarningMessage(vscode.l10n.t('Forget {0}?', chat.name), { modal: true, detail }, forget)) !== forget)
    return false;
  await context.api.forgetChat({ chatId: chat.id });
  return true;
}
