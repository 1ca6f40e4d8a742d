import * as v from 'valibot';

/**
 * An access token from outside the OAuth endpoints, as it may be shown to a mail server: visible ASCII (RFC 6749 appendix A.12), so nothing
 * that could end a SASL field or a line, and without the characters of JSON, markup and quoting, which tokens do not have and messages do.
 */
export const BearerToken = v.pipe(v.string(), v.minLength(1), v.maxLength(16_384), v.regex(/^[!#-;=?-[\]-z|~]+$/));
