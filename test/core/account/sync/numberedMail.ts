/** A message whose subject and Message-ID tell its number. */
export function numberedMail(n: number, text = `text ${n}`): Buffer {
  return Buffer.from(
    `From: bob@example.test\r\nTo: alice@example.test\r\nSubject: number ${n}\r\nMessage-ID: <${n}@example.test>\r\n\r\n${text}\r\n`,
  );
}
