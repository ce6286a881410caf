// The journeys of docs/reference/journeys.md that are marked tested, by their numbers, as a person makes them.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { signIn, visit, withBrowser } from "../support/browser.mjs";
import { collect, OWNER, SPACE, until, withWorld } from "../support/world.mjs";

const binary = process.env.SELFSAME_BINARY;
const at = (path) => `/console/s/${SPACE}${path}`;

test("journeys", { timeout: 110_000 }, (t) =>
  withWorld(binary, (world) =>
    withBrowser(async (browser) => {
      const { page, context } = await visit(browser, world);
      const title = (name) => page.getByRole("heading", { level: 1, name }).waitFor();

      await t.test("3, 2: a wrong password is said; the right one leads to what was asked for", async () => {
        await page.goto(at("/sources"));
        await page.getByLabel("E-mail").fill(OWNER.email);
        await page.getByLabel("Password").fill("not this one at all");
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByRole("alert").waitFor();
        assert.equal(await page.getByLabel("E-mail").inputValue(), OWNER.email);
        await page.getByLabel("Password").fill(OWNER.password);
        await page.keyboard.press("Enter");
        await title("Sources");
      });

      await t.test("5: the switch of colours holds over visits", async () => {
        await page.getByLabel("Colours").selectOption("dark");
        await page.reload();
        await title("Sources");
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
        await page.getByLabel("Colours").selectOption("system");
      });

      await t.test("7 to 10: a source, its snippets, the first event, what became of it", async () => {
        await page.goto(at("/start"));
        await page.getByLabel("Name").fill("Outlet");
        await page.getByRole("button", { name: "Make the source" }).click();
        const snippet = await page.getByLabel("the snippet for Browser", { exact: true }).textContent();
        for (const name of ["Node", "Python", "curl", "iOS", "Android"]) {
          await page.getByRole("button", { name, exact: true }).click();
          await page.getByLabel(`the snippet for ${name}`, { exact: true }).waitFor();
        }
        await page.getByText("Waiting for the first event").waitFor();
        await withPage(snippet, async (url) => {
          const shop = await browser.newPage();
          await shop.goto(url);
          await page.getByText("Your first event is here").waitFor();
          await shop.close();
        });
        await page.getByRole("link", { name: "What became of it" }).click();
        await page.getByRole("heading", { name: "Decided" }).waitFor();
        await page.getByText("Accepted", { exact: true }).first().waitFor();
      });

      await t.test("11, 12: Home says what needs attention, the worst first, and leads there", async () => {
        await page.goto(at(""));
        const first = page.getByRole("region", { name: "Needs attention" }).getByRole("listitem").first();
        assert.match(await first.textContent(), /Old CRM/);
        await first.getByRole("link").click();
        await title("Old CRM");
        await page.getByText("Paused: the receiver is gone").waitFor();
        await page.getByRole("link", { name: "Attempts", exact: true }).click();
        await page.getByRole("cell", { name: "410" }).first().waitFor();
      });

      await t.test("14: live events by name, paused, one looked at", async () => {
        await page.goto(at("/events"));
        await page.getByLabel("Event name").fill("Size Asked");
        await page.keyboard.press("Enter");
        await page.getByText("Live", { exact: true }).first().waitFor();
        await until(async () => {
          await collect(world, "key-of-web-shop", ["Size Asked", "Colour Asked"].map((event) => ({ type: "track", anonymousId: "laptop-of-ada", event })));
          return (await page.getByRole("region", { name: "Events" }).getByRole("listitem").count()) > 0;
        }, "an event shows");
        assert.equal(await page.getByText("Colour Asked").count(), 0);
        await page.getByRole("button", { name: "Pause" }).click();
        await page.getByRole("region", { name: "Events" }).getByRole("listitem").first().getByRole("button").click();
        await page.getByRole("region", { name: "The chosen event" }).getByText("Verdict").waitFor();
        assert.match(page.url(), /event=Size\+Asked/);
      });

      await t.test("16, 19: a write key is added and the old one revoked; the source gets another name", async () => {
        await page.goto(at("/sources/crm?tab=settings"));
        await page.getByRole("button", { name: "Add a key" }).click();
        await until(async () => (await page.getByRole("button", { name: "Revoke" }).count()) >= 2, "two keys");
        await page.getByRole("button", { name: "Revoke" }).first().click();
        await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
        await page.getByText("revoked", { exact: true }).waitFor();
        await page.getByLabel("Name", { exact: true }).fill("CRM of the shop");
        await page.getByRole("button", { name: "Save" }).click();
        await title("CRM of the shop");
      });

      await t.test("17, 18: a rejected event is mended and sent again", async () => {
        await page.goto(at("/sources/ios-app?tab=rejected"));
        await page.getByRole("region", { name: "Rejected events" }).getByRole("button").first().click();
        const field = page.getByLabel("What was sent");
        const event = JSON.parse(await field.inputValue());
        await field.fill(JSON.stringify({ ...event, messageId: "mended", anonymousId: "phone-of-ada", event: "Mended" }));
        await page.getByRole("button", { name: "Send again" }).click();
        await page.getByText("It was sent again").waitFor();
        await until(async () => (await world.ask("GET", "/api/trace?message_id=mended")).body.data[0]?.event.verdict === "accepted", "it is accepted");
      });

      await t.test("20 to 22: a trace by message id, the request of an attempt, the command", async () => {
        await page.goto(at("/events/ada-7"));
        for (const hop of ["Received", "Decided", "Changed", "Delivered"]) await page.getByRole("heading", { name: hop, exact: true }).waitFor();
        await page.getByRole("button", { name: "Request" }).first().click();
        await page.getByLabel("the body of the request", { exact: true }).first().waitFor();
        await page.locator("summary", { hasText: "Copy as" }).click();
        await page.getByText("selfsame trace ada-7").waitFor();
        await page.keyboard.press("Escape");
      });

      await t.test("6, 23 to 25: who calls is found by keyboard; what they did, what is known", async () => {
        await page.goto(at(""));
        await title("Home");
        await page.keyboard.press("/");
        await page.keyboard.type("ada@example.com");
        await page.keyboard.press("Enter");
        await page.getByRole("link", { name: /Ada Lovelace/ }).focus();
        await page.keyboard.press("Enter");
        await title("Ada Lovelace");
        const timeline = page.getByRole("region", { name: "Timeline" });
        for (const device of ["Chrome on Mac", "Safari on iPhone", "Firefox on Windows"]) await timeline.getByText(device).first().waitFor();
        await page.getByLabel("Only events called").selectOption("Order Completed");
        await until(async () => (await timeline.getByText("Newsletter Opened").count()) === 0, "only orders");
        await page.getByRole("link", { name: /^Traits/ }).first().click();
        await page.getByLabel("Find a trait").fill("phone");
        await page.getByRole("cell", { name: "+442071234567" }).waitFor();
        await page.getByRole("link", { name: "crm" }).waitFor();
      });

      await t.test("27 to 29: why two visits are one person, how it came to be, and that they are not", async () => {
        await page.goto(at("/profiles/users/user_id:grace?tab=identity"));
        await page.getByRole("button", { name: /laptop-of-grace/ }).click();
        await page.getByRole("button", { name: /phone-of-grace/ }).click();
        await page.getByText("Same profile", { exact: true }).waitFor();
        await page.getByLabel("Through time", { exact: true }).fill("0");
        await page.getByText("Before any link").waitFor();
        await page.getByRole("button", { name: "Not the same person?" }).click();
        await page.getByLabel("Reason").fill("A borrowed phone");
        await page.getByRole("button", { name: "Set them apart" }).click();
        await page.getByText("They are apart").waitFor();
        const { body } = await world.ask("GET", `/api/spaces/${SPACE}/identity/why?from=anonymous_id:laptop-of-grace&to=anonymous_id:phone-of-grace`);
        assert.equal(body.verdict, "different_profiles");
      });

      await t.test("31 to 33: a tool is found, what is missing is said, it is connected and tried", async () => {
        await page.goto(at("/catalogue"));
        await page.getByLabel("Find a tool").fill("webhook");
        await page.getByRole("link", { name: /Signed webhook/ }).click();
        await page.getByRole("button", { name: "Add it" }).click();
        await page.getByText("This is needed.").waitFor();
        await page.getByLabel("Name", { exact: true }).fill("Data team");
        await page.getByLabel("Address").fill(`${world.outside.url}/good`);
        await page.getByRole("button", { name: "Add it" }).click();
        assert.match(await page.getByLabel("the secret", { exact: true }).textContent(), /^whsec_/);
        await page.getByRole("link", { name: "I have kept it" }).click();
        await title("Data team");
        await page.getByRole("button", { name: "Send a test event" }).click();
        await page.getByText("taken", { exact: true }).waitFor();
        assert.ok(world.outside.taken.some(({ path }) => path === "/good"));
      });

      await t.test("34, 36: the overview adds up; a period is looked at, sent again, and ends", async () => {
        await page.goto(at("/destinations/warehouse"));
        await page.getByRole("heading", { name: /What became of/ }).waitFor();
        await page.getByRole("link", { name: "Replays" }).click();
        await page.getByRole("button", { name: "Look first" }).click();
        await page.getByText("would be looked at").waitFor();
        await page.getByRole("button", { name: "Send them" }).click();
        await page.getByText("finished", { exact: true }).waitFor();
      });

      await t.test("38, 39: an audience is built with its size beside, and explained", async () => {
        await page.goto(at("/define"));
        await page.getByLabel("Name", { exact: true }).fill("Ticket openers");
        await page.getByLabel("Which").fill("Ticket Opened");
        await page.getByRole("button", { name: "Add", exact: true }).click();
        assert.equal(await page.getByLabel("The condition").inputValue(), "event('Ticket Opened').within(30 days).count() >= 1");
        await page.getByText(/^of \d+ profiles/).waitFor();
        await page.getByRole("button", { name: "Make the audience" }).click();
        await title("Ticket openers");
        await until(async () => (await world.ask("GET", `/api/spaces/${SPACE}/definitions/ticket_openers`)).body.state === "live", "it is live");
        await page.reload();
        await page.getByRole("button", { name: "Why?" }).first().click();
        await page.getByText("is in it", { exact: true }).waitFor();
      });

      await t.test("4: a session that ended is said, and leads back to the same address", async () => {
        await page.goto(at("/destinations"));
        await title("Destinations");
        await context.clearCookies();
        await page.getByRole("link", { name: "Sources", exact: true }).click();
        await page.getByText("Your session has ended").waitFor();
        await page.getByLabel("E-mail").fill(OWNER.email);
        await page.getByLabel("Password").fill(OWNER.password);
        await page.keyboard.press("Enter");
        await title("Sources");
      });

      await context.close();
      const again = await visit(browser, world);
      await signIn(again.page);
      await again.context.close();
    }),
  ),
);

/** A page of a customer on an origin of its own, with the snippet in its head. */
async function withPage(snippet, use) {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><head><title>A shop</title>${snippet}</head><body>Shop</body>`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${server.address().port}/`);
  } finally {
    server.close();
  }
}
