import assert from 'node:assert/strict';
import { type ManifestInputs, manifestProblems } from '../../scripts/check/manifest.ts';

const SOUND = {
  manifest: {
    contributes: {
      commands: [{ command: 'qumail.reply', title: '%reply%', category: '%category%' }],
      menus: { 'view/title': [{ command: 'qumail.reply', when: 'view == qumail.mail && x' }] },
      keybindings: [{ command: 'qumail.reply' }],
      views: { qumail: [{ id: 'qumail.mail' }] },
      viewsWelcome: [{ view: 'qumail.mail', contents: '%welcome%' }],
    },
  },
  texts: {
    '': { reply: 'Reply', category: 'QuMail', welcome: '[Reply](command:qumail.reply) [Help](command:workbench.action.help)' },
    hi: { reply: 'x', category: 'y', welcome: 'z' },
  },
  commandIds: ['qumail.reply'],
  code: `register('qumail.reply', () => {});`,
} satisfies ManifestInputs;

function problemsWith(change: (inputs: typeof SOUND) => void): string[] {
  const inputs = structuredClone(SOUND);
  change(inputs);
  return manifestProblems(inputs);
}

describe('check/manifest', () => {
  it('has nothing to say about a sound manifest', () => assert.deepEqual(manifestProblems(SOUND), []));

  const wrong: readonly (readonly [what: string, change: (inputs: typeof SOUND) => void, says: RegExp])[] = [
    ['a command that is not declared', (i) => i.commandIds.push('qumail.forward'), /qumail\.forward is in commandIds\.ts but not declared/],
    ['a declared command without an id', (i) => i.commandIds.pop(), /declared in package\.json but not in commandIds/],
    ['a command that nobody registers', (i) => (i.code = ''), /qumail\.reply is never registered/],
    ['a command declared twice', (i) => i.manifest.contributes.commands.push(...SOUND.manifest.contributes.commands), /declared twice/],
    ['a title in plain words', (i) => (i.manifest.contributes.commands[0]!.title = 'Reply'), /needs a title and a category/],
    ['a key without a text', (i) => Reflect.deleteProperty(i.texts[''], 'reply'), /%reply% has no text/],
    ['a text without a use', (i) => Object.assign(i.texts[''], { more: 'x' }), /more is used nowhere/],
    ['a text that a language lacks', (i) => Reflect.deleteProperty(i.texts.hi, 'reply'), /package\.nls\.hi\.json: reply is missing/],
    ['an empty text', (i) => (i.texts.hi.reply = ' '), /package\.nls\.hi\.json: reply is empty/],
    [
      'a menu for an unknown command',
      (i) => (i.manifest.contributes.menus['view/title'][0]!.command = 'qumail.gone'),
      /qumail\.gone is named/,
    ],
    ['a key for an unknown command', (i) => (i.manifest.contributes.keybindings[0]!.command = 'qumail.gone'), /qumail\.gone is named/],
    [
      'a menu in an unknown view',
      (i) => (i.manifest.contributes.menus['view/title'][0]!.when = 'view == qumail.gone'),
      /view qumail\.gone is named/,
    ],
    ['a welcome text with an unknown command', (i) => (i.texts[''].welcome = '[x](command:qumail.gone)'), /qumail\.gone is named/],
  ];
  for (const [what, change, says] of wrong) {
    it(`refuses ${what}`, () => {
      const problems = problemsWith(change);
      assert.ok(
        problems.some((problem) => says.test(problem)),
        problems.join('\n') || 'nothing was said',
      );
    });
  }
});
