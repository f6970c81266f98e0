/** Messages that one saved for later. */
import { Bookmark, BookmarkX } from "lucide-preact";
import { useCallback } from "preact/hooks";
import type { Message } from "../../core/contract";
import { Button, IconButton } from "../../ui/Button";
import { useClient, useScreen } from "../../ui/context";
import { Empty } from "../../ui/Empty";
import { SkeletonRows } from "../../ui/Spinner";
import { useLoaded } from "../../ui/useLoaded";
import { PageHeader, PageTitle } from "../header/PageHeader";
import { MessageCard } from "../search/MessageCard";
import css from "../search/SearchPage.module.css";

export function SavedPage() {
  const client = useClient();
  const screen = useScreen();
  const loaded = useLoaded(useCallback(() => client.loadSaved().then(() => true), [client]));
  const saved = client.saved.value;
  const drop = async (message: Message) => {
    try {
      await client.save(message, false);
      const undo = () => void client.save(message, true).catch(screen.fail);
      screen.toast("Not saved any more", { action: { label: "Undo", run: undo } });
    } catch (error) {
      screen.fail(error);
    }
  };
  return (
    <>
      <PageHeader>
        <PageTitle>Saved</PageTitle>
      </PageHeader>
      {saved.length > 0 ? (
        <div class={css.results}>
          {saved.map((message) => (
            <MessageCard
              key={message.key}
              message={message}
              actions={
                <IconButton size="s" icon={BookmarkX} label="Do not keep it" onClick={() => void drop(message)} />
              }
            />
          ))}
        </div>
      ) : loaded.problem ? (
        <Empty title="This did not load" action={<Button onClick={loaded.again}>Try again</Button>}>
          {loaded.problem}
        </Empty>
      ) : loaded.value ? (
        <Empty icon={Bookmark} title="Nothing is saved">
          Save a message that you want to come back to; only you see what you saved.
        </Empty>
      ) : (
        <SkeletonRows />
      )}
    </>
  );
}
