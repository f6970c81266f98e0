/** What was found: best or newest first, page by page; before that, how to ask. */
import { SearchX } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import type { FoundMessage } from "../../core/contract";
import { Button } from "../../ui/Button";
import { useClient, useNavigate, useScreen } from "../../ui/context";
import { Empty } from "../../ui/Empty";
import { SkeletonRows } from "../../ui/Spinner";
import { Tabs } from "../../ui/Tabs";
import { wordsOf } from "../../ui/words";
import { PageHeader } from "../header/PageHeader";
import { SearchField } from "../header/SearchField";
import { MODIFIERS } from "../header/suggestions";
import { MessageCard } from "./MessageCard";
import css from "./SearchPage.module.css";

type Order = "best" | "newest";
const ORDERS = [
  { name: "best", label: "Best" },
  { name: "newest", label: "Newest" },
] as const;

export function SearchPage({ query }: { readonly query: string }) {
  const [order, setOrder] = useState<Order>("best");
  return (
    <>
      <PageHeader hidesSearch>
        <h1 class={css.hidden}>Search</h1>
        <SearchField isMain />
      </PageHeader>
      {query === "" ? (
        <Help />
      ) : (
        <Tabs label="Order" tabs={ORDERS} chosen={order} onChoose={setOrder}>
          <Results key={`${order} ${query}`} query={query} order={order} />
        </Tabs>
      )}
    </>
  );
}

interface Found {
  readonly items: readonly FoundMessage[];
  readonly total: number;
  readonly nextPage: number | null;
}

function Results({ query, order }: { readonly query: string; readonly order: Order }) {
  const client = useClient();
  const screen = useScreen();
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState("");
  const [page, setPage] = useState(1);
  const [attempt, setAttempt] = useState(0);
  const [isBusy, setBusy] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: attempt is the wish to ask again
  useEffect(() => {
    let isWanted = true;
    setBusy(true);
    setProblem("");
    client.searchMessages(query, order, page).then(
      (next) => {
        if (!isWanted) return;
        setFound((old) => (page === 1 || !old ? next : { ...next, items: [...old.items, ...next.items] }));
        setBusy(false);
        screen.announce(`${next.total} messages found`);
      },
      (error) => {
        if (!isWanted) return;
        setProblem(wordsOf(error));
        setBusy(false);
      },
    );
    return () => {
      isWanted = false;
    };
  }, [client, screen, query, order, page, attempt]);
  if (problem && !found) {
    const again = <Button onClick={() => setAttempt(attempt + 1)}>Try again</Button>;
    return (
      <Empty title="The search did not answer" action={again}>
        {problem}
      </Empty>
    );
  }
  if (!found) return <SkeletonRows />;
  if (found.items.length === 0) {
    return (
      <Empty icon={SearchX} title="Nothing was found">
        Try fewer words, or other ones; names of people and channels are modifiers: from:@jonas, in:#design.
      </Empty>
    );
  }
  return (
    <div class={css.results}>
      <p class={css.count}>
        {found.total.toLocaleString("en")} {found.total === 1 ? "message" : "messages"}
      </p>
      {found.items.map(({ message, highlighted }) => (
        <MessageCard key={message.key} message={message} text={highlighted} />
      ))}
      {found.nextPage !== null && (
        <Button isBusy={isBusy} class={css.more} onClick={() => setPage(found.nextPage ?? page)}>
          More
        </Button>
      )}
    </div>
  );
}

function Help() {
  const navigate = useNavigate();
  return (
    <div class={css.help}>
      <h2>Narrow it down</h2>
      <dl class={css.list}>
        {MODIFIERS.map(([modifier, hint]) => (
          <div key={modifier} class={css.item}>
            <dt>
              <code>{modifier}</code>
            </dt>
            <dd>{hint}</dd>
          </div>
        ))}
      </dl>
      <p class={css.example}>
        Together, for example:{" "}
        <button
          type="button"
          class={css.try}
          onClick={() => navigate({ page: "search", query: "in:#design has:file empty states" })}
        >
          in:#design has:file empty states
        </button>
      </p>
    </div>
  );
}
