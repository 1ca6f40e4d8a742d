import * as v from 'valibot';
import { DEFAULT_SETTINGS, type EngineSettings } from './base/engineSettings.ts';
import { QuMailError } from './base/errors.ts';
import { SECURITY_LEVELS } from './base/types.ts';

const ClientId = v.pipe(v.string(), v.trim(), v.maxLength(512), v.regex(/^[\x21-\x7e]*$/));

const SettingsSchema = v.object({
  googleClientId: ClientId,
  yahooClientId: ClientId,
  certificateAuthorities: v.record(v.pipe(v.string(), v.maxLength(253)), v.pipe(v.string(), v.maxLength(1_000_000))),
  fetchInterval: v.pipe(v.number(), v.minValue(5), v.maxValue(86_400)),
  signInRedirect: v.picklist(['loopback', 'uri']),
  uriRedirect: v.pipe(v.string(), v.maxLength(2048)),
  startLevel: v.picklist(['best', ...SECURITY_LEVELS]),
  offlineBudgetMiB: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1_048_576)), DEFAULT_SETTINGS.offlineBudgetMiB),
  undoSendSeconds: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(3600)), 0),
});

/** Settings as they came from the editor, checked; throws `account.bad-settings` naming the field. */
export function parseSettings(input: unknown): EngineSettings {
  const result = v.safeParse(SettingsSchema, input);
  if (result.success) return result.output;
  throw new QuMailError('account.bad-settings', { field: v.getDotPath(result.issues[0]) ?? '' });
}

/**
 * What an engine starts with: the defaults where nothing is given, and also in place of what does not fit, which `refused` is told by name.
 * A mistyped client id must not keep all mail shut.
 */
export function startSettings(given: Partial<EngineSettings>, refused: (field: string) => void): EngineSettings {
  const defaults: Readonly<Record<string, unknown>> = { ...DEFAULT_SETTINGS };
  const values = Object.entries(SettingsSchema.entries).map(([field, schema]) => {
    const value = (given as Readonly<Record<string, unknown>>)[field];
    const result = v.safeParse(schema, value === undefined ? defaults[field] : value);
    if (!result.success) refused(field);
    return [field, result.success ? result.output : defaults[field]];
  });
  return Object.fromEntries(values) as EngineSettings;
}

/** The authority a person trusts for `host`, PEM. Host names are looked up as they are: `constructor` is not one of them. */
export function authorityFor(settings: EngineSettings, host: string): string | undefined {
  return Object.hasOwn(settings.certificateAuthorities, host) ? settings.certificateAuthorities[host] : undefined;
}
