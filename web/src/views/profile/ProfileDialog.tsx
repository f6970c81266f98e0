/** The card of a person: who it is, and writing to them. */
import { AtSign, MessageSquare, Pencil, SmilePlus } from "lucide-preact";
import type { Id } from "../../core/contract";
import { Button } from "../../ui/Button";
import { toConversation, useClient, useNavigate, useScreen } from "../../ui/context";
import { Dialog } from "../../ui/Dialog";
import { copy } from "../sidebar/useConversationMenu";
import { ProfileBody } from "./ProfileBody";
import css from "./ProfileBody.module.css";

interface ProfileDialogProps {
  readonly userId: Id;
  readonly onClose: () => void;
}

export function ProfileDialog({ userId, onClose }: ProfileDialogProps) {
  const client = useClient();
  const screen = useScreen();
  const navigate = useNavigate();
  const user = client.user(userId).value;
  const write = async () => {
    try {
      const id = await client.openDirect([userId]);
      onClose();
      navigate(toConversation(id));
    } catch (error) {
      screen.fail(error);
    }
  };
  const isSelf = userId === client.selfId;
  return (
    <Dialog title="Profile" size="s" onClose={onClose}>
      <ProfileBody userId={userId}>
        <div class={css.buttons}>
          {!user?.isDeactivated && !isSelf && (
            <Button kind="primary" icon={MessageSquare} data-autofocus onClick={() => void write()}>
              Message
            </Button>
          )}
          {isSelf && (
            <>
              <Button icon={Pencil} data-autofocus onClick={() => screen.open({ kind: "edit_profile" })}>
                Edit profile
              </Button>
              <Button icon={SmilePlus} onClick={() => screen.open({ kind: "status" })}>
                Status
              </Button>
            </>
          )}
          {user && (
            <Button icon={AtSign} onClick={() => void copy(screen, `@${user.name}`)}>
              Copy @{user.name}
            </Button>
          )}
        </div>
      </ProfileBody>
    </Dialog>
  );
}
