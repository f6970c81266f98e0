import preact from "@preact/preset-vite";
import { defineConfig } from "vite";
import { emojiTable } from "./emoji-table.ts";

// Where a running webapp is, for `npm run dev`: pages come from Vite, everything else from there.
const WEBAPP = process.env.PARLEY_WEBAPP_URL ?? "http://127.0.0.1:8080";

/** What the first screen is made of: one file of it, since each of many small ones is a way to the server and back. */
const FIRST_SCREEN =
  /\/web\/src\/(?:app|core|text|ui|views\/(?:composer|header|messages|notifications|sidebar|thread))\/|\/node_modules\/(?:@?preact|lucide-preact)\//;

export default defineConfig({
  plugins: [preact(), emojiTable()],
  build: {
    outDir: process.env.PARLEY_WEB_OUT ?? "../svc/webapp/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the page's policy allows no data: in scripts and styles
    target: "es2022",
    chunkSizeWarningLimit: 400,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "client", test: FIRST_SCREEN }] } } },
  },
  server: {
    proxy: { "/api": WEBAPP, "/web": WEBAPP, "/files-pri": WEBAPP, "/upload": WEBAPP },
  },
});
