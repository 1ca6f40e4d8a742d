/**
 * The walls of the house as a table: who may import whom, which package belongs to which room, and no circles. Type imports obey the same
 * rules as others: what the compiler erases is still a dependency in the reader's head.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** Rooms, by the first pattern that fits a file's path under src/. */
const ROOMS: readonly (readonly [pattern: RegExp, room: string])[] = [
  [/^extension\.ts$/, 'extension'],
  [/^views\/[a-z]+\/webview\//, 'webview'],
  [/^views\//, 'views'],
  [/^core\/api\.ts$/, 'api'],
  [/^core\/(base|mail|transport|auth|keys|crypto|store|account|chat|lab)\//, '$1'],
  [/^core\/[^/]+\.ts$/, 'core'],
];

const TOOLS = ['transport', 'auth', 'keys', 'crypto', 'store'];
const BELOW_ACCOUNT = [...TOOLS, 'mail', 'base', 'api'];

/** room -> rooms it may import, besides itself. `core` is what stands directly in src/core: QuMailCore and its entries. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  extension: ['views', 'api'],
  views: ['api'],
  webview: [],
  api: ['base'],
  core: ['api', 'account', 'chat', ...TOOLS, 'mail', 'base'],
  chat: ['account', 'store', 'mail', 'base', 'api'],
  account: BELOW_ACCOUNT,
  transport: ['mail', 'base'],
  auth: ['mail', 'base'],
  keys: ['mail', 'base'],
  crypto: ['mail', 'base'],
  store: ['mail', 'base'],
  mail: ['base'],
  base: [],
  lab: ['keys', 'mail', 'base'],
};

/** Single files that a room may import although the room they stand in is closed to it. */
const DOORS: readonly (readonly [from: RegExp, to: RegExp])[] = [
  // The lab tells its world in the API's words, and the page of the reader speaks the reader's protocol.
  [/^core\/lab\//, /^core\/api\.ts$/],
  [/^views\/reader\/webview\//, /^views\/reader\/[a-zA-Z]*[pP]rotocol\.ts$/],
  [/^views\/trust\/webview\//, /^views\/trust\/trustProtocol\.ts$/],
  [/^views\/chats\/webview\//, /^views\/chats\/[a-zA-Z]*[pP]rotocol\.ts$/],
];

const ENGINE = ['core', 'account', 'chat', ...TOOLS, 'mail', 'base'];

/** package -> rooms that may import it. A package that is not here may not be imported at all. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  vscode: ['extension', 'views'],
  birpc: ['api', 'core', 'views'],
  valibot: [...ENGINE, 'views', 'webview', 'lab'],
  imapflow: ['transport'],
  nodemailer: ['transport', 'mail'],
  'postal-mime': ['mail'],
  'html-to-text': ['mail'],
  'markdown-it': ['mail'],
  oauth4webapi: ['auth'],
  '@noble/ciphers': ['crypto'],
  '@protontech/openpgp': ['crypto'],
  '@scure/bip39': ['store'],
  qr: ['webview', 'views'],
  dompurify: ['webview'],
  '@peculiar/x509': ['lab'],
  'smtp-server': ['lab'],
};

/** Node's own modules are for everything but a web page. */
const WITHOUT_NODE = ['webview'];

/** Path under src/ (slashes) -> source text. */
export type SourceTree = Readonly<Record<string, string>>;

/** Reads every TypeScript file below `root`/src. */
export function readSources(root: string): SourceTree {
  const src = join(root, 'src');
  const files = globSync('**/*.ts', { cwd: src }).filter((file) => !file.endsWith('.d.ts'));
  return Object.fromEntries(files.sort().map((file) => [file.replaceAll('\\', '/'), readFileSync(join(src, file), 'utf8')]));
}

/** What breaks the rules, one line each; empty when all is well. */
export function importProblems(tree: SourceTree): string[] {
  const graph = new Map(Object.entries(tree).map(([file, text]) => [file, importsOf(text)]));
  const problems: string[] = [];
  const edges = new Map<string, string[]>();
  for (const [file, specifiers] of graph) {
    const room = roomOf(file);
    if (room === undefined) problems.push(`${file}: stands in no room of the house`);
    const targets: string[] = [];
    for (const specifier of specifiers) {
      if (!specifier.startsWith('.')) {
        problems.push(...packageProblem(file, room, specifier));
        continue;
      }
      const target = posix.join(posix.dirname(file), specifier);
      problems.push(...roomProblem(file, room, target));
      targets.push(target);
    }
    edges.set(file, targets);
  }
  return [...problems, ...circles(edges)];
}

function roomOf(file: string): string | undefined {
  for (const [pattern, room] of ROOMS) {
    const match = pattern.exec(file);
    if (match !== null) return room === '$1' ? match[1] : room;
  }
  return undefined;
}

function roomProblem(file: string, room: string | undefined, target: string): string[] {
  const other = roomOf(target);
  if (room === undefined || other === room) return [];
  if (other !== undefined && MAY_IMPORT[room]?.includes(other) === true) return [];
  if (DOORS.some(([from, to]) => from.test(file) && to.test(target))) return [];
  return [`${file}: ${room} may not import ${other ?? 'anything outside src'} (${target})`];
}

function packageProblem(file: string, room: string | undefined, specifier: string): string[] {
  if (room === undefined) return [];
  if (specifier.startsWith('node:')) return WITHOUT_NODE.includes(room) ? [`${file}: ${room} may not import ${specifier}`] : [];
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return PACKAGES[name]?.includes(room) === true ? [] : [`${file}: ${room} may not import the package ${name}`];
}

/** The specifiers of every import, type import, re-export, dynamic import and worker URL in `text`; those in comments do not count. */
export function importsOf(text: string): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const patterns = [
    /^\s*(?:import|export)\s[^;'"]*?\bfrom\s*['"]([^'"\n]+)['"]/gm,
    /^\s*import\s*['"]([^'"\n]+)['"]/gm,
    /\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g,
    /\brequire\(\s*['"]([^'"\n]+)['"]\s*\)/g,
    /\bnew URL\(\s*['"](\.[^'"\n]+\.ts)['"]/g,
  ];
  return [...new Set(patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] as string)))];
}

/** Each circle once, from its first file on. */
function circles(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (state.get(file) === 'done' || !edges.has(file)) return;
    if (state.get(file) === 'open') {
      found.push(`circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
      return;
    }
    state.set(file, 'open');
    path.push(file);
    for (const target of edges.get(file) ?? []) visit(target);
    path.pop();
    state.set(file, 'done');
  };
  for (const file of edges.keys()) visit(file);
  return found;
}

/** The project this script belongs to. */
export const ROOT = dirname(dirname(import.meta.dirname));
