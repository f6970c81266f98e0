/** Start: find the place to draw in, and draw. */
import { render } from "preact";

const root = document.getElementById("root");
if (root) render(<p>Parley</p>, root);
