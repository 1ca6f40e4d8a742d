import type { CommandId } from '../commandIds.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { OutboxActions } from '../outbox/outboxActions.ts';
import type { OutboxAction } from '../outbox/outboxText.ts';
import { outboxIdIn } from './commandArguments.ts';
import type { CommandHandler, CommandHandlers } from './registerCommands.ts';

type OutboxCommandId = Extract<
  CommandId,
  | 'qumail.showOutbox'
  | 'qumail.openOutboxEntry'
  | 'qumail.undoSend'
  | 'qumail.retryOutbox'
  | 'qumail.discardOutbox'
  | 'qumail.checkSent'
  | 'qumail.markArrived'
  | 'qumail.sendAgain'
>;

/** Commands about what has not been sent yet. Those that name no entry, or one that has gone, show the whole outbox. */
export function outboxCommands(outbox: Outbox, actions: OutboxActions): Pick<CommandHandlers, OutboxCommandId> {
  const acting =
    (action: OutboxAction): CommandHandler =>
    (argument) => {
      const entry = outbox.entry(outboxIdIn(argument) ?? 0);
      return entry ? actions.act(action, entry) : actions.showAll();
    };
  return {
    'qumail.showOutbox': () => actions.showAll(),
    'qumail.openOutboxEntry': (argument) => {
      const entry = outbox.entry(outboxIdIn(argument) ?? 0);
      return entry ? actions.open(entry) : actions.showAll();
    },
    'qumail.undoSend': (argument) => {
      const entry = outbox.entry(outboxIdIn(argument) ?? 0);
      return entry ? actions.undo(entry) : actions.undoLast();
    },
    'qumail.retryOutbox': acting('retry'),
    'qumail.discardOutbox': acting('discard'),
    'qumail.checkSent': acting('check-sent'),
    'qumail.markArrived': acting('arrived'),
    'qumail.sendAgain': acting('send-again'),
  };
}
