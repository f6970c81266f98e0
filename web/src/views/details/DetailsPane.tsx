/** Beside the messages: what the conversation is about, who is in it, what is pinned, which files it holds. */
import { useState } from "preact/hooks";
import type { Id } from "../../core/contract";
import { useClient, useNavigate, useRoute } from "../../ui/context";
import { PaneHeader } from "../../ui/PaneHeader";
import { SkeletonRows } from "../../ui/Spinner";
import { Tabs } from "../../ui/Tabs";
import { isDirect } from "../sidebar/sections";
import { About } from "./About";
import { Files } from "./Files";
import { Members } from "./Members";
import { Pins } from "./Pins";

type Name = "about" | "members" | "pins" | "files";

export function DetailsPane({ conversationId }: { readonly conversationId: Id }) {
  const [chosen, setChosen] = useState<Name>("about");
  const conversation = useClient().conversation(conversationId).value;
  const route = useRoute();
  const navigate = useNavigate();
  const close = () => route.page === "conversation" && navigate({ ...route, at: null, pane: null });
  const isTalk = conversation ? isDirect(conversation) : false;
  const tabs = [
    { name: "about" as const, label: "About" },
    ...(conversation?.kind === "im"
      ? []
      : [{ name: "members" as const, label: "Members", count: conversation?.memberCount ?? null }]),
    { name: "pins" as const, label: "Pins" },
    { name: "files" as const, label: "Files" },
  ];
  const subtitle = conversation && (isTalk ? conversation.name : `#${conversation.name}`);
  return (
    <>
      <PaneHeader title="Details" subtitle={subtitle} onClose={close} />
      {conversation ? (
        <Tabs label="Details" tabs={tabs} chosen={chosen} onChoose={setChosen}>
          {chosen === "about" && <About conversation={conversation} />}
          {chosen === "members" && <Members conversation={conversation} />}
          {chosen === "pins" && <Pins conversationId={conversationId} />}
          {chosen === "files" && <Files conversationId={conversationId} />}
        </Tabs>
      ) : (
        <SkeletonRows />
      )}
    </>
  );
}
