/** Writing: what is typed is sent as Slack's text, kept while it is not, and asked about where many would be told. */
import { cleanup, fireEvent, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createFixtureClient } from "../../fixtures/client";
import { stage } from "../testing";
import { Composer } from "./Composer";
import { EditBox } from "./EditBox";
import { makeStaging, STAGED_MAX } from "./staging";

const ID = "C0DESIGN";
const DEADLINE = { timeout: 5000 };

function open(client = createFixtureClient(), threadTs: string | null = null) {
  const send = vi.spyOn(client, "send");
  const onEditLast = vi.fn();
  const staging = makeStaging();
  const drawn = stage(
    client,
    <Composer
      conversationId={ID}
      threadTs={threadTs}
      staging={staging}
      placeholder="Message #design"
      near={() => []}
      onEditLast={onEditLast}
      alsoTo={threadTs ? "#design" : undefined}
    />,
  );
  const field = drawn.getByLabelText("Message #design") as HTMLTextAreaElement;
  const type = (said: string) => {
    field.value = said;
    field.setSelectionRange(said.length, said.length);
    fireEvent.input(field);
  };
  return { ...drawn, client, send, onEditLast, staging, field, type };
}

beforeEach(() => localStorage.clear());
afterEach(cleanup);

describe("the composer", () => {
  it("sends on Enter, and is empty then", async () => {
    const { type, field, send } = open();
    type("a < **b**");
    fireEvent.keyDown(field, { key: "Enter" });
    await waitFor(() => expect(send).toHaveBeenCalledWith(ID, "a &lt; *b*", { alsoToConversation: false }), DEADLINE);
    expect(field.value).toBe("");
  });

  it("makes a new line on Shift-Enter, and on Enter within a block of code", () => {
    const { type, field, send } = open();
    type("- a");
    fireEvent.keyDown(field, { key: "Enter", shiftKey: true });
    expect(field.value).toBe("- a\n- ");
    type("```\na");
    fireEvent.keyDown(field, { key: "Enter" });
    expect(field.value).toBe("```\na\n");
    expect(send).not.toHaveBeenCalled();
  });

  it("sends nothing that is empty or too long", () => {
    const { type, field, send, screen } = open();
    fireEvent.keyDown(field, { key: "Enter" });
    type("x".repeat(12_001));
    fireEvent.keyDown(field, { key: "Enter" });
    expect(send).not.toHaveBeenCalled();
    expect(screen.toast).toHaveBeenCalledOnce();
    expect(field.value).toHaveLength(12_001);
  });

  it("completes a name, and sends whom it means", async () => {
    const { type, field, send, findByRole } = open();
    type("hi @jon");
    await findByRole("option", { name: /Jonas/ }, DEADLINE);
    expect(field.getAttribute("aria-expanded")).toBe("true");
    fireEvent.keyDown(field, { key: "Tab" });
    expect(field.value).toBe("hi @Jonas Lindqvist ");
    fireEvent.keyDown(field, { key: "Enter" });
    await waitFor(() => expect(send).toHaveBeenCalledWith(ID, "hi <@U0JONAS>", expect.anything()), DEADLINE);
  });

  it("leaves the list of names by Escape, and stays", async () => {
    const { type, field, findByRole, queryByRole } = open();
    type("@jon");
    await findByRole("listbox", {}, DEADLINE);
    fireEvent.keyDown(field, { key: "Escape" });
    expect(queryByRole("listbox")).toBeNull();
    expect(field.value).toBe("@jon");
  });

  it("asks before all of a large channel are told, and keeps the text when the answer is no", async () => {
    const { type, field, send, screen } = open();
    screen.confirm.mockResolvedValueOnce(false);
    type("@channel hi");
    fireEvent.keyDown(field, { key: "Escape" });
    fireEvent.keyDown(field, { key: "Enter" });
    await waitFor(() => expect(screen.confirm).toHaveBeenCalledOnce(), DEADLINE);
    expect(send).not.toHaveBeenCalled();
    expect(field.value).toBe("@channel hi");
  });

  it("keeps what one did not send, by name where it names somebody", async () => {
    const client = createFixtureClient();
    client.setDraft(ID, "for <@U0JONAS> &amp; me");
    const { field, type, unmount } = open(client);
    expect(field.value).toBe("for @Jonas Lindqvist & me");
    type("for @Jonas Lindqvist");
    unmount();
    expect(client.drafts.value.get(ID)?.text).toBe("for <@U0JONAS>");
  });

  it("edits the last message on the arrow up, only when empty", () => {
    const { field, type, onEditLast } = open();
    fireEvent.keyDown(field, { key: "ArrowUp" });
    expect(onEditLast).toHaveBeenCalledOnce();
    type("a");
    fireEvent.keyDown(field, { key: "ArrowUp" });
    expect(onEditLast).toHaveBeenCalledOnce();
  });

  it("formats what is selected by keys", () => {
    const { field, type } = open();
    type("a b");
    field.setSelectionRange(2, 3);
    fireEvent.keyDown(field, { key: "b", ctrlKey: true });
    expect(field.value).toBe("a *b*");
  });

  it("sends a reply to the conversation too when asked", async () => {
    const { type, field, send, getByLabelText } = open(createFixtureClient(), "1700000000.000100");
    fireEvent.click(getByLabelText("Also send to #design"));
    type("yes");
    fireEvent.keyDown(field, { key: "Enter" });
    await waitFor(
      () => expect(send).toHaveBeenCalledWith(ID, "yes", { threadTs: "1700000000.000100", alsoToConversation: true }),
      DEADLINE,
    );
  });

  it("sends files with the words, and gives both back when they did not go", async () => {
    const client = createFixtureClient();
    const upload = vi.spyOn(client, "upload").mockRejectedValueOnce(new Error("no"));
    const { type, field, staging, screen } = open(client);
    staging.add([new File(["a"], "a.txt")]);
    type("see");
    fireEvent.keyDown(field, { key: "Enter" });
    await waitFor(() => expect(screen.fail).toHaveBeenCalledOnce(), DEADLINE);
    expect(upload).toHaveBeenCalledWith(ID, [expect.any(File)], { comment: "see" });
    expect(field.value).toBe("see");
    expect(staging.files.value).toHaveLength(1);
  });

  it("takes only so many files", () => {
    const staging = makeStaging();
    const files = Array.from({ length: STAGED_MAX + 3 }, (_, at) => new File(["a"], `${at}.txt`));
    expect(staging.add(files)).toBe(3);
    expect(staging.take()).toHaveLength(STAGED_MAX);
    expect(staging.files.value).toHaveLength(0);
  });
});

