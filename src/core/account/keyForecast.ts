import type { MessageBudget } from '../base/keys.ts';

/** A stock as it was told at some time. */
export interface StockSample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly bits: number;
}

export interface Forecast {
  readonly spentPerSecond: number;
  readonly madePerSecond?: number;
  readonly emptyInSeconds?: number;
}

const DAY = 86_400_000;
/** Shorter observations say nothing of a rate. */
const MIN_SPAN = 1_000;

/**
 * Rates and forecast of one link, from what was used and from how the stock moved. The link made what the stock rose by, and what was used
 * meanwhile besides; a stock at its limit hides how much more it could have made, so the rate seen is never above the true one.
 *
 * @param used bits by the time they were used, of the last day, oldest first
 * @param samples stocks by the time they were told, oldest first
 */
export function forecast(used: readonly StockSample[], samples: readonly StockSample[], now: number): Forecast {
  const recent = used.filter(({ at }) => at > now - DAY && at <= now);
  const firstUse = recent[0]?.at ?? now;
  const spentPerSecond = rate(sum(recent), Math.max(now - firstUse, 60_000));
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return { spentPerSecond };
  const span = last.at - first.at;
  const usedBetween = sum(recent.filter(({ at }) => at > first.at && at <= last.at));
  const madePerSecond = span >= MIN_SPAN ? Math.max(0, rate(last.bits - first.bits + usedBetween, span)) : undefined;
  const drain = spentPerSecond - (madePerSecond ?? 0);
  return {
    spentPerSecond,
    ...(madePerSecond !== undefined && { madePerSecond }),
    ...(drain > 0 && { emptyInSeconds: Math.round(last.bits / drain) }),
  };
}

/** Whether a message fits into what is there, and if not when it will at the rate seen. */
export function budgetFor(costBits: number, stock: { readonly bits?: number; readonly madePerSecond?: number | undefined }): MessageBudget {
  if (stock.bits === undefined) return { costBits, fits: costBits === 0 ? 'yes' : 'unknown' };
  const { bits: stockBits, madePerSecond = 0 } = stock;
  if (costBits <= stockBits) return { costBits, stockBits, fits: 'yes' };
  const waitSeconds = madePerSecond > 0 ? Math.ceil((costBits - stockBits) / madePerSecond) : undefined;
  return { costBits, stockBits, fits: 'no', ...(waitSeconds !== undefined && { waitSeconds }) };
}

/** The hardest of several: one that does not fit, then one nobody knows of, then the one with the least left over. */
export function hardest<T extends MessageBudget>(budgets: readonly T[]): T | undefined {
  const order = { no: 0, unknown: 1, yes: 2 };
  const spare = ({ stockBits = 0, costBits }: MessageBudget): number => stockBits - costBits;
  return budgets.toSorted((a, b) => order[a.fits] - order[b.fits] || spare(a) - spare(b))[0];
}

function sum(list: readonly StockSample[]): number {
  return list.reduce((total, { bits }) => total + bits, 0);
}

function rate(bits: number, ms: number): number {
  return bits / (ms / 1000);
}
