import { FormatError, ValueError } from "@cotangent/autograd/functional";
import { checksum } from "./checksum.ts";
import { inflate } from "./inflate.ts";

/** A file in an archive, as the archive's directory describes it. */
interface Member {
  readonly name: string;
  readonly deflated: boolean;
  readonly checksum: number;
  /** Bytes in the archive, and of the file itself. */
  readonly stored: number;
  readonly size: number;
  /** Where the member begins in the archive, and where its data do. */
  readonly begin: number;
  readonly data: number;
}

/** What the parts of an archive begin with, and the bytes of each part without names and comments. */
const local = { signature: 0x04034b50, size: 30 };
const central = { signature: 0x02014b50, size: 46 };
const ending = { signature: 0x06054b50, size: 22 };

/** Sizes of this and more stand elsewhere (zip64). */
const maxField = 0xffffffff;

/** No DEFLATE stream becomes more than so many times as long. */
const maxExpansion = 1032;

/**
 * The files of a zip archive by name (APPNOTE.TXT of PKWARE), stored or deflated. The whole directory is checked before anything
 * is decompressed, and the result has at most `limit` bytes.
 */
export function readZip(bytes: Uint8Array, limit: number): ReadonlyMap<string, Uint8Array> {
  const members = readDirectory(bytes);
  checkMembers(members, limit);
  return new Map(members.map((member) => [member.name, extract(bytes, member)]));
}

function fail(message: string): never {
  throw new FormatError(`npz: ${message}`);
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

function readDirectory(bytes: Uint8Array): Member[] {
  const view = viewOf(bytes);
  const end = findEnding(view);
  const [disk, first, count, size, start] = [
    view.getUint16(end + 4, true),
    view.getUint16(end + 6, true),
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  if (count === 0xffff || size === maxField || start === maxField)
    fail("the archive is a zip64 archive, with more than 65534 files or 4 GB, which is not read");
  if (disk !== 0 || first !== 0 || view.getUint16(end + 8, true) !== count)
    fail("the archive is one part of several, which is not read");
  if (start + size > end) fail(`the directory [${start}, ${start + size}) reaches into its ending at ${end}`);
  const members: Member[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + central.size > start + size || view.getUint32(at, true) !== central.signature)
      fail(`the directory has no entry ${i} of ${count} at byte ${at}`);
    const next =
      at +
      central.size +
      view.getUint16(at + 28, true) +
      view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
    if (next > start + size) fail(`the directory's entry ${i} reaches beyond its end, at byte ${at}`);
    members.push(readMember(bytes, view, at, start));
    at = next;
  }
  return members;
}

/** The ending is the last thing in the file, with a comment of up to 65535 bytes. */
function findEnding(view: DataView): number {
  const last = view.byteLength - ending.size;
  for (let at = last; at >= 0 && at >= last - 0xffff; at--)
    if (view.getUint32(at, true) === ending.signature && view.getUint16(at + 20, true) === last - at)
      return at;
  return fail("this is no zip archive, or cut short: it has no directory at its end");
}

/** The member whose entry in the directory begins at `at`; all members lie before `limit`. */
function readMember(bytes: Uint8Array, view: DataView, at: number, limit: number): Member {
  const name = nameAt(bytes, at + central.size, view.getUint16(at + 28, true));
  const shown = JSON.stringify(name);
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const stored = view.getUint32(at + 20, true);
  const size = view.getUint32(at + 24, true);
  const begin = view.getUint32(at + 42, true);
  if (flags & 1) fail(`${shown} is encrypted, which is not read`);
  if (method !== 0 && method !== 8)
    fail(`${shown} is compressed by method ${method}; stored (0) and deflated (8) are read`);
  if (stored === maxField || size === maxField || begin === maxField)
    fail(`${shown} has 4 GB or more (zip64), which is not read`);
  if (begin + local.size > limit || view.getUint32(begin, true) !== local.signature)
    fail(`${shown} does not begin at byte ${begin}, as the directory says`);
  const length = view.getUint16(begin + 26, true);
  const data = begin + local.size + length + view.getUint16(begin + 28, true);
  if (data + stored > limit) fail(`${shown} is cut short: it reaches beyond byte ${limit}`);
  if (nameAt(bytes, begin + local.size, length) !== name)
    fail(`${shown} has another name at byte ${begin} than in the directory`);
  return { name, deflated: method === 8, checksum: view.getUint32(at + 16, true), stored, size, begin, data };
}

function nameAt(bytes: Uint8Array, at: number, length: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(at, at + length));
  } catch {
    return fail(`the name at byte ${at} is not UTF-8`);
  }
}

