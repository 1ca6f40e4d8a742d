import * as tls from 'node:tls';

/**
 * Certificates that a TLS client trusts: Node's bundle, the operating system's store, NODE_EXTRA_CA_CERTS, and `extraPem` (one or
 * several certificates) where the person trusts an authority of their own for a host. The `ca` option replaces Node's own list rather
 * than adding to it, so all of them are named.
 */
function trustRoots(extraPem?: string): string[] {
  return extraPem === undefined ? [...systemRoots()] : [...systemRoots(), extraPem];
}

let cachedRoots: readonly string[] | undefined;

function systemRoots(): readonly string[] {
  cachedRoots ??= [...new Set([...tls.rootCertificates, ...storeOf('system'), ...storeOf('extra')])];
  return cachedRoots;
}

/** Empty where this Node is too old for `getCACertificates` (before 22.15) or the store cannot be read. */
function storeOf(type: 'system' | 'extra'): string[] {
  try {
    return (tls as { getCACertificates?: typeof tls.getCACertificates }).getCACertificates?.(type) ?? [];
  } catch {
    return [];
  }
}

/** Contexts are built once per authority: parsing the whole list costs tens of milliseconds. */
const MAX_CONTEXTS = 16;
const contexts = new Map<string, tls.SecureContext>();

/** A client context over `trustRoots(extraPem)`, TLS 1.2 or newer, for `secureContext` of node:tls and node:https. Throws when the PEM does not parse. */
export function clientContext(extraPem?: string): tls.SecureContext {
  const name = extraPem ?? '';
  const known = contexts.get(name);
  if (known) return known;
  const context = tls.createSecureContext({ ca: trustRoots(extraPem), minVersion: 'TLSv1.2' });
  if (contexts.size >= MAX_CONTEXTS) contexts.clear();
  contexts.set(name, context);
  return context;
}
