/** Runs a task with the next frame; at once when the window is hidden and draws no frames. */
export function withNextFrame(task: () => void): void {
  if (document.hidden) queueMicrotask(task);
  else requestAnimationFrame(task);
}
