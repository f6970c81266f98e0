/** Adding people to a conversation. */
import { useCallback, useState } from "preact/hooks";
import type { Id, User } from "../../core/contract";
import { Button } from "../../ui/Button";
import { toConversation, useClient, useNavigate, useScreen } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { useLoaded } from "../../ui/useLoaded";
import { wordsOf } from "../../ui/words";
import { Problem } from "../signin/Problem";
import form from "./form.module.css";
import { PeoplePicker } from "./PeoplePicker";

interface AddMembersProps {
  readonly conversationId: Id;
  readonly onClose: () => void;
}

export function AddMembers({ conversationId, onClose }: AddMembersProps) {
  const client = useClient();
  const screen = useScreen();
  const navigate = useNavigate();
  const conversation = client.conversation(conversationId).value;
  const [chosen, setChosen] = useState<readonly User[]>([]);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  // The first page is enough to leave out those of small conversations; the server leaves out the others.
  const members = useLoaded(useCallback(() => client.members(conversationId, ""), [client, conversationId]));
  const isTalk = conversation?.kind === "mpim";
  const name = isTalk ? "this conversation" : `#${conversation?.name ?? ""}`;
  const add = async () => {
    setBusy(true);
    const ids = chosen.map((user) => user.id);
    try {
      if (isTalk) {
        // A direct conversation is its people: with others it is another one.
        navigate(toConversation(await client.openDirect([...conversation.userIds, ...ids])));
      } else {
        await client.invite(conversationId, ids);
        screen.toast(`${ids.length === 1 ? chosen[0]?.label : `${ids.length} people`} added to ${name}`, {
          kind: "success",
        });
      }
      onClose();
    } catch (error) {
      setProblem(wordsOf(error));
      setBusy(false);
    }
  };
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button kind="primary" type="submit" isBusy={isBusy} disabled={chosen.length === 0}>
        Add
      </Button>
    </>
  );
  return (
    <Dialog
      title={`Add people to ${name}`}
      onClose={onClose}
      footer={footer}
      onSubmit={() => chosen.length > 0 && void add()}
    >
      <div class={form.form}>
        <Problem words={problem} />
        <PeoplePicker
          label="Whom?"
          chosen={chosen}
          onChange={setChosen}
          without={members.value?.ids ?? [client.selfId]}
          most={isTalk ? 8 - conversation.userIds.length : 100}
        />
      </div>
    </Dialog>
  );
}
