/** Signing in and out, joining a company. */
import type { Device } from "../devices.ts";
import { h, type Child } from "../dom.ts";

export interface AccountActions {
  signIn(userId: string, email: string, name: string): void;
  signOut(): void;
  join(groupId: string, name: string, plan: string): void;
}

const people = [
  { userId: "ada", email: "ada@example.com", name: "Ada Lovelace" },
  { userId: "grace", email: "grace@example.com", name: "Grace Hopper" },
  { userId: "emmy", email: "emmy@example.com", name: "Emmy Noether" },
];

export function accountPage(device: Device, actions: AccountActions): Child[] {
  const { userId, groupId } = device.identity;
  return userId === null ? signInPage(actions) : memberPage(userId, groupId, actions);
}

function signInPage(actions: AccountActions): Child[] {
  const userId = field("User id", "user-id", "text", "ada", "username");
  const email = field("E-mail", "email", "email", "ada@example.com", "email");
  const name = field("Name", "name", "text", "Ada Lovelace", "name");
  const fill = (person: (typeof people)[number]) => {
    userId.input.value = person.userId;
    email.input.value = person.email;
    name.input.value = person.name;
  };
  return [
    h("h1", { tabindex: -1 }, "Sign in"),
    h("p", { class: "quiet" }, "No password: be whoever you like. The shop calls identify with what you enter."),
    h("p", { class: "chips" }, people.map((person) => h("button", { type: "button", click: () => fill(person) }, person.name))),
    form("Sign in", [userId.row, email.row, name.row], () =>
      actions.signIn(userId.input.value.trim(), email.input.value.trim(), name.input.value.trim()),
    ),
  ];
}

function memberPage(userId: string, groupId: string | null, actions: AccountActions): Child[] {
  const id = field("Company id", "group-id", "text", groupId ?? "acme", "off");
  const name = field("Company", "group-name", "text", "Acme Ltd", "organization");
  const plan = field("Plan", "group-plan", "text", "trade", "off");
  return [
    h("h1", { tabindex: -1 }, `Hello, ${userId}`),
    h("p", {}, h("button", { type: "button", "data-key": "sign-out", click: () => actions.signOut() }, "Sign out")),
    h("h2", {}, "Buy for a company"),
    groupId === null ? null : h("p", { class: "quiet" }, `You are with ${groupId}.`),
    form("Join", [id.row, name.row, plan.row], () =>
      actions.join(id.input.value.trim(), name.input.value.trim(), plan.input.value.trim()),
    ),
  ];
}

function field(label: string, name: string, type: string, value: string, autocomplete: string) {
  const input = h("input", { id: name, name, type, value, autocomplete, required: true, "data-key": name });
  return { input, row: h("label", { for: name }, h("span", {}, label), input) };
}

function form(text: string, rows: HTMLElement[], submit: () => void): HTMLElement {
  return h(
    "form",
    {
      submit: (event) => {
        event.preventDefault();
        submit();
      },
    },
    rows,
    h("button", { class: "primary", "data-key": `submit-${text}` }, text),
  );
}
