/** The three characters that Slack's text escapes. Nothing else is an entity: "&nbsp;" is six characters. */

export const escaped = (said: string): string =>
  said.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const PLAIN: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

export const unescaped = (said: string): string =>
  said.includes("&") ? said.replace(/&(?:amp|lt|gt);/g, (entity) => PLAIN[entity] ?? entity) : said;
