/** What refusals are called when a person reads them. Pure. */
import { Refusal } from "../contract";

const WORDS: Readonly<Record<string, string>> = {
  account_inactive: "This account has been deactivated.",
  already_in_channel: "Already in this channel.",
  already_pinned: "This message is pinned already.",
  already_reacted: "You have reacted with this already.",
  already_starred: "You have saved this already.",
  cant_archive_general: "The general channel cannot be archived.",
  cant_delete_message: "You cannot delete this message.",
  cant_invite_self: "You cannot invite yourself.",
  cant_kick_from_general: "Nobody can be removed from the general channel.",
  cant_kick_self: "To go yourself, leave the channel.",
  cant_leave_general: "The general channel cannot be left.",
  cant_update_message: "You cannot edit this message.",
  channel_not_found: "There is no such conversation, or you may not see it.",
  edit_window_closed: "This message can no longer be edited.",
  email_taken: "Somebody has this address already.",
  file_not_found: "This file is not there any more.",
  file_upload_size_restricted: "This file is too large.",
  file_uploads_disabled: "Files cannot be uploaded here.",
  file_uploads_storage_limit_reached: "This workspace has no room for more files.",
  storage_limit_reached: "This workspace has no room for more files.",
  invalid_auth: "You are signed out. Sign in again.",
  invalid_code: "This invitation is not good any more. Ask for a new one.",
  invalid_cursor: "This list has changed. Open it again.",
  invalid_email: "This is not an e-mail address.",
  invalid_login: "Name or password is wrong.",
  invalid_name: "This name cannot be used. Use small letters, digits, - and _.",
  invalid_name_maxlength: "This name is too long.",
  invalid_name_punctuation: "A name needs at least one letter or digit.",
  invalid_name_required: "Give it a name.",
  invalid_name_specials: "This name cannot be used. Use small letters, digits, - and _.",
  invalid_origin: "This page was not opened where the workspace is. Reload it.",
  invalid_time: "This time cannot be used.",
  invitation_not_found: "This invitation is not good any more. Ask for a new one.",
  is_archived: "This channel is archived.",
  last_member: "You are the last one here: archive the channel instead.",
  message_not_found: "This message is not there any more.",
  method_not_supported_for_channel_type: "That cannot be done in this kind of conversation.",
  msg_too_long: "This message is too long.",
  name_taken: "This name is taken.",
  no_pin: "This message is not pinned.",
  no_query: "Say what to look for.",
  no_reaction: "You have not reacted with this.",
  no_text: "A message needs some text.",
  not_admin: "Only admins may do that.",
  not_authed: "You are signed out. Sign in again.",
  not_authorized: "You are not allowed to do that.",
  not_in_channel: "Join this channel first.",
  not_pinnable: "This message cannot be pinned.",
  not_starred: "You have not saved this.",
  offline: "You are offline.",
  password_too_short: "This password is too short.",
  password_too_weak: "This password is too easy to guess.",
  permission_denied: "You are not allowed to do that.",
  ratelimited: "That was too much at once. Wait a moment and try again.",
  rate_limited: "That was too much at once. Wait a moment and try again.",
  restricted_action: "You are not allowed to do that.",
  thread_not_found: "This thread is not there any more.",
  time_in_past: "This time is over.",
  time_too_far: "That is too far away: at most 120 days.",
  token_expired: "You were signed out after a long time. Sign in again.",
  token_revoked: "You are signed out. Sign in again.",
  too_many_emoji: "This message has too many different reactions.",
  too_many_pins: "This conversation has too many pinned messages.",
  too_many_reactions: "You have put too many reactions on this message.",
  too_many_tries: "Too many tries. Wait a moment and try again.",
  too_many_users: "These are too many people.",
  unreachable: "The server does not answer. Check your connection.",
  user_disabled: "This person is not in the workspace any more.",
  user_is_restricted: "This person may not do that.",
  user_not_found: "There is no such person here.",
  users_not_found: "There is no such person here.",
  wrong_password: "This password is wrong.",
};

/** What to show for a code; a code without words of its own is told as it is, so that it can be looked up. */
export function wordsFor(code: string): string {
  const known = WORDS[code];
  if (known !== undefined) return known;
  if (code === "service_unavailable" || code === "internal_error" || /^http_5/.test(code))
    return "The server has trouble. Try again in a moment.";
  return `That did not work (${code}).`;
}

export const refusal = (code: string, retryAfterS: number | null = null): Refusal =>
  new Refusal(code, wordsFor(code), retryAfterS);
