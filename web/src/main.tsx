/** Start: what the first screen needs is asked for at once, beside the code that shows it. */
import "@fontsource-variable/inter";
import "@fontsource-variable/inter/wght-italic.css";
import "./ui/tokens.css";
import "./ui/base.css";
import { begin } from "./begun";

// While developing, ?fixture draws a workspace in memory: nobody is asked for that.
const begun = import.meta.env.DEV ? null : begin(location);
void import("./start").then(({ start }) => start(begun));
