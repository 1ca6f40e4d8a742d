import type { MailFlag } from '../../src/core/api.ts';
import type { Dice } from './seeded.ts';

/** Flags that both sides set and clear. */
export const FLAGS = ['seen', 'flagged', 'answered'] as const satisfies readonly MailFlag[];
export type Flag = (typeof FLAGS)[number];

/** One thing that happens. `at` chooses among the folders or messages there are. */
export type Step =
  // Another program of the same person, over a connection of its own.
  | { readonly do: 'arrive'; readonly at: number; readonly count: number; readonly reply: 'muted' | 'none' }
  | { readonly do: 'server-flag'; readonly at: number; readonly flag: Flag; readonly to: 'set' | 'clear' }
  | { readonly do: 'server-expunge'; readonly at: number }
  | { readonly do: 'server-move'; readonly at: number; readonly to: number }
  | { readonly do: 'server-create' }
  | { readonly do: 'server-delete' | 'server-rename' | 'server-recreate' | 'server-renumber'; readonly at: number }
  // The person, through the engine.
  | { readonly do: 'flag'; readonly at: number; readonly count: number; readonly flag: Flag; readonly to: 'set' | 'clear' }
  | { readonly do: 'move'; readonly at: number; readonly count: number; readonly to: number }
  | { readonly do: 'archive' | 'delete' | 'junk' | 'not-junk'; readonly at: number; readonly count: number }
  | { readonly do: 'undo' | 'snooze' | 'mute'; readonly at: number }
  | { readonly do: 'draft' | 'draft-edit' | 'draft-delete'; readonly at: number }
  // What happens to the line and to the window.
  | { readonly do: 'offline' | 'online' | 'look' | 'settle' | 'reload' | 'crash' }
  | { readonly do: 'cut'; readonly octets: number }
  | { readonly do: 'crash-soon'; readonly ms: number }
  | { readonly do: 'leap'; readonly minutes: number };

/** How often each happens. */
const WEIGHTS: Readonly<Record<Step['do'], number>> = {
  arrive: 6,
  'server-flag': 5,
  'server-expunge': 4,
  'server-move': 3,
  'server-create': 1,
  'server-delete': 1,
  'server-rename': 2,
  'server-recreate': 1,
  'server-renumber': 1,
  flag: 8,
  move: 9,
  archive: 2,
  delete: 4,
  junk: 2,
  'not-junk': 1,
  undo: 4,
  snooze: 2,
  mute: 1,
  draft: 2,
  'draft-edit': 2,
  'draft-delete': 1,
  offline: 4,
  online: 5,
  look: 4,
  settle: 1,
  reload: 1,
  crash: 2,
  cut: 3,
  'crash-soon': 1,
  leap: 2,
};
const BAG = Object.entries(WEIGHTS).flatMap(([name, times]) => Array.from({ length: times }, () => name as Step['do']));
const LEAST = 8;
const MOST = 26;

/** A random history. */
export function drawHistory(dice: Dice): Step[] {
  return Array.from({ length: LEAST + dice.below(MOST - LEAST + 1) }, () => drawStep(dice));
}

function drawStep(dice: Dice): Step {
  const name = dice.pick(BAG);
  const at = dice.below(1000);
  const count = 1 + dice.below(3);
  const to = dice.pick(['set', 'set', 'clear'] as const);
  switch (name) {
    case 'arrive':
      return { do: name, at, count, reply: dice.pick(['none', 'none', 'muted'] as const) };
    case 'server-flag':
      return { do: name, at, flag: dice.pick(FLAGS), to };
    case 'server-move':
      return { do: name, at, to: dice.below(1000) };
    case 'flag':
      return { do: name, at, count, flag: dice.pick(FLAGS), to };
    case 'move':
      return { do: name, at, count, to: dice.below(1000) };
    case 'archive':
    case 'delete':
    case 'junk':
    case 'not-junk':
      return { do: name, at, count };
    case 'cut':
      return { do: name, octets: 1 + dice.below(8000) };
    case 'crash-soon':
      return { do: name, ms: dice.below(60) };
    case 'leap':
      return { do: name, minutes: dice.pick([1, 16, 45]) };
    case 'server-create':
    case 'offline':
    case 'online':
    case 'look':
    case 'settle':
    case 'reload':
    case 'crash':
      return { do: name };
    default:
      return { do: name, at };
  }
}
