/** What the health panel and the report show, in words already: one section per account. */
export interface HealthPage {
  readonly title: string;
  /** When this was true, and that it renews itself. */
  readonly asOf: string;
  readonly sections: readonly HealthSection[];
  /** Shown where there is no section. */
  readonly empty: string;
}

export interface HealthSection {
  readonly title: string;
  readonly state: Toned;
  readonly facts: readonly HealthFact[];
  readonly errorsTitle: string;
  /** Newest first. */
  readonly errors: readonly HealthError[];
  readonly noErrors: string;
}

export interface Toned {
  readonly text: string;
  readonly tone: 'good' | 'bad' | 'plain';
}

export interface HealthFact {
  readonly label: string;
  /** One line each. */
  readonly values: readonly Toned[];
}

export interface HealthError {
  readonly time: string;
  readonly code: string;
  readonly sentence: string;
}
