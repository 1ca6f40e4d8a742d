import assert from 'node:assert/strict';
import { folderRoles, type ListedMailbox } from '../../../src/core/transport/folderRoles.ts';

const box = (path: string, attributes: string[] = [], guess?: string): ListedMailbox => ({
  path,
  name: path.split('/').at(-1) ?? '',
  delimiter: '/',
  attributes,
  ...(guess === undefined ? {} : { guess }),
});
const roles = (...boxes: ListedMailbox[]): Record<string, string> => Object.fromEntries(folderRoles(boxes));

describe('folder roles', () => {
  it('follows what the server declares, in any case of letters', () => {
    assert.deepEqual(roles(box('INBOX'), box('Gesendet', ['\\HasNoChildren', '\\SENT']), box('All', ['\\all'])), {
      INBOX: 'inbox',
      Gesendet: 'sent',
      All: 'all',
    });
  });

  it('knows the usual names where the server declares nothing', () => {
    assert.deepEqual(roles(box('inbox'), box('Sent Items'), box('Deleted Items'), box('Junk E-mail'), box('Drafts'), box('Archive')), {
      inbox: 'inbox',
      'Sent Items': 'sent',
      'Deleted Items': 'trash',
      'Junk E-mail': 'junk',
      Drafts: 'drafts',
      Archive: 'archive',
    });
  });

  it('gives a declared role to no second folder of a telling name', () => {
    assert.deepEqual(roles(box('Sent'), box('Elsewhere/Out', ['\\Sent'])), { 'Elsewhere/Out': 'sent' });
  });

  it('prefers a well-known name to a guess, and takes the guess where there is nothing else', () => {
    assert.deepEqual(roles(box('Papierkorb', [], '\\Trash'), box('Trash')), { Trash: 'trash' });
    assert.deepEqual(roles(box('Papierkorb', [], '\\Trash')), { Papierkorb: 'trash' });
  });

  it('looks for names below INBOX and [Gmail], but not deeper', () => {
    assert.deepEqual(roles(box('INBOX/Sent'), box('[Gmail]/Spam'), box('Projects/Archive')), {
      'INBOX/Sent': 'sent',
      '[Gmail]/Spam': 'junk',
    });
  });

  it('does not take inherited names for folder names', () => {
    assert.deepEqual(roles(box('constructor'), box('__proto__', ['\\constructor'])), {});
  });
});
