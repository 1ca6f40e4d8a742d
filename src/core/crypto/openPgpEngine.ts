import { QuMailError } from '../base/errors.ts';
import type { Random } from '../base/ports.ts';
import { armorPgp, dearmorPgp } from './pgpArmor.ts';
import { judgeCertificate, readCertificate } from './pgpCertificate.ts';
import type {
  ArmorKind,
  CertificateFacts,
  GeneratedCertificate,
  GenerateOptions,
  InspectOptions,
  OpenedPgp,
  PgpEngine,
  PgpOpenOptions,
  PgpSealed,
  PgpSealOptions,
  PgpSignOptions,
  PgpVerifyOptions,
  RotateOptions,
  SignatureResult,
} from './pgpEngine.ts';
import { CLOCK_TOLERANCE, loadPgpLibrary, type LoadPgpLibrary, PGP_LIMITS, pgpConfig, plainBytes, toBuffer } from './pgpLibrary.ts';
import { bestSignature, openPgp } from './pgpOpen.ts';
import { readPackets } from './pgpPackets.ts';
import { sealPgp } from './pgpSeal.ts';
import { generatePgp, readSecretKey, rotatePgp, wipeSecretKey } from './pgpSecretKey.ts';

/** `PgpEngine` over OpenPGP.js. Holds no keys and no state; the library is loaded by the first call that needs it. */
export class OpenPgpEngine implements PgpEngine {
  readonly #random: Random;
  readonly #load: LoadPgpLibrary;

  /** @param deps.load another way to the library, for tests of the shipped file */
  constructor(deps: { random: Random; load?: LoadPgpLibrary }) {
    this.#random = deps.random;
    this.#load = deps.load ?? loadPgpLibrary;
  }

  async generate(options: GenerateOptions): Promise<GeneratedCertificate> {
    return generatePgp(await this.#load(), options);
  }

  async rotateSubkey(options: RotateOptions): Promise<GeneratedCertificate> {
    return rotatePgp(await this.#load(), options);
  }

  async inspect(certificate: Uint8Array, options: InspectOptions): Promise<CertificateFacts> {
    const { facts } = await judgeCertificate(await this.#load(), certificate, options);
    return facts;
  }

  async seal(options: PgpSealOptions): Promise<PgpSealed> {
    return sealPgp(await this.#load(), this.#random, options);
  }

  async open(options: PgpOpenOptions): Promise<OpenedPgp> {
    return openPgp(await this.#load(), options);
  }

  async sign({ data, secretKey, now }: PgpSignOptions): Promise<Buffer> {
    const library = await this.#load();
    const signingKeys = await readSecretKey(library, secretKey);
    try {
      const message = await library.createMessage({ binary: plainBytes(data) });
      const config = pgpConfig(library);
      const signature = await library.sign({ message, signingKeys, detached: true, date: new Date(now), format: 'binary', config });
      return toBuffer(signature);
    } finally {
      wipeSecretKey(signingKeys);
    }
  }

  async verify({ data, signature, verifyWith, now }: PgpVerifyOptions): Promise<SignatureResult> {
    if (signature.byteLength > PGP_LIMITS.signature)
      throw new QuMailError('open.limit', { what: 'signature', limit: PGP_LIMITS.signature });
    readPackets(signature, PGP_LIMITS.messagePackets);
    const library = await this.#load();
    const config = pgpConfig(library);
    const verificationKeys = await Promise.all(verifyWith.map((each) => readCertificate(library, each)));
    let parsed;
    try {
      parsed = await library.readSignature({ binarySignature: plainBytes(signature), config });
    } catch (cause) {
      throw new QuMailError('open.malformed', { what: 'signature' }, { cause });
    }
    const message = await library.createMessage({ binary: plainBytes(data) });
    const date = new Date(now + CLOCK_TOLERANCE);
    try {
      const { signatures } = await library.verify({ message, signature: parsed, verificationKeys, format: 'binary', date, config });
      return await bestSignature(signatures, verificationKeys);
    } catch (cause) {
      // Types and algorithms it does not know are read without a word, and thrown at here.
      throw new QuMailError('open.malformed', { what: 'signature' }, { cause });
    }
  }

  async armor(kind: ArmorKind, bytes: Uint8Array): Promise<string> {
    return armorPgp(kind, bytes);
  }

  async dearmor(text: string): Promise<{ kind: ArmorKind; bytes: Buffer }> {
    return dearmorPgp(text);
  }
}
