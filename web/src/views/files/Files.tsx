/** The files of a message: pictures side by side, then the others, each as it can best be shown. */
import { Download, FileArchive, File as FileIcon, FileText, FileX, type LucideIcon } from "lucide-preact";
import { useState } from "preact/hooks";
import type { FileInfo } from "../../core/contract";
import { useTabStop } from "../../text/tabstop";
import { lazy } from "../../ui/lazy";
import css from "./Files.module.css";
import { fitted, sizeOf } from "./size";

const Lightbox = lazy(() => import("./Lightbox").then((module) => module.Lightbox));

export function Files({ files }: { readonly files: readonly FileInfo[] }) {
  const [shown, setShown] = useState<number | null>(null);
  const pictures = files.filter((file) => file.kind === "image" && !file.isDeleted);
  const others = files.filter((file) => !pictures.includes(file));
  return (
    <div class={css.all}>
      {pictures.length > 0 && (
        <div class={css.grid}>
          {pictures.map((file, index) => (
            <Picture key={file.id} file={file} isOnly={pictures.length === 1} onOpen={() => setShown(index)} />
          ))}
        </div>
      )}
      {others.map((file) => (
        <Other key={file.id} file={file} />
      ))}
      {shown !== null && <Lightbox files={pictures} first={shown} onClose={() => setShown(null)} />}
    </div>
  );
}

interface PictureProps {
  readonly file: FileInfo;
  readonly isOnly: boolean;
  readonly onOpen: () => void;
}

const ALONE = { width: 440, height: 320 };
const TOGETHER = { width: 240, height: 180 };

function Picture({ file, isOnly, onOpen }: PictureProps) {
  const tab = useTabStop();
  const [isBroken, setBroken] = useState(false);
  const size = fitted(file.width, file.height, isOnly ? ALONE : TOGETHER);
  if (isBroken) return <Card file={file} />;
  return (
    <button
      type="button"
      tabIndex={tab}
      class={css.picture}
      style={{ width: `${size.width}px`, aspectRatio: `${size.width} / ${size.height}` }}
      aria-label={`Open picture ${file.title || file.name}`}
      onClick={onOpen}
    >
      <img
        src={file.thumbnailUrl || file.url}
        alt={file.title || file.name}
        width={size.width}
        height={size.height}
        loading="lazy"
        decoding="async"
        onError={() => setBroken(true)}
      />
    </button>
  );
}

function Other({ file }: { readonly file: FileInfo }) {
  const tab = useTabStop();
  if (file.isDeleted) {
    return (
      <div class={css.gone}>
        <FileX size={16} aria-hidden="true" />
        This file was deleted.
      </div>
    );
  }
  switch (file.kind) {
    case "video":
      return (
        <Frame file={file}>
          {/* biome-ignore lint/a11y/useMediaCaption: what people upload has none */}
          <video class={css.video} src={file.url} controls preload="metadata" tabIndex={tab} aria-label={file.title} />
        </Frame>
      );
    case "audio":
      return (
        <Frame file={file}>
          {/* biome-ignore lint/a11y/useMediaCaption: as above */}
          <audio class={css.audio} src={file.url} controls preload="none" tabIndex={tab} aria-label={file.title} />
        </Frame>
      );
    case "text":
      return file.preview ? <Text file={file} /> : <Card file={file} />;
    default:
      return <Card file={file} />;
  }
}

const ICONS: Partial<Record<FileInfo["kind"], LucideIcon>> = { pdf: FileText, text: FileText };

const iconOf = (file: FileInfo): LucideIcon =>
  ICONS[file.kind] ?? (/zip|tar|compressed/.test(file.mimetype) ? FileArchive : FileIcon);

/** "PDF", "ZIP": what the name ends with. */
const typeOf = ({ name, kind }: FileInfo): string =>
  (/\.([a-z0-9]{1,8})$/i.exec(name)?.[1] ?? (kind === "other" ? "file" : kind)).toUpperCase();

/** Name, size, and the way to have it. */
export function Card({ file }: { readonly file: FileInfo }) {
  const tab = useTabStop();
  const Icon = iconOf(file);
  return (
    <div class={css.card}>
      <span class={css.icon} data-kind={file.kind}>
        <Icon size={20} aria-hidden="true" />
      </span>
      <a class={css.name} href={file.url} target="_blank" rel="noopener noreferrer" tabIndex={tab}>
        <span class={css.title}>{file.title || file.name}</span>
        <span class={css.about}>
          {typeOf(file)} · {sizeOf(file.size)}
        </span>
      </a>
      <DownloadLink file={file} />
    </div>
  );
}

function DownloadLink({ file }: { readonly file: FileInfo }) {
  return (
    <a
      class={css.download}
      href={file.downloadUrl}
      download={file.name}
      tabIndex={useTabStop()}
      aria-label={`Download ${file.name}`}
      data-tooltip="Download"
    >
      <Download size={16} aria-hidden="true" />
    </a>
  );
}

const Frame = ({ file, children }: { readonly file: FileInfo; readonly children: preact.ComponentChildren }) => (
  <figure class={css.frame}>
    <figcaption class={css.caption}>
      <span class={css.captionName}>{file.title || file.name}</span>
      <span class={css.about}>{sizeOf(file.size)}</span>
      <DownloadLink file={file} />
    </figcaption>
    {children}
  </figure>
);

const LINES_FOLDED = 8;

/** The beginning of a text, to be unfolded. */
function Text({ file }: { readonly file: FileInfo }) {
  const tab = useTabStop();
  const [isOpen, setOpen] = useState(false);
  const lines = file.preview.split("\n");
  const isLong = lines.length > LINES_FOLDED;
  return (
    <Frame file={file}>
      <pre class={css.text}>{(isOpen ? lines : lines.slice(0, LINES_FOLDED)).join("\n")}</pre>
      {isLong && (
        <button type="button" tabIndex={tab} class={css.more} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Show less" : "Show more"}
        </button>
      )}
    </Frame>
  );
}
