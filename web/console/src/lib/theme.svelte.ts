// Light or dark: as the system has it, or as somebody chose.
export type Choice = "system" | "light" | "dark";

const KEY = "selfsame.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function kept(): Choice {
  try {
    const choice = localStorage.getItem(KEY);
    return choice === "light" || choice === "dark" ? choice : "system";
  } catch {
    return "system";
  }
}

let choice = $state<Choice>(kept());

function show(): void {
  const dark = choice === "system" ? system.matches : choice === "dark";
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

export const theme = {
  get choice(): Choice {
    return choice;
  },
  choose(wanted: Choice): void {
    choice = wanted;
    try {
      if (wanted === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, wanted);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    show();
  },
};

system.addEventListener("change", show);
show();
