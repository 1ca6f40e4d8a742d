import assert from 'node:assert/strict';
import { ROOT, importProblems, importsOf, readSources } from '../../scripts/check/imports.ts';

describe('check/imports', () => {
  it('finds no import in the wrong direction and no circle in src', () => {
    const tree = readSources(ROOT);
    assert.ok(Object.keys(tree).length > 20, 'src was not read');
    assert.deepEqual(importProblems(tree), []);
  });

  const refused: readonly (readonly [what: string, file: string, text: string])[] = [
    ['the engine importing vscode', 'core/base/a.ts', `import * as vscode from 'vscode';`],
    ['the engine importing a type of vscode', 'core/account/a.ts', `import type { Uri } from 'vscode';`],
    ['the engine importing a view', 'core/qumailCore.ts', `import { x } from '../views/present.ts';`],
    ['a view reaching past the door', 'views/a.ts', `import type { X } from '../core/base/types.ts';`],
    ['one room of tools importing another', 'core/crypto/a.ts', `import { KmeClient } from '../keys/kmeClient.ts';`],
    ['a lower room importing a higher one', 'core/store/a.ts', `export type { A } from '../account/mailAccount.ts';`],
    ['base importing anything', 'core/base/a.ts', `import { x } from '../mail/address.ts';`],
    ['the engine importing the lab', 'core/worker.ts', `import { x } from './lab/main.ts';`],
    ['the lab importing a room it may not know', 'core/lab/a.ts', `import { x } from '../transport/emailHandler.ts';`],
    ['a dynamic import', 'core/mail/a.ts', `const x = await import('../store/database.ts');`],
    ['an import of several lines', 'core/mail/a.ts', `import {\n  a,\n  b,\n} from '../store/database.ts';`],
    ['a worker by its address', 'core/mail/a.ts', `new Worker(new URL('../lab/main.ts', import.meta.url));`],
    ['IMAP outside its room', 'core/account/a.ts', `import { ImapFlow } from 'imapflow';`],
    ['a package nobody allowed', 'core/mail/a.ts', `import x from 'left-pad';`],
    ['Node in a web page', 'views/reader/webview/a.ts', `import { readFileSync } from 'node:fs';`],
    ['tests in the product', 'core/mail/a.ts', `import { x } from '../../../test/data/x.ts';`],
    ['a file outside every room', 'tools/a.ts', ''],
  ];
  for (const [what, file, text] of refused) {
    it(`refuses ${what}`, () => {
      const problems = importProblems({ [file]: text });
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.ok(problems[0]?.startsWith(`${file}: `));
    });
  }

  it('refuses a circle and tells its way', () => {
    const tree = {
      'core/mail/a.ts': `import './b.ts';`,
      'core/mail/b.ts': `import type { C } from './c.ts';`,
      'core/mail/c.ts': `export { a } from './a.ts';`,
    };
    assert.deepEqual(importProblems(tree), ['circle: core/mail/a.ts -> core/mail/b.ts -> core/mail/c.ts -> core/mail/a.ts']);
  });

  it('lets through what the house allows', () => {
    const tree = {
      'extension.ts': `import * as vscode from 'vscode';\nimport { Worlds } from './views/worlds.ts';\nimport './core/api.ts';`,
      'views/worlds.ts': `import type { QuMailApi } from '../core/api.ts';\nimport * as vscode from 'vscode';`,
      'core/api.ts': `export { QuMailError } from './base/errors.ts';`,
      'core/worker.ts': `import { QuMailCore } from './qumailCore.ts';\nimport { parentPort } from 'node:worker_threads';`,
      'core/qumailCore.ts': `import './account/mailAccount.ts';\nimport './api.ts';`,
      'core/account/mailAccount.ts': `import '../transport/emailHandler.ts';\nimport '../base/errors.ts';`,
      'core/transport/emailHandler.ts': `import { ImapFlow } from 'imapflow';\nimport MailComposer from 'nodemailer/lib/mail-composer';\nimport '../mail/address.ts';`,
      'core/mail/address.ts': `import '../base/errors.ts';`,
      'core/crypto/a.ts': `import { poly1305 } from '@noble/ciphers/_poly1305.js';`,
      'core/base/errors.ts': '',
    };
    assert.deepEqual(importProblems(tree), []);
  });

  it('does not take comments for imports', () => {
    assert.deepEqual(importsOf(`/* import 'a'; */\n// import 'b';\n * import x from 'c';\nimport 'd'; // import 'e'`), ['d']);
  });
});
