/** How tall a row will be, before it was drawn: near enough that what is below it hardly moves when it is. Pure. */
import type { FileInfo, Message, Row } from "../../core/contract";

/** Pixels of what rows are made of, as `MessageRow.module.css` and `RowView.module.css` have them. */
const DAY_PX = 49;
const UNREAD_PX = 20;
const BEGINNING_PX = 220;
const NAME_PX = 21;
const LINE_PX = 22;
const CHARACTER_PX = 7.1;
const BESIDE_PX = 88;
const WORDS_MAX_PX = 960;
const REACTIONS_PX = 32;
const THREAD_PX = 34;
const ATTACHMENT_PX = 90;
const FILE_PX = 66;
const PICTURE_PX = 260;

/** `width`: of the list, in pixels. */
export function guessFor(width: number, isCompact: boolean): (row: Row) => number {
  const characters = Math.max(10, Math.min(width - BESIDE_PX, WORDS_MAX_PX) / CHARACTER_PX);
  return (row) => {
    switch (row.kind) {
      case "day":
        return DAY_PX;
      case "unread":
        return UNREAD_PX;
      case "beginning":
        return BEGINNING_PX;
      case "message":
        return ofMessage(row.message, row.isContinued, characters, isCompact);
    }
  };
}

function ofMessage(message: Message, isContinued: boolean, characters: number, isCompact: boolean): number {
  const frame = isCompact ? 2 : isContinued ? 4 : 10 + NAME_PX;
  return (
    frame +
    LINE_PX * lines(message.text, characters) +
    (message.reactions.length > 0 ? REACTIONS_PX : 0) +
    (message.replyCount > 0 ? THREAD_PX : 0) +
    ATTACHMENT_PX * message.attachments.length +
    message.files.reduce((sum, file) => sum + ofFile(file), 0)
  );
}

const ofFile = (file: FileInfo): number => (file.kind === "image" ? PICTURE_PX : FILE_PX);

function lines(text: string, characters: number): number {
  if (!text.includes("\n")) return Math.max(1, Math.ceil(text.length / characters));
  return text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / characters)), 0);
}
