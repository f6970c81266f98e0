/** Whichever dialog is asked for. All of them come in one piece of code, after the first screen. */
import type { SignIn } from "../../core/contract";
import type { DialogRequest } from "../../ui/context";
import { PreferencesDialog } from "../preferences/PreferencesDialog";
import { EditProfile } from "../profile/EditProfile";
import { ProfileDialog } from "../profile/ProfileDialog";
import { StatusDialog } from "../profile/StatusDialog";
import { Switcher } from "../switcher/Switcher";
import { AddMembers } from "./AddMembers";
import { ChangePassword } from "./ChangePassword";
import { CreateChannel } from "./CreateChannel";
import { Invite } from "./Invite";
import { NewMessage } from "./NewMessage";
import { Shortcuts } from "./Shortcuts";

interface DialogsProps {
  readonly request: DialogRequest;
  readonly onClose: () => void;
  readonly signIn: SignIn;
}

export function Dialogs({ request, onClose, signIn }: DialogsProps) {
  switch (request.kind) {
    case "profile":
      return <ProfileDialog key={request.userId} userId={request.userId} onClose={onClose} />;
    case "edit_profile":
      return <EditProfile onClose={onClose} />;
    case "status":
      return <StatusDialog onClose={onClose} />;
    case "preferences":
      return <PreferencesDialog tab={request.tab} onClose={onClose} />;
    case "password":
      return <ChangePassword signIn={signIn} onClose={onClose} />;
    case "shortcuts":
      return <Shortcuts onClose={onClose} />;
    case "switcher":
      return <Switcher onClose={onClose} />;
    case "create_channel":
      return <CreateChannel name={request.name} onClose={onClose} />;
    case "new_message":
      return <NewMessage onClose={onClose} />;
    case "add_members":
      return <AddMembers conversationId={request.conversationId} onClose={onClose} />;
    case "invite":
      return <Invite onClose={onClose} />;
  }
}
