// Something that is asked for: not there yet, there, or refused. Asked again when what it depends on changes.
import { problem, type Problem } from "./api.ts";

export class Resource<T> {
  value = $state.raw<T | undefined>();
  problem = $state.raw<Problem | undefined>();
  loading = $state(true);
  #round = $state(0);

  /**
   * `ask` is called at once and whenever something changes that it read before its first wait; with `every`, again
   * after so many milliseconds while the page is seen. Where it returns undefined there is nothing to ask.
   */
  constructor(ask: (signal: AbortSignal) => Promise<T> | undefined, every?: number) {
    $effect(() => {
      void this.#round;
      const abort = new AbortController();
      const asked = ask(abort.signal);
      if (!asked) {
        this.value = undefined;
        this.problem = undefined;
        this.loading = false;
        return;
      }
      this.loading = true;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const again = () => {
        if (every === undefined || abort.signal.aborted) return;
        timer = setTimeout(() => (document.hidden ? again() : this.reload()), every);
      };
      asked
        .then(
          (value) => {
            if (abort.signal.aborted) return;
            this.value = value;
            this.problem = undefined;
          },
          (error: unknown) => {
            if (!abort.signal.aborted) this.problem = problem(error);
          },
        )
        .finally(() => {
          if (abort.signal.aborted) return;
          this.loading = false;
          again();
        });
      return () => {
        abort.abort();
        clearTimeout(timer);
      };
    });
  }

  reload(): void {
    this.#round += 1;
  }
}

/** Something that a person does: under way, done, or refused. */
export class Action<A extends unknown[], T = unknown> {
  busy = $state(false);
  problem = $state.raw<Problem | undefined>();
  readonly #act: (...args: A) => Promise<T>;

  constructor(act: (...args: A) => Promise<T>) {
    this.#act = act;
  }

  run = async (...args: A): Promise<T | undefined> => {
    if (this.busy) return undefined;
    this.busy = true;
    this.problem = undefined;
    try {
      return await this.#act(...args);
    } catch (error) {
      this.problem = problem(error);
      return undefined;
    } finally {
      this.busy = false;
    }
  };
}
