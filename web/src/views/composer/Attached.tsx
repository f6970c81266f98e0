/** Above the text: files that will go with it, and those that are on their way. */
import { FileText, X } from "lucide-preact";
import type { Id, Ts, Upload } from "../../core/contract";
import { IconButton } from "../../ui/Button";
import { useClient } from "../../ui/context";
import { sizeOf } from "../files/size";
import css from "./Attached.module.css";
import type { Staging } from "./staging";

export function StagedFiles({ staging }: { readonly staging: Staging }) {
  const files = staging.files.value;
  if (files.length === 0) return null;
  return (
    <ul class={css.all} aria-label="Files to send">
      {files.map(({ key, file, preview }) => (
        <li key={key} class={preview ? css.picture : css.file}>
          {preview ? <img src={preview} alt={file.name} /> : <Words name={file.name} about={sizeOf(file.size)} />}
          <IconButton
            size="s"
            icon={X}
            label={`Remove ${file.name}`}
            class={css.remove}
            onClick={() => staging.remove(key)}
          />
        </li>
      ))}
    </ul>
  );
}

interface UploadsProps {
  readonly conversationId: Id;
  readonly threadTs: Ts | null;
}

export function Uploads({ conversationId, threadTs }: UploadsProps) {
  const client = useClient();
  const uploads = client.uploads.value.filter(
    (one) => one.conversationId === conversationId && one.threadTs === threadTs && one.state !== "done",
  );
  if (uploads.length === 0) return null;
  return (
    <ul class={css.all} aria-label="Uploads">
      {uploads.map((upload) => (
        <li key={upload.key} class={css.file}>
          <Words name={upload.file.name} about={aboutOf(upload)} />
          <progress
            class={css.progress}
            max={Math.max(1, upload.file.size)}
            value={upload.sent}
            aria-label={upload.file.name}
          />
          <IconButton
            size="s"
            icon={X}
            label={upload.state === "failed" ? "Dismiss" : `Cancel ${upload.file.name}`}
            class={css.remove}
            onClick={() => client.cancelUpload(upload.key)}
          />
        </li>
      ))}
    </ul>
  );
}

function aboutOf({ state, failure, sent, file }: Upload): string {
  if (state === "failed") return failure || "Did not upload";
  if (state === "queued") return "Waiting";
  return `${Math.floor((sent / Math.max(1, file.size)) * 100)}% of ${sizeOf(file.size)}`;
}

const Words = ({ name, about }: { readonly name: string; readonly about: string }) => (
  <>
    <span class={css.icon}>
      <FileText size={18} aria-hidden="true" />
    </span>
    <span class={css.words}>
      <span class={css.name}>{name}</span>
      <span class={css.about}>{about}</span>
    </span>
  </>
);
