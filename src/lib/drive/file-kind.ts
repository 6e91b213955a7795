import type { FileKind } from '../protocol/drive.ts';

const ARCHIVE = /^application\/(?:zip|gzip|x-(?:7z|rar|tar|bzip2?|xz|gzip|zip)|vnd\.rar|zstd)/;
const DOCUMENT =
  /^(?:text\/|application\/(?:pdf|rtf|json|msword|epub|vnd\.(?:openxmlformats|oasis|ms-|apple\.)|xml))/;
/** Browsers know few media types of their own: what most say of these is that they do not know. */
const BY_ENDING: Readonly<Record<string, FileKind>> = {
  ...of('image', 'heic heif avif jxl tif tiff raw dng cr2 nef arw'),
  ...of('video', 'mkv mov avi m4v mts webm'),
  ...of('audio', 'flac opus m4a aiff wma'),
  ...of('document', 'md tex pages numbers key odt ods odp csv doc docx xls xlsx ppt pptx'),
  ...of('archive', '7z rar tar gz tgz bz2 xz zst zip'),
};

/** What a file is for a person, by what its media type and the ending of its name say. */
export function fileKind(mediaType: string, name: string): FileKind {
  const group = mediaType.slice(0, mediaType.indexOf('/'));
  if (group === 'image' || group === 'video' || group === 'audio') return group;
  if (ARCHIVE.test(mediaType)) return 'archive';
  if (DOCUMENT.test(mediaType)) return 'document';
  return BY_ENDING[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'other';
}

function of(kind: FileKind, endings: string): Record<string, FileKind> {
  return Object.fromEntries(endings.split(' ').map((ending) => [ending, kind]));
}
