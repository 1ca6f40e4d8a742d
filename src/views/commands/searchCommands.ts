import type { CommandId } from '../commandIds.ts';
import type { SavedSearches } from '../search/savedSearches.ts';
import type { SearchBox } from '../search/searchBox.ts';
import { queryIn, searchIdIn } from './commandArguments.ts';
import type { MailViews } from './mailCommands.ts';
import type { CommandHandlers } from './registerCommands.ts';

type SearchCommandId = Extract<
  CommandId,
  'qumail.searchMail' | 'qumail.saveSearch' | 'qumail.renameSearch' | 'qumail.deleteSearch' | 'qumail.searchServer'
>;

/** Commands about finding mail. */
export function searchCommands({ messages }: MailViews, box: SearchBox, saved: SavedSearches): Pick<CommandHandlers, SearchCommandId> {
  const listed = (): string | undefined => (messages.source?.kind === 'search' ? messages.source.query : undefined);
  return {
    'qumail.searchMail': (argument) => box.show(queryIn(argument) ?? listed()),
    async 'qumail.saveSearch'(argument) {
      const query = queryIn(argument) ?? listed();
      await (query === undefined ? box.show() : saved.save(query));
    },
    'qumail.renameSearch': (argument) => saved.rename(searchIdIn(argument)),
    'qumail.deleteSearch': (argument) => saved.delete(searchIdIn(argument)),
    'qumail.searchServer': (argument) => saved.onServer(queryIn(argument)),
  };
}
