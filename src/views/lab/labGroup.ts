import type { Account, QuMailApi } from '../../core/api.ts';
import type { Localiser } from '../localiser.ts';

/**
 * Everybody in the lab has everybody's contact card, as if handed over in person, and the first of them starts a group with a first line.
 * Making certificates takes seconds, so the lab is open meanwhile.
 */
export async function startLabGroup(api: QuMailApi, accounts: readonly Account[], l10n: Localiser, signal: AbortSignal): Promise<void> {
  const cards: { readonly account: Account; readonly file: Uint8Array }[] = [];
  // One after the other: whoever writes a letter meanwhile comes first.
  for (const account of accounts) {
    signal.throwIfAborted();
    cards.push({ account, file: (await api.exportCard({ accountId: account.id })).file });
  }
  for (const { account, file } of cards) {
    for (const other of accounts) {
      if (other !== account) await api.importCard({ accountId: other.id, content: file, name: account.displayName });
    }
  }
  const [first, ...others] = accounts;
  if (!first) return;
  const members = others.map(({ email }) => email);
  const chat = await api.startChat({ accountId: first.id, members, name: l10n.t('The Lab'), minimumLevel: 'L2' }, { signal });
  const text = l10n.t(
    'Welcome to **The Lab**. Every line here is sealed for each of us with quantum keys of its own (SIMULATED). Say something!',
  );
  await api.sendChatMessage({ chatId: chat.id, text }, { signal });
}