/** Throws where members share bytes or names, or declare sizes that are impossible or, together, above the limit. */
function checkMembers(members: readonly Member[], limit: number): void {
  const names = new Set<string>();
  let [behind, total] = [0, 0];
  for (const { name, deflated, stored, size, begin, data } of [...members].sort(
    (a, b) => a.begin - b.begin,
  )) {
    const shown = JSON.stringify(name);
    if (names.has(name)) fail(`${shown} comes twice`);
    if (begin < behind) fail(`${shown} overlaps with what lies before, at byte ${begin}`);
    if (deflated ? size > maxExpansion * stored : size !== stored)
      fail(`${shown} declares ${size} bytes, which its ${stored} bytes in the archive cannot be`);
    total += size;
    if (total > limit)
      fail(
        `with ${shown} the files have ${total} bytes, more than the limit of ${limit}; pass a larger one if you trust the file`,
      );
    names.add(name);
    behind = data + stored;
  }
}

function extract(
  bytes: Uint8Array,
  { name, deflated, checksum: declared, stored, size, data }: Member,
): Uint8Array {
  const shown = JSON.stringify(name);
  const part = bytes.subarray(data, data + stored);
  const out = deflated ? inflate(`npz: ${shown}`, part, size) : part;
  if (checksum(out) !== declared) fail(`${shown} is damaged: its checksum is another one`);
  return out;
}

function encodeName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  // Half a surrogate pair has no encoding, and would come back as another name.
  if (bytes.length > 0xffff || new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) !== name)
    throw new ValueError(
      `writeNpz: ${JSON.stringify(name.slice(0, 100))} is no name for a file; it is too long or no text`,
    );
  return bytes;
}

/** An archive of `files`, stored one behind the other; the same files give the same bytes. */
export function writeZip(files: readonly (readonly [name: string, bytes: Uint8Array])[]): Uint8Array {
  const named = files.map(([name, data]) => ({ name: encodeName(name), data, checksum: checksum(data) }));
  const sizes = named.map(({ name, data }) => local.size + name.length + data.length);
  const directory = named.reduce((sum, { name }) => sum + central.size + name.length, 0);
  const start = sizes.reduce((sum, size) => sum + size, 0);
  if (named.length > 0xfffe || start + directory >= maxField)
    throw new ValueError(
      `writeNpz: ${named.length} tensors with ${start} bytes are too many for a zip archive without zip64; write several files`,
    );
  const bytes = new Uint8Array(start + directory + ending.size);
  const view = viewOf(bytes);
  let [at, entry] = [0, start];
  named.forEach(({ name, data, checksum: sum }, i) => {
    view.setUint32(at, local.signature, true);
    writeFields(view, at + 4, name, data.length, sum);
    bytes.set(name, at + local.size);
    bytes.set(data, at + local.size + name.length);
    view.setUint32(entry, central.signature, true);
    view.setUint16(entry + 4, 20, true);
    writeFields(view, entry + 6, name, data.length, sum);
    view.setUint32(entry + 42, at, true);
    bytes.set(name, entry + central.size);
    at += sizes[i]!;
    entry += central.size + name.length;
  });
  writeEnding(view, entry, named.length, directory, start);
  return bytes;
}

/** What a member's own head and its entry in the directory have in common: stored, of 1980-01-01, with a name in UTF-8. */
function writeFields(view: DataView, at: number, name: Uint8Array, size: number, sum: number): void {
  view.setUint16(at, 20, true);
  view.setUint16(at + 2, 1 << 11, true);
  view.setUint16(at + 8, (1 << 5) | 1, true);
  view.setUint32(at + 10, sum, true);
  view.setUint32(at + 14, size, true);
  view.setUint32(at + 18, size, true);
  view.setUint16(at + 22, name.length, true);
}

function writeEnding(view: DataView, at: number, count: number, size: number, start: number): void {
  view.setUint32(at, ending.signature, true);
  view.setUint16(at + 8, count, true);
  view.setUint16(at + 10, count, true);
  view.setUint32(at + 12, size, true);
  view.setUint32(at + 16, start, true);
}
