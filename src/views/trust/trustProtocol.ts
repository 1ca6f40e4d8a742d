/** What the trust panel's page may ask of its host. The page has no authority: the host checks each request against what it shows. */
export const TRUST_ACTIONS = ['match', 'differ', 'save', 'copy', 'import'] as const;
export type TrustAction = (typeof TRUST_ACTIONS)[number];

/** Every request names the generation of the page it was made in: one made about something else is dropped. */
export type TrustRequest =
  /** The page is there. It names no generation: it is about the panel. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'action'; readonly generation: number; readonly action: TrustAction }
  /** The text of a code that was scanned from a picture, or of what was typed or pasted. */
  | { readonly kind: 'text'; readonly generation: number; readonly text: string }
  /** A picture was given in which no code was found. */
  | { readonly kind: 'no-code'; readonly generation: number };
