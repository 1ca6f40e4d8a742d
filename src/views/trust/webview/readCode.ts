import decodeQR from 'qr/decode.js';

/** Pixels on the longer side; a photograph is scaled down to this, which no code suffers from. */
const MAX_SIDE = 1600;
/** Octets; larger is no photograph of a code. */
const MAX_PICTURE = 32 * 1024 * 1024;

/**
 * The text of the QR code in a picture. The picture is decoded by the browser and goes no further than its pixels.
 * @throws where it is no picture or holds no code
 */
export async function readCode(picture: Blob): Promise<string> {
  if (picture.size > MAX_PICTURE) throw new RangeError('too large');
  const bitmap = await createImageBitmap(picture);
  try {
    const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const pen = canvas.getContext('2d', { willReadFrequently: true });
    if (!pen) throw new Error('no canvas');
    // Behind a transparent code there is paper.
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const { data, width, height } = pen.getImageData(0, 0, canvas.width, canvas.height);
    return decodeQR({ data, width, height }, { timeLimit: 2000 });
  } finally {
    bitmap.close();
  }
}
