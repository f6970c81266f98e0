/** The frame of the window: sidebar, main part, and what stands beside; on a narrow one, each alone. */
import { useEffect, useRef } from "preact/hooks";
import type { Route } from "../core/route";
import { classes } from "../ui/classes";
import { toConversation, useClient, useNavigation, useRoute } from "../ui/context";
import { lazy } from "../ui/lazy";
import { NARROW, useMedia } from "../ui/platform";
import { ResizablePane } from "../ui/ResizablePane";
import { SkeletonRows } from "../ui/Spinner";
import { isString, readStored } from "../ui/stored";
import { useFocusBack } from "../ui/useFocusBack";
import { ConversationHeader } from "../views/header/ConversationHeader";
import { Sidebar } from "../views/sidebar/Sidebar";
import { landing } from "../views/sidebar/sections";
import { Banner } from "./Banner";
import css from "./Frame.module.css";
import { ConversationView, ThreadPane } from "./slots";

const waiting = () => <SkeletonRows />;
const SearchPage = lazy(() => import("../views/search/SearchPage").then((module) => module.SearchPage), waiting);
const ActivityPage = lazy(
  () => import("../views/activity/ActivityPage").then((module) => module.ActivityPage),
  waiting,
);
const SavedPage = lazy(() => import("../views/saved/SavedPage").then((module) => module.SavedPage), waiting);
const BrowsePage = lazy(() => import("../views/browse/BrowsePage").then((module) => module.BrowsePage), waiting);
const DetailsPane = lazy(() => import("../views/details/DetailsPane").then((module) => module.DetailsPane), waiting);

export function Frame() {
  const route = useRoute();
  const isNarrow = useMedia(NARROW);
  useLanding(isNarrow);
  const pane = route.page === "conversation" ? route.pane : null;
  const isHome = route.page === "home";
  const shows = {
    sidebar: !isNarrow || isHome,
    main: !isNarrow || (!isHome && !pane),
    pane: pane !== null,
  };
  return (
    <>
      <button type="button" class={css.skip} onClick={() => document.getElementById("main")?.focus()}>
        Skip to the messages
      </button>
      <div class={classes(css.frame, isNarrow && css.narrow)}>
        {shows.sidebar && (
          <ResizablePane
            name="sidebar"
            side="left"
            landmark="Sidebar"
            label="Width of the sidebar"
            initial={260}
            least={200}
            most={400}
            class={css.sidebar}
          >
            <Sidebar />
          </ResizablePane>
        )}
        <div class={classes(css.rest, isNarrow && isHome && css.absent)}>
          <Banner />
          <div class={css.columns}>
            {shows.main && (
              <main id="main" tabIndex={-1} data-region class={css.main}>
                <Page route={route} />
              </main>
            )}
            {shows.pane && <Pane route={route} />}
          </div>
        </div>
      </div>
    </>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case "conversation":
      return (
        <>
          <ConversationHeader conversationId={route.conversationId} />
          <ConversationView key={route.conversationId} conversationId={route.conversationId} at={route.at} />
        </>
      );
    case "search":
      return <SearchPage query={route.query} />;
    case "activity":
      return <ActivityPage />;
    case "saved":
      return <SavedPage />;
    case "browse":
      return <BrowsePage />;
    default:
      return <SkeletonRows count={7} />;
  }
}

function Pane({ route }: { readonly route: Route }) {
  const element = useRef<HTMLElement>(null);
  useFocusBack(element);
  if (route.page !== "conversation" || !route.pane) return null;
  const { conversationId, pane } = route;
  return (
    <ResizablePane
      name="pane"
      side="right"
      landmark={pane.kind === "thread" ? "Thread" : "Details"}
      isRegion
      label="Width of the pane"
      initial={400}
      least={300}
      most={640}
      class={css.pane}
      elementRef={element}
    >
      {pane.kind === "thread" ? (
        <ThreadPane key={pane.ts} conversationId={conversationId} ts={pane.ts} />
      ) : (
        <DetailsPane key={conversationId} conversationId={conversationId} />
      )}
    </ResizablePane>
  );
}

/** An address that names no place leads to where one was; on a narrow window the list of places is a place. */
function useLanding(isNarrow: boolean): void {
  const client = useClient();
  const { navigate } = useNavigation();
  const isNowhere = useRoute().page === "home" && !isNarrow;
  const conversations = client.conversations.value;
  useEffect(() => {
    if (!isNowhere) return;
    const id = landing(conversations, readStored("last", "", isString));
    if (id) navigate(toConversation(id), { replace: true });
  }, [isNowhere, conversations, navigate]);
}
