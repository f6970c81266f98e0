/** Sizes of files as people say them. Pure. */
const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function sizeOf(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : Math.round(value * 10) / 10} ${UNITS[unit]}`;
}

/** How large a picture is drawn: as it is, or as it fits, so that its place is there before it has come. */
export function fitted(
  width: number | null,
  height: number | null,
  most: { readonly width: number; readonly height: number },
): { width: number; height: number } {
  if (!width || !height || width <= 0 || height <= 0) return { width: Math.min(360, most.width), height: 240 };
  const scale = Math.min(1, most.width / width, most.height / height);
  return { width: Math.max(48, Math.round(width * scale)), height: Math.max(48, Math.round(height * scale)) };
}
