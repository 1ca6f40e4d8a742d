/** What styles of a mail may not do: load anything, or refer to anything that could smuggle a load past this filter. */
const LOADS = /(?:url|src|image|image-set|cross-fade|element|paint|var|env|attr|if|expression)\s*\(/i;
const COLOURS = /^(?:background|background-color|color|border(?:-\w+)?-color)$/;
const NO_COLOUR = /^(?:|initial|inherit|unset|transparent|currentcolor|rgba\(0, 0, 0, 0\)|medium|none)$/i;
/** Longest style sheet read, in UTF-16 units; what is beyond is left out. */
const MAX_CSS = 400_000;

/** Whether styles set colours of their own; a mail that sets none is shown in the editor's. */
export type Colours = 'own' | 'none';

/**
 * Removes, in place, every declaration that could load something. The browser has parsed the declarations already, so
 * escapes (`u\72l(`), comments and strange spacing are gone, and what is checked is what would be applied.
 */
export function cleanDeclarations(style: CSSStyleDeclaration): Colours {
  let colours: Colours = 'none';
  for (const name of Array.from(style)) {
    const value = style.getPropertyValue(name);
    // Custom properties keep their raw tokens: with them, a filter of values would see nothing.
    if (name.startsWith('--') || value === '' || LOADS.test(value)) style.removeProperty(name);
    else if (COLOURS.test(name) && !NO_COLOUR.test(value)) colours = 'own';
  }
  return colours;
}

/**
 * A style sheet reduced to plain rules inside media queries. `@import`, `@font-face` and every other at-rule is left out;
 * so are nested rules. Returns CSS text that is only ever set as textContent of a style element, never parsed as HTML.
 */
export function cleanStyleSheet(css: string): { readonly css: string; readonly colours: Colours } {
  const sheet = new CSSStyleSheet();
  try {
    // A constructed sheet loads nothing: @import is ignored by definition, and it is never applied to a document.
    sheet.replaceSync(css.slice(0, MAX_CSS));
  } catch {
    return { css: '', colours: 'none' };
  }
  const out: string[] = [];
  let colours: Colours = 'none';
  const walk = (rules: CSSRuleList): void => {
    for (const rule of Array.from(rules)) {
      if (rule instanceof CSSStyleRule) {
        if (cleanDeclarations(rule.style) === 'own') colours = 'own';
        if (rule.style.length > 0) out.push(`${rule.selectorText} { ${rule.style.cssText} }`);
      } else if (rule instanceof CSSMediaRule) {
        out.push(`@media ${rule.conditionText} {`);
        walk(rule.cssRules);
        out.push('}');
      }
    }
  };
  walk(sheet.cssRules);
  return { css: out.join('\n'), colours };
}
