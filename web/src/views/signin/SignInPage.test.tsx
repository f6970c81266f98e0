import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createFixtureSignIn } from "../../fixtures/signIn";
import { SignInPage } from "./SignInPage";

afterEach(cleanup);

async function drawn(isDemo: boolean) {
  const signIn = createFixtureSignIn({ isSignedIn: false, isDemo });
  const onDone = vi.fn();
  render(<SignInPage session={await signIn.session()} notice="" signIn={signIn} onDone={onDone} />);
  return { signIn, onDone };
}

const type = (label: string, value: string) => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const submit = () => fireEvent.click(screen.getByRole("button", { name: "Sign in" }));

describe("the way in", () => {
  it("says what is wrong, and takes it back when one types on", async () => {
    const { onDone } = await drawn(false);
    type("Name or e-mail", "mira");
    type("Password", "guess");
    submit();
    await screen.findByRole("alert");
    type("Password", "parley");
    await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
    submit();
    await waitFor(() => expect(onDone).toHaveBeenCalledOnce());
  });

  it("asks for all three before it asks the server", async () => {
    const { signIn } = await drawn(false);
    const asked = vi.spyOn(signIn, "signIn");
    submit();
    expect((await screen.findByRole("alert")).textContent).toContain("fill in");
    expect(asked).not.toHaveBeenCalled();
  });

  it("lets one be somebody in a demo", async () => {
    const { signIn, onDone } = await drawn(true);
    const asked = vi.spyOn(signIn, "signInAs");
    fireEvent.click(screen.getByRole("button", { name: /Jonas Lindqvist/ }));
    await waitFor(() => expect(onDone).toHaveBeenCalledOnce());
    expect(asked).toHaveBeenCalledWith("U0JONAS");
  });
});
