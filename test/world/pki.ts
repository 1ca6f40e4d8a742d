import { isIP } from 'node:net';
import { createAuthority, type Authority, type IssuedCertificate } from '../../src/core/lab/certificates.ts';

/** One authority per test process, made when first asked for. Organisation `QuMail Test`: not a lab, so real accounts may use it. */
let authority: Promise<Authority> | undefined;

export function testAuthority(): Promise<Authority> {
  authority ??= createAuthority({ commonName: 'QuMail Test CA', organization: 'QuMail Test' });
  return authority;
}

/** PEM of the test authority, for `ca` options. */
export async function testCaPem(): Promise<string> {
  return (await testAuthority()).caPem;
}

/** A server certificate for these host names and IP addresses, e.g. `issueServer(['localhost', '127.0.0.1'])`; the first is the CN. */
export async function issueServer(names: readonly string[] = ['localhost', '127.0.0.1']): Promise<IssuedCertificate> {
  return (await testAuthority()).issue({
    commonName: names[0] ?? 'localhost',
    dnsNames: names.filter((name) => isIP(name) === 0),
    ips: names.filter((name) => isIP(name) !== 0),
    usage: 'server',
  });
}

/** A client certificate with this common name, e.g. an SAE ID. */
export async function issueClient(commonName: string): Promise<IssuedCertificate> {
  return (await testAuthority()).issue({ commonName, usage: 'client' });
}
