import type { App, ViewName } from "./app.svelte";

const VIEWS: readonly ViewName[] = ["sessions", "alerts", "contexts", "settings", "doctor"];

/** Keys that work anywhere, unless a person types or a dialog is open. */
export function keyDown(app: App, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (app.dialog !== null || isTyping(event.target)) return;
  if (!press(app, event.key)) return;
  event.preventDefault();
}

function press(app: App, key: string): boolean {
  const view = VIEWS[Number(key) - 1];
  if (view) {
    app.view = view;
    return true;
  }
  switch (key.toLowerCase()) {
    case "n":
      if (!app.connected) return false;
      app.dialog = "new";
      return true;
    case "o":
      if (!app.connected || !app.current?.url) return false;
      void app.open(app.current.name);
      return true;
    case "/":
      app.view = "sessions";
      app.detailOpen = false;
      requestAnimationFrame(() => document.getElementById("filter")?.focus());
      return true;
    case "?":
      app.dialog = "help";
      return true;
    default:
      return false;
  }
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  );
}
