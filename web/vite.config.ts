import preact from "@preact/preset-vite";
import { defineConfig } from "vite";
import { emojiTable } from "./emoji-table.ts";
import { firstScreen } from "./first-screen.ts";

// Where a running webapp is, for `npm run dev`: pages come from Vite, everything else from there.
const WEBAPP = process.env.PARLEY_WEBAPP_URL ?? "http://127.0.0.1:8080";

/** What the first screen is made of: one file, since each of many small ones is a way to the server and back. */
const FIRST_SCREEN =
  /\/web\/src\/(?:app|core|text|ui|views\/(?:composer|header|messages|notifications|sidebar|thread))\/|\/node_modules\/(?:@?preact|lucide-preact)\//;

/** What runs before the first screen's code is there. */
const BEGUN = /\/web\/src\/(?:begun|app\/first|core\/route|ui\/stored)\.ts$/;

export default defineConfig({
  plugins: [preact(), emojiTable(), firstScreen("client")],
  build: {
    outDir: process.env.PARLEY_WEB_OUT ?? "../svc/webapp/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the page's policy allows no data: in scripts and styles
    target: "es2022",
    chunkSizeWarningLimit: 400,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "begun", test: BEGUN, priority: 2 },
            { name: "client", test: FIRST_SCREEN, priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    proxy: { "/api": WEBAPP, "/web": WEBAPP, "/files-pri": WEBAPP, "/upload": WEBAPP },
  },
});
