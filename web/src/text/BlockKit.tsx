/** Block Kit, drawn. */
import css from "./BlockKit.module.css";
import type { Drawable, Picture } from "./blocks";
import { ControlView } from "./ControlView";
import { ImageView } from "./ImageView";
import { Blocks, Inlines } from "./RichText";

export const BlockKit = ({ blocks }: { readonly blocks: readonly Drawable[] }) => (
  <div class={css.all}>
    {blocks.map((block, index) => (
      <One key={index} block={block} />
    ))}
  </div>
);

function One({ block }: { readonly block: Drawable }) {
  switch (block.kind) {
    case "rich":
      return <Blocks blocks={block.blocks} />;
    case "header":
      return (
        <h4 class={css.header}>
          <Inlines nodes={block.text} />
        </h4>
      );
    case "divider":
      return <hr class={css.divider} />;
    case "image":
      return <ImageView src={block.src} alt={block.alt} title={block.title} />;
    case "actions":
      return (
        <div class={css.actions}>
          {block.controls.map((control, index) => (
            <ControlView key={index} control={control} />
          ))}
        </div>
      );
    case "context":
      return (
        <div class={css.context}>
          {block.elements.map((element, index) =>
            element.kind === "picture" ? (
              <Small key={index} picture={element} class={css.tiny} />
            ) : (
              <Blocks key={index} blocks={element.text} />
            ),
          )}
        </div>
      );
    case "section":
      return <Section block={block} />;
  }
}

function Section({ block }: { readonly block: Extract<Drawable, { kind: "section" }> }) {
  const { accessory } = block;
  return (
    <div class={css.section}>
      <div class={css.words}>
        <Blocks blocks={block.text} />
        {block.fields.length > 0 && (
          <div class={css.fields}>
            {block.fields.map((field, index) => (
              <Blocks key={index} blocks={field} />
            ))}
          </div>
        )}
      </div>
      {accessory?.kind === "picture" && <Small picture={accessory} class={css.beside} />}
      {accessory?.kind === "control" && <ControlView control={accessory} />}
    </div>
  );
}

const Small = ({ picture, class: name }: { readonly picture: Picture; readonly class: string | undefined }) => (
  <img src={picture.src} alt={picture.alt} class={name} loading="lazy" />
);
