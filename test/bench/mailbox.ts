import { createHash } from 'node:crypto';

/** Words that people write, more and less often; enough of them that an index has something to do. */
const COMMON =
  'the of to and a in is it you that he was for on are with as I his they be at one have this from or had by hot but some what there we can out other were all your when up use word how said an each she'.split(
    ' ',
  );

/** Numbers from a seed, the same in every run (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * A mailbox as people have one: threads, some HTML, some attachments, other scripts; `octets` in all, about 2.9 KB a message as in the mailbox
 * of DESIGN 7. The same in every run.
 */
export function* generateMailbox(count: number, octets = count * 2900): Generator<Buffer> {
  const random = numbersFrom(count);
  const rare = Array.from(
    { length: 20_000 },
    (_, n) => createHash('sha256').update(`word${n}`).digest('hex').replace(/\d/g, '').slice(0, 9) || 'word',
  );
  const word = (): string =>
    random() < 0.55 ? COMMON[Math.floor(random() ** 2 * COMMON.length)]! : rare[Math.floor(random() ** 3 * rare.length)]!;
  const words = (n: number): string => Array.from({ length: n }, word).join(' ');
  const mean = octets / count;
  const began = Date.UTC(2020, 0, 1);
  for (let n = 0; n < count; n++) {
    const from = `person${Math.floor(random() ** 2 * 300)}@example.test`;
    const reply = n > 10 && random() < 0.5 ? n - 1 - Math.floor(random() * 10) : undefined;
    const head = [
      `Return-Path: <${from}>`,
      `Delivered-To: alice@example.test`,
      `Received: from mail.example.test (mail.example.test [192.0.2.${n % 250}]) by mx.example.test with ESMTPS id ${n.toString(36)}; ${new Date(began + n * 600_000).toUTCString()}`,
      `From: ${words(2)} <${from}>`,
      `To: Alice <alice@example.test>`,
      `Subject: ${reply === undefined ? '' : 'Re: '}${random() < 0.05 ? '=?UTF-8?B?w5xiZXJyYXNjaHVuZw==?= ' : ''}${words(2 + Math.floor(random() * 6))}`,
      `Date: ${new Date(began + n * 600_000).toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <${n}.${count}@example.test>`,
      ...(reply === undefined ? [] : [`In-Reply-To: <${reply}.${count}@example.test>`, `References: <${reply}.${count}@example.test>`]),
      'MIME-Version: 1.0',
    ];
    const size = Math.max(300, mean * (0.2 + random() ** 4 * 4) - 1000);
    yield Buffer.from([...head, ...body(n, size, random, words)].join('\r\n') + '\r\n');
  }
}

/** Messages of 1 to 24 MiB, each with a file, of which every fourth is 24 MiB long. The same in every run. */
export function* longMessages(count: number): Generator<Buffer> {
  const line = `${createHash('sha512').update('file').digest('base64').slice(0, 76)}\r\n`;
  for (let n = 0; n < count; n++) {
    const octets = (n % 4 === 3 ? 24 : 1 + ((n * 7) % 23)) * 1_048_576;
    const head = [
      `From: person${n}@example.test`,
      'To: Alice <alice@example.test>',
      `Subject: The film ${n}`,
      `Date: ${new Date(Date.UTC(2020, 0, 1) + n * 600_000).toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <long.${n}@example.test>`,
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="part"',
    ];
    const text = ['', '--part', 'Content-Type: text/plain', '', `Here it is, number ${n}.`, '--part'];
    const file = [
      'Content-Type: video/mp4',
      'Content-Disposition: attachment; filename="film.mp4"',
      'Content-Transfer-Encoding: base64',
      '',
      '',
    ];
    const beginning = [...head, ...text, ...file].join('\r\n');
    yield Buffer.from(`${beginning}${line.repeat(Math.ceil((octets - beginning.length) / line.length))}--part--\r\n`);
  }
}

function body(n: number, size: number, random: () => number, words: (n: number) => string): string[] {
  const lines = (octets: number): string[] => Array.from({ length: Math.ceil(octets / 70) }, () => words(12).slice(0, 70));
  const kind = random();
  if (kind < 0.6) return ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 7bit', '', ...lines(size)];
  const boundary = `=_${n}_part`;
  const plain = [`--${boundary}`, 'Content-Type: text/plain; charset=utf-8', '', ...lines(size / 3)];
  if (kind < 0.9) {
    const html = lines((size * 2) / 3).map((line) => `<p class="x">${line}</p>`);
    const text = [
      `--${boundary}`,
      'Content-Type: text/html; charset=utf-8',
      '',
      '<html><body>',
      ...html,
      '</body></html>',
      `--${boundary}--`,
    ];
    return [`Content-Type: multipart/alternative; boundary="${boundary}"`, '', ...plain, ...text];
  }
  const file =
    Buffer.alloc(Math.ceil(size / 2), words(40))
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  const part = ['Content-Type: application/octet-stream; name="data.bin"', 'Content-Disposition: attachment; filename="data.bin"'];
  return [
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    ...plain,
    `--${boundary}`,
    ...part,
    'Content-Transfer-Encoding: base64',
    '',
    ...file,
    `--${boundary}--`,
  ];
}
