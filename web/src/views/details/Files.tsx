/** The files of a conversation. */

import type { LucideIcon } from "lucide-preact";
import { File, FileImage, Files as FilesIcon, FileText, Film, Music } from "lucide-preact";
import { useCallback } from "preact/hooks";
import type { FileInfo, Id } from "../../core/contract";
import { safePicture } from "../../text/links";
import { Button } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { useClient } from "../../ui/context";
import { Empty } from "../../ui/Empty";
import { SkeletonRows } from "../../ui/Spinner";
import { useLoaded } from "../../ui/useLoaded";
import css from "./details.module.css";
import { sizeOf } from "./size";

const ICONS: Record<FileInfo["kind"], LucideIcon> = {
  image: FileImage,
  video: Film,
  audio: Music,
  text: FileText,
  pdf: FileText,
  other: File,
};

export function Files({ conversationId }: { readonly conversationId: Id }) {
  const client = useClient();
  const files = useLoaded(useCallback(() => client.files(conversationId), [client, conversationId]));
  if (files.problem) {
    return (
      <Empty title="The files did not load" action={<Button onClick={files.again}>Try again</Button>}>
        {files.problem}
      </Empty>
    );
  }
  if (!files.value) return <SkeletonRows count={3} />;
  const shown = files.value.filter((file) => !file.isDeleted);
  if (shown.length === 0) {
    return (
      <Empty icon={FilesIcon} title="No files yet">
        Drop one on the messages to share it here.
      </Empty>
    );
  }
  return (
    <ul class={classes(css.scroller, css.tight)}>
      {shown.map((file) => (
        <li key={file.id} class={css.person}>
          <a class={css.open} href={file.url} target="_blank" rel="noopener noreferrer">
            <Thumb file={file} />
            <span class={css.words}>
              <span class={css.name}>{file.title || file.name}</span>
              <span class={css.under}>{sizeOf(file.size)}</span>
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Thumb({ file }: { readonly file: FileInfo }) {
  const picture = file.thumbnailUrl ? safePicture(file.thumbnailUrl) : "";
  if (picture) return <img src={picture} alt="" class={css.thumb} loading="lazy" />;
  const Icon = ICONS[file.kind];
  return (
    <span class={css.thumb}>
      <Icon size={18} aria-hidden="true" />
    </span>
  );
}
