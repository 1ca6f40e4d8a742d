/** What the person can do next. Each becomes one button; `failures.ts` knows how to carry it out. */
export type NextStep =
  | 'create-folder'
  | 'sign-in-again'
  | 'client-id'
  | 'certificate-authorities'
  | 'key-manager'
  | 'key-manager-status'
  | 'contact'
  | 'key-change'
  | 'verify-contact'
  | 'certificate'
  | 'ask-again'
  | 'report'
  | 'update'
  | 'pad'
  | 'unlock'
  | 'passphrase'
  | 'level'
  | 'fetch'
  | 'outbox'
  | 'retry'
  | 'restart'
  | 'reload'
  | 'log';

/** What is said for one code, and the step that helps. */
export interface Sentence {
  readonly say: (fact: Fact) => string;
  readonly step?: NextStep;
}

/** The detail `name` as text, or `otherwise` where the failure does not carry it. */
export type Fact = (name: string, otherwise?: string) => string;
