/**
 * Resume tokens: what a client has of every channel, in a few bytes a channel. parley.gateway.v1.Positions, packed with
 * zlib, in URL-safe base64 without padding. A token is no secret and proves nothing.
 */

/** Channels in one token, and its size unpacked, as the contract says. */
const CHANNELS_MAX = 20_000;
const RAW_BYTES_MAX = 1024 * 1024;

const CHANNEL_IDS = 1;
const OFFSETS = 2;
const VARINT = 0;
const LENGTH = 2;

export class TokenMalformed extends Error {}

/** Beyond CHANNELS_MAX the user's and the workspace's own channels are kept, and whatever else fits. */
export async function encode(positions: ReadonlyMap<string, number>): Promise<string> {
  let chosen = [...positions];
  if (chosen.length > CHANNELS_MAX) {
    const isOwn = ([id]: readonly [string, number]) => (/^[UWT]/.test(id) ? 0 : 1);
    chosen = chosen.sort((one, other) => isOwn(one) - isOwn(other)).slice(0, CHANNELS_MAX);
  }
  return toBase64(await through(serialised(chosen), new CompressionStream("deflate"), Number.POSITIVE_INFINITY));
}

export async function decode(token: string): Promise<Map<string, number>> {
  if (!token) return new Map();
  try {
    return read(await through(fromBase64(token), new DecompressionStream("deflate"), RAW_BYTES_MAX));
  } catch (error) {
    throw new TokenMalformed(`not a resume token: ${error}`);
  }
}

function serialised(positions: readonly (readonly [string, number])[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (const [id] of positions) {
    const name = encoder.encode(id);
    bytes.push((CHANNEL_IDS << 3) | LENGTH);
    writeVarint(bytes, name.length);
    bytes.push(...name);
  }
  const packed: number[] = [];
  for (const [, offset] of positions) writeVarint(packed, offset);
  if (packed.length) {
    bytes.push((OFFSETS << 3) | LENGTH);
    writeVarint(bytes, packed.length);
    for (const each of packed) bytes.push(each);
  }
  return Uint8Array.from(bytes);
}

/** Offsets may be above 2^32, so this divides where others shift. */
function writeVarint(bytes: number[], value: number): void {
  let left = value;
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  bytes.push(left);
}

class Reader {
  at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || scale > 2 ** 56) throw new TokenMalformed("a number that does not end");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  chunk(): Uint8Array {
    const length = this.varint();
    const end = this.at + length;
    if (end > this.bytes.length) throw new TokenMalformed("too short");
    const chunk = this.bytes.subarray(this.at, end);
    this.at = end;
    return chunk;
  }
}

function read(raw: Uint8Array): Map<string, number> {
  const reader = new Reader(raw);
  const decoder = new TextDecoder();
  const ids: string[] = [];
  const offsets: number[] = [];
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    if (tag === ((CHANNEL_IDS << 3) | LENGTH)) ids.push(decoder.decode(reader.chunk()));
    else if (tag === ((OFFSETS << 3) | VARINT)) offsets.push(reader.varint());
    else if (tag === ((OFFSETS << 3) | LENGTH)) {
      const packed = new Reader(reader.chunk());
      while (!packed.isAtEnd) offsets.push(packed.varint());
    } else throw new TokenMalformed(`an unknown field, ${tag}`);
  }
  if (ids.length !== offsets.length) throw new TokenMalformed("incomplete");
  return new Map(ids.map((id, index) => [id, offsets[index] ?? 0]));
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  packer: CompressionStream | DecompressionStream,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(packer).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > bytesMax) throw new TokenMalformed("too large");
    chunks.push(part.value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64(token: string): Uint8Array<ArrayBuffer> {
  const binary = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
