// The spaces of the workspace, asked for once.
import { api, problem, type Problem, type Shown } from "./api.ts";

let all = $state.raw<Shown["SpaceShown"][]>();
let refused = $state.raw<Problem>();
let asked = false;

async function ask(): Promise<void> {
  asked = true;
  try {
    all = (await api.get("/api/spaces")).data;
    refused = undefined;
  } catch (error) {
    refused = problem(error);
    asked = false;
  }
}

export const spaces = {
  get all(): Shown["SpaceShown"][] | undefined {
    if (!asked && !refused) queueMicrotask(() => void (asked || ask()));
    return all;
  },
  get problem(): Problem | undefined {
    return refused;
  },
  reload(): void {
    void ask();
  },
};
