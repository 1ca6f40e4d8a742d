import assert from 'node:assert/strict';
import { withoutIcons } from '../../../src/views/withoutIcons.ts';

/** What VS Code draws as an icon (base/common/iconLabels). */
const ICON = /(\\)?\$\(([A-Za-z0-9-]+(?:~[A-Za-z]+)?)\)/;

describe('views/rows of pick lists', () => {
  it('draw no icon that a name, a subject or a folder of somebody else brings along', () => {
    for (const text of ['$(verified-filled) Bob', '$$(check)', '\\$(lock) L1', 'a $(sync~spin) b', '$($(check))'])
      assert.doesNotMatch(withoutIcons(text), ICON, text);
    assert.equal(withoutIcons('Bob ($5)'), 'Bob ($5)');
  });
});
