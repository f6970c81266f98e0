/** Topics are written as messages are: names for people and channels, and ids for the server. */
import { cleanup, fireEvent, waitFor } from "@testing-library/preact";
import { afterEach, expect, it, vi } from "vitest";
import { createFixtureClient } from "../../fixtures/client";
import { stage } from "../testing";
import { EditableText } from "./Editable";

const ID = "C0DESIGN";

afterEach(cleanup);

function open(value: string, onSave: (value: string) => Promise<void>) {
  const client = createFixtureClient();
  const props = { conversationId: ID, term: "Topic", none: "No topic yet", canEdit: true, value, onSave };
  const drawn = stage(client, <EditableText {...props} />);
  fireEvent.click(drawn.getByRole("button", { name: "Edit the topic" }));
  const field = drawn.getByRole("textbox", { name: "Topic" }) as HTMLTextAreaElement;
  const type = (said: string) => {
    field.value = said;
    fireEvent.input(field);
  };
  return { ...drawn, client, field, type };
}

it("shows names where the topic has ids, and gives ids back", async () => {
  const onSave = vi.fn(async () => undefined);
  const client = createFixtureClient();
  const me = client.user(client.selfId).value?.label ?? "";
  const { field, type, queryByRole } = open(`ask <@${client.selfId}> &amp; see <#${ID}>`, onSave);
  const name = client.conversation(ID).value?.name ?? "";
  expect(field.value).toBe(`ask @${me} & see #${name}`);
  type(`${field.value} *now*`);
  fireEvent.keyDown(field, { key: "Enter" });
  await waitFor(() => expect(onSave).toHaveBeenCalledWith(`ask <@${client.selfId}> &amp; see <#${ID}> *now*`));
  await waitFor(() => expect(queryByRole("textbox")).toBeNull());
});

it("changes nothing on Escape, and says what is too long", async () => {
  const onSave = vi.fn(async () => undefined);
  const { field, type, getByRole, queryByRole } = open("", onSave);
  type("x".repeat(251));
  fireEvent.click(getByRole("button", { name: "Save" }));
  await waitFor(() => expect(getByRole("alert").textContent).toContain("1 too many"));
  fireEvent.keyDown(field, { key: "Escape" });
  await waitFor(() => expect(queryByRole("textbox")).toBeNull());
  expect(onSave).not.toHaveBeenCalled();
});
