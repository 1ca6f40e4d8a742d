import type { MessageBudget } from '../base/keys.ts';
import type { ErrorCode, ErrorDetails } from '../base/errors.ts';
import type { KeyLinks } from './keyLinks.ts';
import { hardest } from './keyForecast.ts';

/** What a draft costs of the keys shared with its recipients. */
export interface DraftBudget {
  readonly budget?: MessageBudget;
  /** Why it does not fit: the recipient with the least, by position. A warning, since a stock is what somebody said a while ago. */
  readonly short?: { readonly recipient: number; readonly code: ErrorCode; readonly details: ErrorDetails };
}

/**
 * Compares what a draft costs with what is known of each recipient's stock. Asks nobody.
 * @param keyCost octets of key for all recipients together; 0 where the level spends none
 */
export function draftBudget(accountId: string, addresses: readonly string[], keyCost: number, links: KeyLinks): DraftBudget {
  if (keyCost === 0 || addresses.length === 0) return {};
  const costBits = Math.ceil((keyCost * 8) / addresses.length);
  const all = addresses.map((address, recipient) => ({ recipient, address, ...links.budgetOf(accountId, address, costBits) }));
  const worst = hardest(all);
  if (!worst) return {};
  const { fits, stockBits, waitSeconds, address, recipient, kind } = worst;
  const budget = { costBits, fits, ...(stockBits !== undefined && { stockBits }), ...(waitSeconds !== undefined && { waitSeconds }) };
  if (fits !== 'no') return { budget };
  const details = { address, wantedBits: costBits, gotBits: stockBits ?? 0, ...(waitSeconds !== undefined && { waitSeconds }) };
  return { budget, short: { recipient, code: kind === 'pad' ? 'pad.exhausted' : 'kme.exhausted', details } };
}
