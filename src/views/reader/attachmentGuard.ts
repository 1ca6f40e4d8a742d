/** Extensions that programs run, mount, import or obey rather than show; opening one asks first. */
const DANGEROUS = new Set(
  (
    'ade adp apk app appimage application appref-ms appx bas bat bin cab chm class cmd com command cpl crt cer csh deb desktop diagcab dll dmg docm dotm ' +
    'drv dylib elf exe fish gadget grp hlp hta htm html xhtml ics img inf ins iso isp jar jnlp job js jse jsp ksh library-ms lnk mad maf mam maq mar mas mat ' +
    'mda mde mdt mdw mdz mht mhtml mjs cjs msc msh msi msix msp mst ops osd pcd pif pkg pl plg potm ppam ppsm pptm prf prg ps1 ps2 psc1 psd1 psm1 pst py pyc pyw rb reg ' +
    'rpm run scf scr sct search-ms settingcontent-ms sh shb shs sldm slk so svg swf theme tmp url vb vbe vbp vbs vhd vhdx vsix vsmacros vsw webloc ' +
    'website ws wsb wsc wsf wsh xbap xlam xll xlm xlsb xlsm xltm xml xnk xsl xslt zsh code-workspace code-snippets'
  ).split(' '),
);

/** Types that stay inside what shows them. What is neither here nor dangerous by name is opened too, but asked about. */
const HARMLESS = new Set(
  'txt md markdown csv tsv log json yaml yml toml pdf png jpg jpeg gif webp avif bmp tif tiff heic mp3 m4a ogg opus wav flac mp4 webm mov mkv patch diff eml rtf epub'.split(
    ' ',
  ),
);

/** Longest file name written to disk, in UTF-16 units. */
const MAX_NAME = 120;

/** Whether an attachment opens at a click (`free`), only after a question (`ask`), or with a warning that it can do harm (`dangerous`). */
export function guardOf(name: string): 'free' | 'ask' | 'dangerous' {
  const extension = extensionOf(safeFileName(name));
  if (DANGEROUS.has(extension)) return 'dangerous';
  return HARMLESS.has(extension) ? 'free' : 'ask';
}

/** Lower-case extension without its dot, '' where there is none. */
function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}

/**
 * A name from a mail as the last segment of a path on any system: no separators, no control or direction-changing
 * characters (`invoice_U+202Efdp.exe`), no trailing dots or spaces, no device names, never empty.
 */
export function safeFileName(name: string): string {
  const cleaned = name
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[\\/:*?"<>|]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+/, '')
    .replace(/[. ]+$/, '');
  const named = cleaned === '' ? 'attachment' : cleaned;
  const bounded = named.length > MAX_NAME ? shorten(named) : named;
  return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(bounded) ? `_${bounded}` : bounded;
}

/** Cuts the middle: the end of a name tells its type. */
function shorten(name: string): string {
  const extension = extensionOf(name).slice(0, 16);
  const tail = extension ? `.${extension}` : '';
  return (
    [...name]
      .slice(0, MAX_NAME - tail.length - 1)
      .join('')
      .slice(0, MAX_NAME - tail.length - 1) +
    '…' +
    tail
  );
}

/** Two attachments of one name get different names on disk: `a.txt`, `a (2).txt`. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const safe = safeFileName(name);
    const dot = safe.lastIndexOf('.');
    const [stem, tail] = dot > 0 ? [safe.slice(0, dot), safe.slice(dot)] : [safe, ''];
    let candidate = safe;
    for (let count = 2; taken.has(candidate.toLowerCase()); count++) candidate = `${stem} (${count})${tail}`;
    taken.add(candidate.toLowerCase());
    return candidate;
  });
}

/** Name of the codicon that stands for a file. */
export function iconOf(name: string, mimeType: string): string {
  const extension = extensionOf(name);
  if (extension === 'pdf') return 'file-pdf';
  if (mimeType.startsWith('image/') || mimeType.startsWith('video/') || mimeType.startsWith('audio/')) return 'file-media';
  if (/^(zip|gz|tgz|xz|bz2|7z|rar|tar|zst)$/.test(extension)) return 'file-zip';
  if (mimeType.startsWith('text/') || /^(json|ya?ml|toml|ts|js|py|rs|c|h|cpp|java|go|patch|diff)$/.test(extension)) return 'file-code';
  if (mimeType === 'message/rfc822') return 'mail';
  return 'file';
}
