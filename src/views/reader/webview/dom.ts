type Child = Node | string | undefined;
type Properties = Readonly<Record<string, string | ((event: Event) => void) | undefined>>;

/**
 * One element: functions become listeners (`onclick`), strings attributes, undefined is left out. Text goes in as text:
 * nothing in the reader's page is ever made from a string of HTML.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A codicon, hidden from screen readers: its button or line says the same in words. */
export function icon(name: string): HTMLElement {
  return h('span', { class: `codicon codicon-${name}`, 'aria-hidden': 'true' });
}

/** A button with an icon, a label, or both; `hint` is its tooltip and, without a label, its name. */
export function button(options: {
  icon?: string;
  label?: string;
  hint: string;
  kind?: string;
  onclick: (event: Event) => void;
}): HTMLButtonElement {
  return h(
    'button',
    {
      type: 'button',
      class: options.kind ?? 'action',
      title: options.hint,
      'aria-label': options.label ? undefined : options.hint,
      onclick: options.onclick,
    },
    options.icon ? icon(options.icon) : undefined,
    options.label ? h('span', {}, options.label) : undefined,
  );
}

/** `{0}` filled in, as vscode.l10n.t does. */
export function fill(words: string, value: string | number): string {
  return words.replace('{0}', String(value));
}
