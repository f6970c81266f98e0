/**
 * The build's own part: the page names all that its first screen is made of, so that the browser fetches it side by side,
 * and the first few lines of code run as soon as they are there, whatever else is still on its way.
 */
import type { HtmlTagDescriptor, Plugin } from "vite";

const FONT = /\/inter-latin-wght-normal-[^/]*\.woff2$/;

/** `chunk`: the name of the chunk of the first screen. */
export function firstScreen(chunk: string): Plugin {
  return {
    name: "parley-first-screen",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle }) {
        if (!bundle) return html;
        const tags: HtmlTagDescriptor[] = [];
        const add = (rel: string, file: string, more: Record<string, string> = {}) => {
          if (html.includes(`/${file}"`)) return;
          tags.push({ tag: "link", attrs: { rel, crossorigin: true, href: `/${file}`, ...more }, injectTo: "head" });
        };
        for (const each of Object.values(bundle)) {
          if (each.type === "chunk" && each.name === chunk) {
            add("modulepreload", each.fileName);
            for (const css of each.viteMetadata?.importedCss ?? []) add("stylesheet", css);
          } else if (FONT.test(`/${each.fileName}`)) add("preload", each.fileName, { as: "font", type: "font/woff2" });
        }
        // Without "async" a script waits for the styles, and for the end of the page.
        return { html: html.replace('<script type="module"', '<script async type="module"'), tags };
      },
    },
  };
}
