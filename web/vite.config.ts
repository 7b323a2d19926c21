// Five pages, one folder a person; built into dist/ with hashed assets, no third-party host.
import { defineConfig } from "vite";

const broker = process.env.MINATO_BROKER ?? "http://127.0.0.1:8080";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: ["chrome94", "safari15", "firefox93"],
    cssMinify: "lightningcss",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: ["index.html", "p.html", "nurse.html", "doctor.html", "board.html"],
    },
  },
  server: {
    proxy: {
      "/api": broker,
      "/relay": broker,
      "/ws": { target: broker, ws: true },
    },
  },
});
