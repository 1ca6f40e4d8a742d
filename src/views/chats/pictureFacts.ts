/** What a picture is by its own octets, whatever its name says. */
export interface PictureFacts {
  readonly mimeType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';
  /** In pixels, as the file says; drawing it costs width times height, however small the file is. */
  readonly width: number;
  readonly height: number;
}

/** Pixels of a picture that is drawn at all: 8,000 by 5,000, for instance. */
const MAX_PIXELS = 40_000_000;
const MAX_SIDE = 16_384;

/**
 * Reads the head of a raster picture: PNG (RFC 2083), JPEG (ITU-T T.81), GIF89a or WebP (RFC 9649). Undefined for everything else, SVG among
 * it, which can run scripts; for what is cut off before its size is told; and for what is too large to be drawn.
 */
export function pictureFacts(content: Uint8Array): PictureFacts | undefined {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const text = (from: number, to: number): string => String.fromCharCode(...content.subarray(from, to));
  const facts = pngFacts(view, text) ?? gifFacts(view, text) ?? webpFacts(view, text) ?? jpegFacts(view);
  if (!facts || facts.width < 1 || facts.height < 1) return undefined;
  const drawable = facts.width <= MAX_SIDE && facts.height <= MAX_SIDE && facts.width * facts.height <= MAX_PIXELS;
  return drawable ? facts : undefined;
}

type Text = (from: number, to: number) => string;

function pngFacts(view: DataView, text: Text): PictureFacts | undefined {
  if (view.byteLength < 24 || text(0, 8) !== '\x89PNG\r\n\x1a\n' || text(12, 16) !== 'IHDR') return undefined;
  return { mimeType: 'image/png', width: view.getUint32(16), height: view.getUint32(20) };
}

function gifFacts(view: DataView, text: Text): PictureFacts | undefined {
  if (view.byteLength < 10 || !/^GIF8[79]a$/.test(text(0, 6))) return undefined;
  return { mimeType: 'image/gif', width: view.getUint16(6, true), height: view.getUint16(8, true) };
}

function webpFacts(view: DataView, text: Text): PictureFacts | undefined {
  if (view.byteLength < 30 || text(0, 4) !== 'RIFF' || text(8, 12) !== 'WEBP') return undefined;
  const mimeType = 'image/webp';
  switch (text(12, 16)) {
    case 'VP8 ':
      return { mimeType, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case 'VP8L': {
      // Fourteen bits of width less one, then fourteen of height less one.
      const bits = view.getUint32(21, true);
      return { mimeType, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X': {
      const side = (at: number): number => view.getUint16(at, true) + view.getUint8(at + 2) * 0x1_0000 + 1;
      return { mimeType, width: side(24), height: side(27) };
    }
    default:
      return undefined;
  }
}

/** Goes from marker to marker until one that begins a frame. */
function jpegFacts(view: DataView): PictureFacts | undefined {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xff_d8) return undefined;
  let at = 2;
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    // Any number of octets FF may stand before a marker; restart markers and TEM carry no length.
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else if (isFrame(marker)) return { mimeType: 'image/jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return undefined;
}

/** SOF0 to SOF15 without DHT, JPG and DAC, which share their range. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
