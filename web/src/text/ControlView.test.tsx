/** Buttons and menus of apps: the app is told of the one that was used, and one that tells nobody says why. */
import { cleanup, fireEvent, waitFor } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Refusal } from "../core/contract";
import { createFixtureClient } from "../fixtures/client";
import { stage } from "../views/testing";
import { BlockKit } from "./BlockKit";
import { readBlocks } from "./blocks";
import { ActContext } from "./ControlView";

const words = (text: string) => ({ type: "plain_text", text });
const picked = { text: words("Blue"), value: "blue" };
const BLOCKS = readBlocks([
  {
    type: "actions",
    block_id: "b1",
    elements: [
      { type: "button", action_id: "go", text: words("Deploy") },
      { type: "button", action_id: "no", text: words("Destroy"), confirm: { title: words("Sure?") } },
      { type: "button", text: words("Nobody") },
      { type: "static_select", action_id: "pick", placeholder: words("Colour"), options: [picked] },
      { type: "users_select", action_id: "whom", placeholder: words("Whom") },
    ],
  },
]);

const ASKED = { title: "Sure?", text: "", action: "Yes", denial: "Cancel", isDangerous: false };

afterEach(cleanup);

function draw(act: ((action: unknown) => Promise<void>) | null) {
  return stage(
    createFixtureClient(),
    <ActContext.Provider value={act}>
      <BlockKit blocks={BLOCKS} />
    </ActContext.Provider>,
  );
}

describe("an app's controls", () => {
  it("tell the app which was used, and what of a menu was chosen", async () => {
    const act = vi.fn(async () => undefined);
    const { getByRole } = draw(act);
    fireEvent.click(getByRole("button", { name: "Deploy" }));
    await waitFor(() => expect(act).toHaveBeenLastCalledWith({ blockId: "b1", actionId: "go" }));
    fireEvent.change(getByRole("combobox", { name: "Colour" }), { target: { value: "0" } });
    const chosen = { blockId: "b1", actionId: "pick", selectedOption: picked };
    await waitFor(() => expect(act).toHaveBeenLastCalledWith(chosen));
  });

  it("ask before what the app wants to be asked about", async () => {
    const act = vi.fn(async () => undefined);
    const { getByRole, screen } = draw(act);
    screen.confirm.mockResolvedValueOnce(false);
    fireEvent.click(getByRole("button", { name: "Destroy" }));
    await waitFor(() => expect(screen.confirm).toHaveBeenCalledWith(ASKED));
    expect(act).not.toHaveBeenCalled();
    fireEvent.click(getByRole("button", { name: "Destroy" }));
    await waitFor(() => expect(act).toHaveBeenCalledTimes(1));
  });

  it("say what went wrong, and can be used again", async () => {
    const problem = new Refusal("operation_timeout", "The app does not answer.");
    const { getByRole, screen } = draw(vi.fn().mockRejectedValue(problem));
    fireEvent.click(getByRole("button", { name: "Deploy" }));
    await waitFor(() => expect(screen.fail).toHaveBeenCalledWith(problem));
    await waitFor(() => expect(getByRole("button", { name: "Deploy" })).toHaveProperty("disabled", false));
  });

  it("are out of use with a reason where nobody could be told", () => {
    const { getByRole } = draw(async () => undefined);
    for (const name of ["Nobody", "Whom"]) {
      const button = getByRole("button", { name }) as HTMLButtonElement;
      expect([button.disabled, button.title]).toEqual([true, expect.stringMatching(/./)]);
    }
    cleanup();
    expect(draw(null).getByRole("button", { name: "Deploy" })).toHaveProperty("disabled", true);
  });
});
