/** Section 11.5, "Free name": the first that is not taken, or undefined. */
export function freeName(
  name: string,
  id: string,
  isTaken: (candidate: string) => boolean,
): string | undefined {
  const dot = name.lastIndexOf('.');
  const end = dot > 0 && name.length - dot <= 16 ? dot : name.length;
  const [stem, extension] = [name.slice(0, end), name.slice(end)];
  const marks = [...Array.from({ length: 98 }, (_, index) => String(index + 2)), id];
  const candidates = [name, ...marks.map((mark) => shortened(stem, ` (${mark})${extension}`))];
  return candidates.find((candidate) => !isTaken(candidate));
}

function shortened(stem: string, tail: string): string {
  const points = Array.from(stem);
  while (Buffer.byteLength(points.join('') + tail) > 255) points.pop();
  return points.join('') + tail;
}
