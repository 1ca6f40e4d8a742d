import './reflectMetadata.ts';
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';

/** A certificate and its private key (PKCS#8), both PEM. */
export interface IssuedCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface CertificateRequest {
  /** At most 64 characters (RFC 5280, ub-common-name). A key manager's certificate carries the KME ID here, a client's the SAE ID. */
  readonly commonName: string;
  /** The authority's own organisation unless given. */
  readonly organization?: string;
  /** Subject alternative names; with none of the three the certificate has a common name only, as some key managers' do. */
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
  readonly uris?: readonly string[];
  readonly usage: 'server' | 'client';
  /** Default: now plus one year. */
  readonly notAfter?: Date;
  /** Default: one day ago, so that a clock slightly behind does not matter. */
  readonly notBefore?: Date;
}

/** A throw-away certificate authority; its private key never leaves the object. */
export interface Authority {
  readonly organization: string;
  readonly caPem: string;
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;
const YEAR = 365 * DAY;

x509.cryptoProvider.set(webcrypto);

/** Makes a new ECDSA P-256 authority (RFC 5280 profile) for a lab or a test. Nothing is written to disk. */
export async function createAuthority(o: { commonName: string; organization: string }): Promise<Authority> {
  const keys = await generateKeys();
  const name: x509.JsonName = [{ O: [o.organization] }, { CN: [o.commonName] }];
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + 10 * YEAR),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    organization: o.organization,
    caPem: certificate.toString('pem'),
    issue: (request) => issue(request, o.organization, certificate, keys.privateKey),
  };
}

async function issue(
  request: CertificateRequest,
  organization: string,
  authority: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
): Promise<IssuedCertificate> {
  const keys = await generateKeys();
  const usage = request.usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const names: x509.JsonGeneralNames = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(request.uris ?? []).map((value) => ({ type: 'url' as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: [{ O: [request.organization ?? organization] }, { CN: [request.commonName] }],
    issuer: authority.subjectName,
    notBefore: request.notBefore ?? new Date(Date.now() - DAY),
    notAfter: request.notAfter ?? new Date(Date.now() + YEAR),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { certPem: certificate.toString('pem'), keyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

/** 16 random octets, positive and without a leading zero octet (RFC 5280 section 4.1.2.2), hex. */
function newSerialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}
