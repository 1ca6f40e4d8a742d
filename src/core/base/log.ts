export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** A log line is an event name and facts, never a sentence and never a secret. */
export interface LogEntry {
  readonly level: LogLevel;
  /** Dotted event name, e.g. `imap.connected`. */
  readonly event: string;
  readonly facts: Readonly<Record<string, LogFact>>;
}

export type LogFact = string | number | boolean | undefined;
export type LogSink = (entry: LogEntry) => void;

/** Names whose values are never written, whatever they hold. */
const SECRET_NAME = /pass(word|phrase)?$|secret|token$|^key$|keybytes|pad$|authorization|cookie|verifier|body|subject|text/i;
/** Values that look like credentials even under an innocent name: bearer headers, JWTs, PEM, long base64 runs. */
const SECRET_VALUE = /\bbearer\s+\S+|\beyJ[\w-]+\.[\w-]+\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----|[A-Za-z0-9+/_-]{60,}={0,2}/i;
const MAX_FACT = 300;

/** A logger bound to a scope; what it is told passes redaction before it reaches the sink. */
export class Log {
  readonly #sink: LogSink;
  readonly #scope: string;

  constructor(sink: LogSink, scope: string) {
    this.#sink = sink;
    this.#scope = scope;
  }

  scoped(scope: string): Log {
    return new Log(this.#sink, `${this.#scope}.${scope}`);
  }

  error(event: string, facts: Record<string, LogFact> = {}): void {
    this.#write('error', event, facts);
  }
  warn(event: string, facts: Record<string, LogFact> = {}): void {
    this.#write('warn', event, facts);
  }
  info(event: string, facts: Record<string, LogFact> = {}): void {
    this.#write('info', event, facts);
  }
  debug(event: string, facts: Record<string, LogFact> = {}): void {
    this.#write('debug', event, facts);
  }

  #write(level: LogLevel, event: string, facts: Record<string, LogFact>): void {
    this.#sink({ level, event: `${this.#scope}.${event}`, facts: redact(facts) });
  }
}

/** Facts with secret-looking names or values replaced and long values cut. */
export function redact(facts: Readonly<Record<string, LogFact>>): Record<string, LogFact> {
  const clean: Record<string, LogFact> = {};
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined) continue;
    if (SECRET_NAME.test(name)) clean[name] = '[redacted]';
    else if (typeof value === 'string') clean[name] = SECRET_VALUE.test(value) ? '[redacted]' : value.slice(0, MAX_FACT);
    else clean[name] = value;
  }
  return clean;
}