describe("a message being edited", () => {
  const edit = () => {
    const client = createFixtureClient();
    const save = vi.spyOn(client, "edit");
    const message = client.hand.say(ID, client.selfId, "hi <@U0JONAS>");
    const onDone = vi.fn();
    const drawn = stage(client, <EditBox message={message} onDone={onDone} />);
    const field = drawn.getByLabelText("Edit message") as HTMLTextAreaElement;
    return { ...drawn, save, message, onDone, field };
  };

  it("is as one typed it, and saved as Slack's text", async () => {
    const { field, save, message, onDone } = edit();
    expect(field.value).toBe("hi @Jonas Lindqvist");
    field.value = "ho @Jonas Lindqvist";
    fireEvent.input(field);
    fireEvent.keyDown(field, { key: "Enter" });
    await waitFor(() => expect(onDone).toHaveBeenCalledOnce(), DEADLINE);
    expect(save).toHaveBeenCalledWith(message, "ho <@U0JONAS>");
  });

  it("is left as it was by Escape, and by saving what was not changed", async () => {
    const { field, save, onDone } = edit();
    fireEvent.keyDown(field, { key: "Escape" });
    fireEvent.keyDown(field, { key: "Enter" });
    await waitFor(() => expect(onDone).toHaveBeenCalledTimes(2), DEADLINE);
    expect(save).not.toHaveBeenCalled();
  });
});
