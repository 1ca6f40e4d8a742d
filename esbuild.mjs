/**
 * Builds the four programs of QuMail into dist/ and the styles beside the reader.
 *
 *   node esbuild.mjs            development build with source maps
 *   node esbuild.mjs --package  minified, as it goes into the VSIX
 *   node esbuild.mjs --watch    development build, again after every change
 *
 * Prints the size of every output; dist/meta.json (development) tells what is in them.
 */
import { build, context } from 'esbuild';
import { copyFileSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { dirname, relative, resolve } from 'node:path';
import { openPgpNotice, thirdPartyNotices } from './scripts/notices.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const packaging = process.argv.includes('--package');
const watching = process.argv.includes('--watch');

/**
 * smtp-server brings a private key of its own for people who give it none. The lab gives it one; a published key has no business in a VSIX.
 * A version that hides it elsewhere fails the build here, or vsce's own search for secrets.
 */
const withoutPublishedKey = {
  name: 'without-published-key',
  setup(plugins) {
    plugins.onLoad({ filter: /smtp-server\/dist\/\w+\/tls-options\.js$/ }, ({ path }) => {
      const pem = /'-----BEGIN (RSA PRIVATE KEY|CERTIFICATE)-----[\s\S]*?-----END \1-----'/g;
      const source = readFileSync(path, 'utf8');
      if (source.match(pem)?.length !== 2) throw new Error('smtp-server keeps its default key in another form now');
      return { contents: source.replace(pem, 'undefined') };
    });
  },
};

/** OpenPGP.js is LGPL: it goes unchanged into a file of its own that anyone may replace, and is loaded from beside the engine. */
const OPENPGP = 'node_modules/@protontech/openpgp';
const openPgpApart = {
  name: 'openpgp-apart',
  setup(plugins) {
    plugins.onResolve({ filter: /^@protontech\/openpgp$/ }, () => ({ path: './openpgp.min.cjs', external: true }));
  },
};

/**
 * ImapFlow and what it depends on bring libmime in two formats and iconv-lite in two places, 0.9 MB that are the same twice. One copy of
 * each does; a version apart fails the build.
 */
const MAIL_LIBRARIES = 'node_modules/{libmime,imapflow}/node_modules/iconv-lite/package.json';
const oneCopy = {
  name: 'one-copy',
  setup(plugins) {
    const versions = globSync(MAIL_LIBRARIES, { cwd: root }).map((path) => JSON.parse(readFileSync(resolve(root, path), 'utf8')).version);
    if (new Set(versions).size > 1) throw new Error(`iconv-lite comes in versions ${versions.join(' and ')} now`);
    const libmime = createRequire(resolve(root, 'package.json')).resolve('libmime');
    plugins.onResolve({ filter: /^libmime$/ }, () => ({ path: libmime }));
    const iconv = createRequire(libmime).resolve('iconv-lite');
    plugins.onResolve({ filter: /^iconv-lite$/ }, ({ importer }) =>
      /[\\/](imapflow|libmime)[\\/]/.test(importer) ? { path: iconv } : undefined,
    );
  },
};

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: packaging,
  sourcemap: packaging ? false : 'linked',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  outdir: 'dist',
};

/** Programs for Node: CommonJS because VS Code loads the extension with `require` and package.json says "module". */
const forNode = {
  ...shared,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  external: ['vscode'],
  plugins: [openPgpApart, oneCopy],
  // What is loaded late is loaded by `require`, which finds a file beside the program.
  supported: { 'dynamic-import': false },
  // Prefer the ES module builds: they can be tree-shaken.
  mainFields: ['module', 'main'],
};

const targets = [
  { ...forNode, entryPoints: [{ in: 'src/extension.ts', out: 'extension' }] },
  { ...forNode, entryPoints: [{ in: 'src/core/worker.ts', out: 'engine' }] },
  { ...forNode, entryPoints: [{ in: 'src/core/lab/main.ts', out: 'lab' }], plugins: [openPgpApart, oneCopy, withoutPublishedKey] },
  {
    ...shared,
    platform: 'browser',
    target: 'chrome128',
    format: 'iife',
    entryPoints: [{ in: 'src/views/reader/webview/main.ts', out: 'reader' }],
  },
  {
    ...shared,
    platform: 'browser',
    target: 'chrome128',
    format: 'iife',
    entryPoints: [{ in: 'src/views/chats/webview/main.ts', out: 'chat' }],
  },
  {
    ...shared,
    platform: 'browser',
    target: 'chrome128',
    format: 'iife',
    entryPoints: [{ in: 'src/views/trust/webview/main.ts', out: 'trust' }],
  },
  {
    ...shared,
    entryPoints: [{ in: 'media/reader/reader.css', out: 'reader' }],
    loader: { '.ttf': 'file' },
    assetNames: '[name]',
    target: 'chrome128',
  },
  {
    ...shared,
    entryPoints: [{ in: 'media/chat/chat.css', out: 'chat' }],
    loader: { '.ttf': 'file' },
    assetNames: '[name]',
    target: 'chrome128',
  },
];

/** esbuild has printed what is wrong; a stack trace of its own insides adds nothing. */
async function buildAll() {
  try {
    return await Promise.all(present.map((target) => build(target)));
  } catch {
    process.exit(1);
  }
}

const inputs = {};
const outputs = {};
const present = targets.filter((target) => existsSync(resolve(root, target.entryPoints[0].in)));
const absent = targets.filter((target) => !present.includes(target)).map((target) => target.entryPoints[0].in);

if (watching) {
  copyFileSync(resolve(root, OPENPGP, 'dist/node/openpgp.min.cjs'), resolve(root, 'dist/openpgp.min.cjs'));
  for (const target of present) await (await context({ ...target, logLevel: 'info' })).watch();
} else {
  if (absent.length > 0) throw new Error(`no such entry point: ${absent.join(', ')}`);
  rmSync(resolve(root, 'dist'), { recursive: true, force: true });
  for (const { metafile } of await buildAll()) {
    Object.assign(inputs, metafile.inputs);
    Object.assign(outputs, metafile.outputs);
  }
  copyFileSync(resolve(root, OPENPGP, 'dist/node/openpgp.min.cjs'), resolve(root, 'dist/openpgp.min.cjs'));
  writeFileSync(resolve(root, 'dist/openpgp.LICENSE.txt'), openPgpNotice(root, OPENPGP));
  writeFileSync(resolve(root, 'dist/THIRD-PARTY-NOTICES.txt'), thirdPartyNotices(root, Object.keys(inputs)));
  if (!packaging) writeFileSync(resolve(root, 'dist/meta.json'), JSON.stringify({ inputs, outputs }));
  for (const [file, { bytes }] of Object.entries(outputs)) {
    if (!file.endsWith('.map')) console.log(`${relative('dist', file).padEnd(16)} ${(bytes / 1024).toFixed(0).padStart(6)} KiB`);
  }
}
