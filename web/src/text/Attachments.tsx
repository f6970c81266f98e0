/** What is attached to a message, beside a bar of its colour. */
import { useMemo } from "preact/hooks";
import { usePreferences } from "../ui/context";
import { shortTime } from "../ui/time";
import css from "./Attachments.module.css";
import { type Attachment, readAttachments } from "./attachments";
import { BlockKit } from "./BlockKit";
import { ControlView } from "./ControlView";
import { unescaped } from "./entities";
import { ImageView } from "./ImageView";
import { Link, RichLine, RichText } from "./RichText";

export function Attachments({ attachments }: { readonly attachments: readonly unknown[] }) {
  const read = useMemo(() => readAttachments(attachments), [attachments]);
  return (
    <>
      {read.map((one, index) => (
        <One key={index} attachment={one} />
      ))}
    </>
  );
}

function One({ attachment }: { readonly attachment: Attachment }) {
  const { before, colour, image, thumbnail, blocks, text, title, titleHref, controls } = attachment;
  return (
    <div>
      {before && <RichText text={before} />}
      <div class={css.one} style={colour ? { "--bar": colour } : {}}>
        <div class={css.words}>
          <AuthorLine author={attachment.author} />
          {title && (
            <div class={css.title}>
              {titleHref ? <Link href={titleHref}>{unescaped(title)}</Link> : <RichLine text={title} />}
            </div>
          )}
          {text && <RichText text={text} />}
          <Fields fields={attachment.fields} />
          {blocks.length > 0 && <BlockKit blocks={blocks} />}
          {image && <ImageView src={image} alt={title} />}
          {controls.length > 0 && (
            <div class={css.controls}>
              {controls.map((control, index) => (
                <ControlView key={index} control={control} />
              ))}
            </div>
          )}
          <Footer attachment={attachment} />
        </div>
        {thumbnail && !image && <img src={thumbnail} alt="" class={css.thumbnail} loading="lazy" />}
      </div>
    </div>
  );
}

function AuthorLine({ author }: { readonly author: Attachment["author"] }) {
  if (!author) return null;
  return (
    <div class={css.author}>
      {author.icon && <img src={author.icon} alt="" class={css.icon} loading="lazy" />}
      {author.href ? <Link href={author.href}>{author.name}</Link> : author.name}
    </div>
  );
}

function Fields({ fields }: { readonly fields: Attachment["fields"] }) {
  if (fields.length === 0) return null;
  return (
    <dl class={css.fields}>
      {fields.map(({ title, value, isShort }, index) => (
        <div key={index} class={isShort ? undefined : css.wide}>
          <dt class={css.term}>{title}</dt>
          <dd>
            <RichText text={value} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Footer({ attachment: { footer, footerIcon, at } }: { readonly attachment: Attachment }) {
  const { clock } = usePreferences();
  if (!footer && !at) return null;
  return (
    <div class={css.footer}>
      {footerIcon && <img src={footerIcon} alt="" class={css.icon} loading="lazy" />}
      {footer && <RichLine text={footer} />}
      {at > 0 && <span>{shortTime(at * 1000, Date.now(), clock)}</span>}
    </div>
  );
}
