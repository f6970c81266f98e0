/** Messages that mention one, newest first. */
import { AtSign } from "lucide-preact";
import { useCallback } from "preact/hooks";
import { Button } from "../../ui/Button";
import { useClient } from "../../ui/context";
import { Empty } from "../../ui/Empty";
import { SkeletonRows } from "../../ui/Spinner";
import { useLoaded } from "../../ui/useLoaded";
import { PageHeader, PageTitle } from "../header/PageHeader";
import { MessageCard } from "../search/MessageCard";
import css from "../search/SearchPage.module.css";

export function ActivityPage() {
  const client = useClient();
  const loaded = useLoaded(useCallback(() => client.loadActivity().then(() => true), [client]));
  const found = client.activity.value;
  return (
    <>
      <PageHeader>
        <PageTitle>Activity</PageTitle>
      </PageHeader>
      {found.length > 0 ? (
        <div class={css.results}>
          {found.map(({ message, highlighted }) => (
            <MessageCard key={message.key} message={message} text={highlighted} />
          ))}
        </div>
      ) : loaded.problem ? (
        <Empty title="This did not load" action={<Button onClick={loaded.again}>Try again</Button>}>
          {loaded.problem}
        </Empty>
      ) : loaded.value ? (
        <Empty icon={AtSign} title="Nobody has mentioned you yet">
          When somebody writes your name, or to everybody in a channel, it stands here.
        </Empty>
      ) : (
        <SkeletonRows />
      )}
    </>
  );
}
