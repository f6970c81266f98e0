/** A picture that an app shows: as large as there is room, and gone when it cannot be had. */
import { useState } from "preact/hooks";
import css from "./BlockKit.module.css";

interface ImageViewProps {
  readonly src: string;
  readonly alt: string;
  readonly title?: string;
}

export function ImageView({ src, alt, title }: ImageViewProps) {
  const [broken, setBroken] = useState("");
  if (broken === src) return <span class={css.missing}>{alt || title || "A picture that did not load"}</span>;
  return (
    <figure>
      {title && <figcaption class={css.caption}>{title}</figcaption>}
      <img src={src} alt={alt} class={css.image} loading="lazy" onError={() => setBroken(src)} />
    </figure>
  );
}
