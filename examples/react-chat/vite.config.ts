import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const standIn = "http://127.0.0.1:8787"; // `make serve`, for `npm run dev`

export default defineConfig({
  base: "./",
  plugins: [react()],
  server: { proxy: { "/assistant": standIn, "/fake": standIn } },
  // bookmore-sdk is a link into this repository, and must use the app's React. Installed from npm, it needs none of this.
  resolve: { preserveSymlinks: true },
  test: { environment: "happy-dom", server: { deps: { inline: ["bookmore-sdk"] } } },
});
