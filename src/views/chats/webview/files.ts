import { MAX_FILES, MAX_FILES_OCTETS, type Upload } from '../chatProtocol.ts';

/** What was dropped, pasted or picked, read into memory; `too-large` where it is more than one message carries. */
export async function readFiles(picked: readonly File[], already: readonly Upload[]): Promise<readonly Upload[] | 'too-large'> {
  const octets = picked.reduce((sum, { size }) => sum + size, 0) + already.reduce((sum, { content }) => sum + content.byteLength, 0);
  if (octets > MAX_FILES_OCTETS || picked.length + already.length > MAX_FILES) return 'too-large';
  return Promise.all(
    picked.map(async (file) => ({
      name: file.name.slice(0, 255) || 'file',
      mimeType: /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(file.type) ? file.type : 'application/octet-stream',
      content: new Uint8Array(await file.arrayBuffer()),
    })),
  );
}
