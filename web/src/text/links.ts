/** Which addresses may be followed, and where a bare one ends. */

const FOLLOWED = new Set(["http:", "https:", "mailto:"]);
/** Browsers take away tabs and line ends inside an address: "java\nscript:" would be read as another one than is seen. */
const UNSEEN = /[\s\p{Cc}]/u;

/** The address as a link may carry it, or null for one that is not followed. */
export function safeHref(address: string): string | null {
  const trimmed = address.trim();
  if (!trimmed || trimmed.length > 8000 || UNSEEN.test(trimmed)) return null;
  try {
    const url = new URL(trimmed); // relative ones have no scheme and throw
    return FOLLOWED.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Like `safeHref`, for pictures: no mail, and one's own server's paths too. */
export function safePicture(address: unknown): string | null {
  if (typeof address !== "string") return null;
  if (address.startsWith("/") && !address.startsWith("//") && !UNSEEN.test(address)) return address;
  const href = safeHref(address);
  return href?.startsWith("http") ? href : null;
}

/** Of pictures that strangers chose: only those that lie on one's own server, so that nobody else learns who looks. */
export function ownPicture(address: unknown): string | null {
  const picture = safePicture(address);
  return picture?.startsWith("/") ? picture : null;
}

const BARE = /https?:\/\/[^\s<>"`\uE000\uE001]{1,4000}/iy;

/** Where the bare address that begins at `from` ends, or `from` if none does. */
export function bareLinkEnd(source: string, from: number, end: number): number {
  BARE.lastIndex = from;
  const found = BARE.exec(source);
  if (!found) return from;
  let address = found[0].slice(0, end - from);
  const entity = address.search(/&(?:lt|gt);/);
  if (entity >= 0) address = address.slice(0, entity);
  const tail = withoutTail(address);
  return /^https?:\/\/[^/?#]/i.test(tail) ? from + tail.length : from;
}

/** Without what ends the sentence rather than the address; a bracket belongs to it when it was opened in it. */
function withoutTail(address: string): string {
  let open = 0;
  for (const letter of address) open += letter === "(" ? 1 : letter === ")" ? -1 : 0;
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1] ?? "";
    if (last === ")" && open < 0) open++;
    else if (!/[.,:;!?'*_~\]}…]/.test(last)) break;
  }
  return address.slice(0, end);
}
