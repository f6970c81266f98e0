/** The sidebar: the workspace, ways to find things, conversations by section, oneself. */

import type { LucideIcon } from "lucide-preact";
import { AtSign, Bookmark, Search, SquarePen, TextSearch } from "lucide-preact";
import { useMemo, useRef, useState } from "preact/hooks";
import type { Conversation } from "../../core/contract";
import { href, type Route } from "../../core/route";
import { IconButton } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { useClient, useRoute, useScreen } from "../../ui/context";
import { keysHere, NARROW, useMedia } from "../../ui/platform";
import { isStrings, readStored, writeStored } from "../../ui/stored";
import { useRoving } from "../../ui/useRoving";
import { SectionView } from "./SectionView";
import { SelfCard } from "./SelfCard";
import css from "./Sidebar.module.css";
import { type Section, sectionsOf } from "./sections";
import { UnreadPills } from "./UnreadPills";
import { useVisiblePeople } from "./useVisiblePeople";
import { WorkspaceMenu } from "./WorkspaceMenu";

export function Sidebar() {
  const screen = useScreen();
  const route = useRoute();
  const isNarrow = useMedia(NARROW);
  const scroller = useRef<HTMLDivElement>(null);
  const sections = useSections();
  useRoving(scroller, "[data-row]");
  useVisiblePeople(scroller, sections.flatMap((one) => one.conversations.map(({ id }) => id)).join());
  return (
    <nav aria-label="Conversations" data-region tabIndex={-1} class={css.sidebar}>
      <header class={css.head}>
        <WorkspaceMenu />
        <IconButton icon={SquarePen} label="New message" onClick={() => screen.open({ kind: "new_message" })} />
      </header>
      <button type="button" class={css.jump} onClick={() => screen.open({ kind: "switcher" })}>
        <Search size={15} aria-hidden="true" />
        <span>Jump to…</span>
        <kbd>{keysHere("Mod+K")}</kbd>
      </button>
      <div class={css.middle}>
        <div ref={scroller} class={css.scroller}>
          <ul class={css.pages}>
            {isNarrow && <PageRow icon={Search} label="Search" to={{ page: "search", query: "" }} here={route} />}
            <PageRow icon={AtSign} label="Activity" to={{ page: "activity" }} here={route} />
            <PageRow icon={Bookmark} label="Saved" to={{ page: "saved" }} here={route} />
            <PageRow icon={TextSearch} label="Browse channels" to={{ page: "browse" }} here={route} />
          </ul>
          <Sections sections={sections} route={route} />
        </div>
        <UnreadPills scroller={scroller} sections={sections} />
      </div>
      <footer class={css.foot}>
        <SelfCard />
      </footer>
    </nav>
  );
}

function useSections(): readonly Section[] {
  const conversations: ReadonlyMap<string, Conversation> = useClient().conversations.value;
  const route = useRoute();
  const current = route.page === "conversation" ? route.conversationId : null;
  return useMemo(() => sectionsOf(conversations.values(), current), [conversations, current]);
}

interface SectionsProps {
  readonly sections: readonly Section[];
  readonly route: Route;
}

function Sections({ sections, route }: SectionsProps) {
  const screen = useScreen();
  const [folded, setFolded] = useState(() => new Set(readStored("folded", [], isStrings)));
  const current = route.page === "conversation" ? route.conversationId : null;
  const fold = (name: string) => {
    const next = new Set(folded);
    if (!next.delete(name)) next.add(name);
    setFolded(next);
    writeStored("folded", [...next]);
  };
  const adds = {
    starred: undefined,
    channels: { label: "Create a channel", run: () => screen.open({ kind: "create_channel" }) },
    direct: { label: "New direct message", run: () => screen.open({ kind: "new_message" }) },
  };
  return (
    <>
      {sections.map((section) => (
        <SectionView
          key={section.name}
          section={section}
          current={current}
          isFolded={folded.has(section.name)}
          onFold={() => fold(section.name)}
          onAdd={adds[section.name]}
        >
          {section.hidden > 0 && (
            <button type="button" data-row class={css.more} onClick={() => screen.open({ kind: "switcher" })}>
              {section.hidden} older
            </button>
          )}
        </SectionView>
      ))}
    </>
  );
}

interface PageRowProps {
  readonly icon: LucideIcon;
  readonly label: string;
  readonly to: Route;
  readonly here: Route;
}

const PageRow = ({ icon: Icon, label, to, here }: PageRowProps) => (
  <li>
    <a
      href={href(to)}
      data-row
      aria-current={to.page === here.page ? "page" : undefined}
      class={classes(css.page, to.page === here.page && css.current)}
    >
      <Icon size={17} aria-hidden="true" />
      {label}
    </a>
  </li>
);
