/**
 * What package.json promises, held against the code and the texts: every command declared, used in the code, titled and localised; no key without a
 * text in any language, no text without a use, no menu for a command that does not exist.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  readonly main?: string;
  readonly contributes?: {
    readonly commands?: readonly { readonly command: string; readonly title?: string; readonly category?: string }[];
    readonly menus?: Readonly<Record<string, readonly { readonly command?: string; readonly when?: string }[]>>;
    readonly keybindings?: readonly { readonly command: string }[];
    readonly views?: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly viewsWelcome?: readonly { readonly view: string; readonly contents: string }[];
  };
}

export interface ManifestInputs {
  readonly manifest: Manifest;
  /** Language tag ('' for package.nls.json) -> key -> text. */
  readonly texts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** COMMAND_IDS of src/views/commandIds.ts. */
  readonly commandIds: readonly string[];
  /** Source text of everything under src/views and of src/extension.ts, without commandIds.ts. */
  readonly code: string;
}

/** Reads what manifestProblems compares. */
export async function readManifestInputs(root: string): Promise<ManifestInputs> {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');
  const texts = globSync('package.nls*.json', { cwd: root }).map((file) => {
    const language = /^package\.nls\.?(.*)\.json$/.exec(file)?.[1] ?? '';
    return [language, JSON.parse(read(file)) as Record<string, string>] as const;
  });
  const sources = globSync(['src/views/**/*.ts', 'src/extension.ts'], { cwd: root }).filter((file) => !file.endsWith('commandIds.ts'));
  const { COMMAND_IDS } = (await import(join(root, 'src/views/commandIds.ts'))) as { COMMAND_IDS: readonly string[] };
  return {
    manifest: JSON.parse(read('package.json')) as Manifest,
    texts: Object.fromEntries(texts),
    commandIds: COMMAND_IDS,
    code: sources
      .filter((file) => existsSync(join(root, file)))
      .map(read)
      .join('\n'),
  };
}

/** What does not fit, one line each; empty when all is well. */
export function manifestProblems(inputs: ManifestInputs): string[] {
  return [...commandProblems(inputs), ...textProblems(inputs), ...referenceProblems(inputs)];
}

function commandProblems({ manifest, commandIds, code }: ManifestInputs): string[] {
  const commands = manifest.contributes?.commands ?? [];
  const declared = commands.map((command) => command.command);
  const used = new Set([...code.matchAll(/['"`](qumail\.[A-Za-z.]+)['"`]/g)].map((match) => match[1] as string));
  return [
    ...twice(declared).map((id) => `${id} is declared twice in package.json`),
    ...missing(declared, commandIds).map((id) => `${id} is in commandIds.ts but not declared in package.json`),
    ...missing(commandIds, declared).map((id) => `${id} is declared in package.json but not in commandIds.ts`),
    ...missing([...used], commandIds).map((id) => `${id} is never registered in src/views or src/extension.ts`),
    ...commands
      .filter((command) => !isKey(command.title) || !isKey(command.category))
      .map((command) => `${command.command} needs a title and a category, both as %key%`),
  ];
}

function textProblems({ manifest, texts }: ManifestInputs): string[] {
  const used = [...JSON.stringify(manifest).matchAll(/%([A-Za-z0-9_.-]+)%/g)].map((match) => match[1] as string);
  const base = texts[''];
  if (base === undefined) return ['package.nls.json is missing'];
  const keys = Object.keys(base);
  return [
    ...missing(keys, used).map((key) => `%${key}% has no text in package.nls.json`),
    ...missing(used, keys).map((key) => `package.nls.json: ${key} is used nowhere`),
    ...Object.entries(texts).flatMap(([language, table]) => [
      ...Object.entries(table)
        .filter(([, text]) => text.trim() === '')
        .map(([key]) => `package.nls.${language}.json: ${key} is empty`),
      ...missing(Object.keys(table), keys).map((key) => `package.nls.${language}.json: ${key} is missing`),
      ...missing(keys, Object.keys(table)).map((key) => `package.nls.${language}.json: ${key} is unknown`),
    ]),
  ];
}

/** Menus, keybindings and welcome texts name commands and views that exist. */
function referenceProblems({ manifest, texts }: ManifestInputs): string[] {
  const { commands = [], menus = {}, keybindings = [], views = {}, viewsWelcome = [] } = manifest.contributes ?? {};
  const declared = commands.map((command) => command.command);
  const viewIds = Object.values(views)
    .flat()
    .map((view) => view.id);
  const inMenus = Object.values(menus).flat();
  const welcome = viewsWelcome
    .map((entry) => entry.contents.replaceAll(/%([^%]+)%/g, (_, key: string) => texts['']?.[key] ?? ''))
    .join('\n');
  const named = [
    ...inMenus.flatMap((entry) => entry.command ?? []),
    ...keybindings.map((binding) => binding.command.replace(/^-/, '')),
    ...[...welcome.matchAll(/command:([\w.]+)/g)].map((match) => match[1] as string),
  ];
  const namedViews = [
    ...inMenus.flatMap((entry) => [...(entry.when ?? '').matchAll(/\bview\s*==\s*['"]?([\w.]+)/g)].map((match) => match[1] as string)),
    ...viewsWelcome.map((entry) => entry.view),
  ];
  return [
    ...missing(
      declared,
      named.filter((id) => id.startsWith('qumail.')),
    ).map((id) => `${id} is named in a menu, keybinding or welcome text but not declared`),
    ...missing(
      viewIds,
      namedViews.filter((id) => id.startsWith('qumail')),
    ).map((id) => `view ${id} is named in package.json but not declared`),
  ];
}

function isKey(text: string | undefined): boolean {
  return text !== undefined && /^%[^%]+%$/.test(text);
}

/** Members of `wanted` that `present` lacks, each once. */
function missing(present: readonly string[], wanted: readonly string[]): string[] {
  const set = new Set(present);
  return [...new Set(wanted)].filter((member) => !set.has(member));
}

function twice(list: readonly string[]): string[] {
  return list.filter((member, index) => list.indexOf(member) !== index);
}
