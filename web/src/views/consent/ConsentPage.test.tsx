import { cleanup, configure, fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Refusal } from "../../core/contract";
import { createFixtureSignIn } from "../../fixtures/signIn";
import { ConsentPage } from "./ConsentPage";

afterEach(cleanup);
// What is waited for comes in a moment, or on a busy machine in several.
configure({ asyncUtilTimeout: 20_000 });
vi.setConfig({ testTimeout: 60_000 });

function drawn(query = "client_id=1.2") {
  const signIn = createFixtureSignIn();
  const go = vi.fn();
  render(<ConsentPage asked={{ isFirstVersion: false, query }} signIn={signIn} go={go} />);
  return { signIn, go };
}

describe("consent", () => {
  it("says what the app may, as itself and in one's name, and where one is sent", async () => {
    const { go } = drawn();
    await screen.findByRole("heading", { name: /Release Train/, level: 1 });
    expect(screen.getAllByRole("listitem").map((each) => each.textContent)).toEqual([
      "chat:write",
      "channels:read",
      "search:read",
    ]);
    screen.getByText(/train\.example/);
    fireEvent.click(screen.getByRole("button", { name: "Allow" }));
    await waitFor(() => expect(go).toHaveBeenCalledExactlyOnceWith("https://train.example/back?code=1"));
  });

  it("goes back without anything when one does not agree", async () => {
    const { signIn, go } = drawn();
    const agree = vi.spyOn(signIn, "agree");
    fireEvent.click(await screen.findByRole("button", { name: "Cancel" }));
    expect(go).toHaveBeenCalledExactlyOnceWith("https://train.example/back?error=access_denied");
    expect(agree).not.toHaveBeenCalled();
  });

  it("has one choose where the app posts, by the keyboard too, and lets it nowhere else", async () => {
    const { signIn, go } = drawn("client_id=1.2&scope=incoming-webhook");
    const agree = vi.spyOn(signIn, "agree");
    const field = await screen.findByRole("combobox", { name: "Where may Release Train post?" });
    expect(screen.getAllByRole("option")).toHaveLength(5);
    fireEvent.click(screen.getByRole("button", { name: "Allow" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Choose where");
    expect(agree).not.toHaveBeenCalled();

    fireEvent.input(field, { target: { value: "#REL" } });
    await waitFor(() => expect(screen.getAllByRole("option")).toHaveLength(2));
    fireEvent.input(field, { target: { value: "nowhere" } });
    await screen.findByText(/None of your conversations/);
    fireEvent.input(field, { target: { value: "crew" } });
    expect((await screen.findByRole("option")).textContent).toBe("release-crewPrivate channel");
    fireEvent.keyDown(field, { key: "Enter" });
    const change = await screen.findByRole("button", { name: "Change" });
    expect(document.activeElement).toBe(change);
    fireEvent.click(change);
    const again = await screen.findByRole("combobox");
    expect(document.activeElement).toBe(again);
    fireEvent.keyDown(again, { key: "ArrowDown" });
    fireEvent.keyDown(again, { key: "ArrowDown" });
    fireEvent.keyDown(again, { key: "Enter" });
    await screen.findByText("releases");
    fireEvent.click(screen.getByRole("button", { name: "Allow" }));
    await waitFor(() => expect(go).toHaveBeenCalledOnce());
    expect(agree).toHaveBeenCalledExactlyOnceWith(expect.anything(), "C2");
  });

  it("says when one's conversations do not come, and asks again", async () => {
    const signIn = createFixtureSignIn();
    vi.spyOn(signIn, "places").mockRejectedValueOnce(new Refusal("ratelimited", "Wait a moment."));
    render(
      <ConsentPage
        asked={{ isFirstVersion: false, query: "client_id=1.2&scope=incoming-webhook" }}
        signIn={signIn}
        go={vi.fn()}
      />,
    );
    await screen.findByText("Wait a moment.");
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("combobox");
  });

  it("says what went wrong, and sends nobody away", async () => {
    const { signIn, go } = drawn();
    vi.spyOn(signIn, "agree").mockRejectedValue(new Refusal("not_an_admin", "Only admins may do that."));
    fireEvent.click(await screen.findByRole("button", { name: "Allow" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Only admins");
    expect(go).not.toHaveBeenCalled();
  });

  it("says so of an address that asks for nothing", async () => {
    drawn("");
    await screen.findByRole("heading", { name: "This app cannot be let in" });
  });
});
