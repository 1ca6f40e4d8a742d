import * as vscode from 'vscode';
import type { Account, Chat, ChatLevel, ChatReach, Contact } from '../../core/api.ts';
import { askText, pickOne, pickSeveral } from '../box.ts';
import { levelLabel } from '../labels.ts';
import type { ViewContext } from '../viewContext.ts';
import { withoutIcons } from '../withoutIcons.ts';
import { levelsFrom, reachText } from './chatText.ts';

interface Plan {
  readonly level: ChatLevel;
  readonly reaches: readonly ChatReach[];
}

/** Asks with whom, under what name and at what level; who cannot be reached, and why, is said before anything begins. */
export async function newChat(context: ViewContext, account: Account, given: readonly string[] = []): Promise<Chat | undefined> {
  const accountId = account.id;
  const title = vscode.l10n.t('New Chat');
  const contacts = (await context.api.listContacts({ accountId })).filter(({ address }) => address !== account.email);
  if (contacts.length === 0) {
    const add = vscode.l10n.t('Add Contact');
    const pressed = await vscode.window.showInformationMessage(vscode.l10n.t('A chat is with people you know. Add a contact first.'), add);
    if (pressed === add) await vscode.commands.executeCommand('qumail.saveContact', { accountId });
    return undefined;
  }
  const members = await pickMembers(title, contacts, given);
  if (!members) return undefined;
  const name = await askName(title, members.length);
  if (name === undefined) return undefined;
  const level = await pickLevel(context, { title, accountId, members });
  if (!level) return undefined;
  const named = name === '' ? {} : { name };
  return context.run(
    vscode.l10n.t('Starting the chat'),
    (signal) => context.api.startChat({ accountId, members, minimumLevel: level, ...named }, { signal }),
    { failure: { accountId, retry: () => newChat(context, account, members) } },
  );
}

async function pickMembers(title: string, contacts: readonly Contact[], given: readonly string[]): Promise<readonly string[] | undefined> {
  const items = contacts.map(({ name, address }) => ({
    label: withoutIcons(name || address),
    description: name ? address : '',
    address,
    picked: given.includes(address),
  }));
  const placeHolder = vscode.l10n.t('With whom? Several make a group');
  const picked = await pickSeveral(items, { title, placeHolder, matchOnDescription: true });
  return picked && picked.length > 0 ? picked.map(({ address }) => address) : undefined;
}

async function askName(title: string, others: number): Promise<string | undefined> {
  // Two people need no name; with one it is a group that others can be added to.
  if (others === 1) return '';
  const name = await askText({
    title,
    prompt: vscode.l10n.t('Name of the group'),
    check: (text) => (text.trim() === '' || text.length > 100 ? vscode.l10n.t('A name has 1 to 100 characters.') : undefined),
  });
  return name?.trim();
}

/** The levels with who is reached at each; choosing one that leaves somebody out says who and why. */
async function pickLevel(
  context: ViewContext,
  chat: { readonly title: string; readonly accountId: string; readonly members: readonly string[] },
): Promise<ChatLevel | undefined> {
  const plans = await context.run(
    vscode.l10n.t('Looking how everybody can be reached'),
    async (signal): Promise<Plan[]> =>
      Promise.all(
        levelsFrom('L3').map(async (level) => ({
          level,
          reaches: await context.api.checkChat({ accountId: chat.accountId, members: chat.members, level }, { signal }),
        })),
      ),
    { failure: { accountId: chat.accountId } },
  );
  if (!plans) return undefined;
  for (;;) {
    const items = plans
      .map((plan) => ({ ...planItem(plan), plan }))
      // What quantum keys reach everybody with comes first, then what reaches everybody.
      .sort((a, b) => rank(b.plan) - rank(a.plan));
    const placeHolder = vscode.l10n.t('Never below which level?');
    const picked = await pickOne(items, { title: chat.title, placeHolder, ignoreFocusOut: true });
    if (!picked) return undefined;
    if (picked.plan.reaches.every(({ reachable }) => reachable)) return picked.plan.level;
    if ((await showReach(context, chat, picked.plan)) !== 'back') return undefined;
  }
}

function rank({ level, reaches }: Plan): number {
  const all = reaches.every(({ reachable }) => reachable);
  return (all ? 10 : 0) + { L2: 3, L3: 2, L1: 1 }[level];
}

function planItem({ level, reaches }: Plan): vscode.QuickPickItem {
  const missing = reaches.filter(({ reachable }) => !reachable);
  return {
    label: `$(${missing.length === 0 ? 'check' : 'warning'}) ${levelLabel(level, vscode.l10n)}`,
    detail:
      missing.length > 0
        ? vscode.l10n.t('not reached: {0}', missing.map(({ address }) => address).join(', '))
        : [...new Set(reaches.map((reach) => reachText(reach, vscode.l10n)))].join(', '),
  };
}

/** Every member with how it is reached, or why not and what helps. */
async function showReach(
  context: ViewContext,
  { title, accountId }: { readonly title: string; readonly accountId: string },
  { level, reaches }: Plan,
): Promise<'back' | 'left'> {
  const back: vscode.QuickPickItem & { address?: string } = { label: `$(arrow-left) ${vscode.l10n.t('Choose another level')}` };
  const items = reaches.map((reach) => ({
    label: `$(${reach.reachable ? 'check' : 'error'}) ${reach.address}`,
    detail: reachText(reach, vscode.l10n),
    ...(reach.reachable ? {} : { address: reach.address }),
  }));
  const placeHolder = vscode.l10n.t('Not everybody is reached at {0}. Choose a person to edit the contact.', level);
  const picked = await pickOne([back, ...items], { title, placeHolder, ignoreFocusOut: true });
  if (picked === back || (picked && picked.address === undefined)) return 'back';
  if (picked) await vscode.commands.executeCommand('qumail.saveContact', { accountId, address: picked.address });
  context.log.debug('chat not started: a member is not reached');
  return 'left';
}
