/** What stands between `<` and `>` in Slack's text: a person, a channel, everybody, a date, an address. */
import { unescaped } from "./entities";
import { safeHref } from "./links";
import { type Inline, type Range, text } from "./tree";

/** `label` reads the part behind the bar, which may hold emoji and emphasis. */
export function readAngle(inside: string, isMarked: boolean, label: (from: number) => readonly Inline[]): Inline[] {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const said = bar < 0 ? "" : unescaped(inside.slice(bar + 1));
  const id = target.slice(1);
  switch (target[0]) {
    case "@":
      return /^[UWB][A-Z0-9]{2,20}$/.test(id)
        ? [{ kind: "user", id, label: said, isMarked }]
        : [text(`@${said || id}`, isMarked)];
    case "#":
      return /^[CGD][A-Z0-9]{2,20}$/.test(id)
        ? [{ kind: "channel", id, label: said, isMarked }]
        : [text(`#${said || id}`, isMarked)];
    case "!":
      return [special(id, said, isMarked)];
    default:
      return link(target, bar < 0 ? null : label(bar + 1), said, isMarked);
  }
}

function special(command: string, said: string, isMarked: boolean): Inline {
  const [word = "", ...rest] = command.split("^");
  if (word === "here" || word === "channel" || word === "everyone")
    return { kind: "broadcast", range: word satisfies Range, isMarked };
  if (word === "group") return { kind: "broadcast", range: "channel", isMarked };
  const [first = "", second = "", third = ""] = rest;
  if (word === "subteam" && /^S[A-Z0-9]{2,20}$/.test(first))
    return { kind: "usergroup", id: first, label: said, isMarked };
  if (word === "date" && /^-?\d{1,12}$/.test(first))
    return {
      kind: "date",
      at: Number(first),
      format: unescaped(second),
      fallback: said,
      href: safeHref(unescaped(third)),
    };
  return text(said || `<${command}>`, isMarked);
}

function link(target: string, children: readonly Inline[] | null, said: string, isMarked: boolean): Inline[] {
  const address = unescaped(target);
  const href = safeHref(address);
  const shown = children?.length ? children : [text(href ? readable(address) : address, isMarked)];
  if (href) return [{ kind: "link", href, children: shown }];
  return children?.length && said ? [...shown] : [text(children === null ? `<${address}>` : address, isMarked)];
}

const readable = (address: string): string => address.replace(/^mailto:/i, "");
