/** The present moment, for ages and charts. Ticks only while the window can be seen. */
class Clock {
  now = $state(Date.now());
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly everyMs: number) {}

  start(): () => void {
    const follow = () => {
      clearInterval(this.#timer);
      this.#timer = undefined;
      if (document.hidden) return;
      this.now = Date.now();
      this.#timer = setInterval(() => (this.now = Date.now()), this.everyMs);
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      clearInterval(this.#timer);
      document.removeEventListener("visibilitychange", follow);
    };
  }
}

/** Coarse: ages are given in minutes. */
export const clock = new Clock(15_000);

/** Fine: started only by what shows seconds. */
export function stopwatch(): Clock {
  return new Clock(1_000);
}
