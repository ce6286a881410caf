// Every screen in both themes: no error, nothing asked of elsewhere, nothing wrong for axe, a picture for the documents.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { test } from "node:test";
import { signIn, violations, visit, withBrowser } from "../support/browser.mjs";
import { SCREENS } from "../support/screens.mjs";
import { HOSTILE_SPACE, SPACE, withWorld } from "../support/world.mjs";

const binary = process.env.SELFSAME_BINARY;
const pictures = process.env.SHOT_DIR;
if (pictures) await mkdir(pictures, { recursive: true });

test("the console", { timeout: 110_000 }, (t) =>
  withWorld(binary, (world) =>
    withBrowser(async (browser) => {
      const { page, context } = await visit(browser, world);
      const state = await signIn(page);
      await context.close();

      for (const theme of ["light", "dark"]) {
        const { page, seen, context } = await visit(browser, world, { theme, state });
        for (const [name, address, there] of SCREENS) {
          await t.test(`${name}, ${theme}`, async () => {
            seen.errors.length = 0;
            await page.goto(address);
            await page.getByText(there).first().waitFor();
            await page.waitForFunction(() => document.querySelector('#main [role="status"] .unseen')?.textContent !== "Loading");
            assert.deepEqual(await violations(page), [], "axe");
            assert.deepEqual(seen.errors, []);
            assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it is not wider than the window");
            if (pictures) await page.screenshot({ path: `${pictures}/${name}-${theme}.png` });
          });
        }
        assert.deepEqual(seen.foreign, []);
        await context.close();
      }

      await t.test("hostile data on every screen: nothing runs, nothing is asked of elsewhere, nothing breaks", async () => {
        const { page, seen, context } = await visit(browser, world, { state });
        for (const [name, address] of hostile()) {
          seen.errors.length = 0;
          await page.goto(address);
          await page.getByRole("heading", { level: 1 }).waitFor();
          await page.waitForTimeout(150);
          const buttons = page.locator("#main button[aria-expanded]");
          for (let index = 0; index < Math.min(4, await buttons.count()); index += 1) await buttons.nth(index).click();
          assert.deepEqual(seen.errors, [], name);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is not wider than the window`);
          assert.equal(await page.locator("#main img, #main iframe, #main script, #main object").count(), 0, name);
          assert.equal(await page.locator('a[href^="javascript"], a[href*="evil.example"]').count(), 0, name);
        }
        assert.deepEqual(seen.foreign, []);
        assert.equal(seen.pwned, 0);
        await context.close();
      });

      await t.test("a server that fails, or is gone, is said on every screen, and none is white", async () => {
        const { page, context } = await visit(browser, world, { state });
        await page.goto(`/console/s/${SPACE}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        let failing = "fail";
        await page.route(/\/(api\/(?!session|stream|spaces$)|v1\/)/, (route) =>
          failing === "fail" ? route.fulfill({ status: 500, json: { error: { code: "internal", message: "It broke here.", hint: "Look at the log." } } }) : route.abort(),
        );
        for (const how of ["fail", "gone"]) {
          failing = how;
          for (const [name, address] of SCREENS.filter(([name]) => !["start", "events", "function", "settings-members"].includes(name))) {
            await page.goto(address);
            await page.getByRole("alert").first().waitFor().catch(() => assert.fail(`${name} says nothing`));
          }
        }
        await context.close();
      });

      await t.test("it can be used at 360 pixels", async () => {
        const { page, context } = await visit(browser, world, { state, wide: 360, high: 740 });
        for (const path of ["", "/profiles/users/user_id:ada", "/destinations", "/destinations/mail", "/sources"]) {
          await page.goto(`/console/s/${SPACE}${path}`);
          await page.getByRole("heading", { level: 1 }).waitFor();
          await page.waitForTimeout(200);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} is not wider than the window`);
        }
        await page.getByRole("button", { name: "Menu" }).click();
        await page.getByRole("link", { name: "Profiles", exact: true }).click();
        await page.getByRole("heading", { level: 1, name: "Profiles" }).waitFor();
        await context.close();
      });
    }),
  ),
);

function hostile() {
  const at = (path) => `/console/s/${HOSTILE_SPACE}${path}`;
  return [
    ["home", at("")],
    ["found", at("/profiles?q=victim@example.com")],
    ["profile", at("/profiles/users/user_id:victim")],
    ["identity", at("/profiles/users/user_id:victim?tab=identity")],
    ["traits", at("/profiles/users/user_id:victim?tab=traits")],
    ["deliveries", at("/profiles/users/user_id:victim?tab=deliveries")],
    ["trace", at("/events/h-t-0")],
    ["sources", at("/sources")],
    ["rejected", at("/sources/hostile?tab=rejected")],
    ["source", at("/sources/hostile?tab=settings")],
    ["destinations", at("/destinations")],
    ["destination", at("/destinations/hostile-hook")],
    ["attempts", at("/destinations/hostile-hook?tab=attempts")],
    ["settings", at("/destinations/hostile-hook?tab=settings")],
    ["audiences", at("/audiences")],
    ["audience", at("/audiences/hostile?of=user_id:victim")],
    ["asked for", at(`/profiles?q=${encodeURIComponent('"><img src=x onerror=pwned()>')}`)],
    ["no such place", `/console/${encodeURIComponent("<img src=x onerror=pwned()>")}`],
  ];
}
