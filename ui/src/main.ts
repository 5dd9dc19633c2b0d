import "@fontsource-variable/atkinson-hyperlegible-next/wght.css";
import "@fontsource-variable/atkinson-hyperlegible-mono/wght.css";
import "./tokens.css";
import "./base.css";
import { mount } from "svelte";
import MizzenWindow from "./MizzenWindow.svelte";
import { App } from "./state/app.svelte";
import { withNextFrame } from "./state/frame";
import type { Backend } from "./backend/backend";

async function pickBackend(): Promise<Backend> {
  if ("__TAURI_INTERNALS__" in window) return (await import("./backend/tauri")).tauri;
  return (await import("./backend/fake")).fromAddress(location.search);
}

const app = new App(await pickBackend(), withNextFrame);
mount(MizzenWindow, { target: document.body, props: { app } });
void app.start().then(() => app.backend.uiReady());
