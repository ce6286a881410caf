import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { origins, watch, withBrowser } from "../support/browser.mjs";

const base = process.env.SELFSAME_DEMO_URL;
const skip = base ? false : "SELFSAME_DEMO_URL is not set";
const shots = process.env.SHOT_DIR;
const PATIENCE = { timeout: 20_000 };

async function shot(page, name) {
  if (!shots) return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

async function inShop({ path = "/demo/shop", ...settings }, use) {
  await withBrowser(async (browser) => {
    const page = await browser.newPage({ ...settings, reducedMotion: "reduce" });
    const seen = watch(page);
    await page.goto(`${base}${path}`);
    await use(page, seen);
    assert.deepEqual(origins(seen), [new URL(base).origin]);
    assert.deepEqual(seen.failures.filter((failure) => !failure.includes("/demo/live")), []);
    assert.deepEqual(seen.errors, []);
  });
}

async function signIn(page, userId, name = "Ada Lovelace") {
  await page.getByRole("link", { name: "Sign in", exact: true }).first().click();
  await page.getByLabel("User id").fill(userId);
  await page.getByLabel("E-mail").fill(`${userId}@example.com`);
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: `Hello, ${userId}` }).waitFor(PATIENCE);
}

const newUser = () => `ada-${Math.random().toString(36).slice(2, 8)}`;

test("the demo shop: browse, sign in, buy, and see it all", { skip }, async () => {
  await inShop({ viewport: { width: 1280, height: 860 } }, async (page) => {
    const userId = newUser();
    const panel = page.locator("#panel");
    await panel.locator("#events li").first().waitFor(PATIENCE);

    await page.getByRole("link", { name: /Fell kettle/ }).click();
    await page.getByRole("heading", { name: "Fell kettle" }).waitFor();
    await page.getByRole("button", { name: "Add Fell kettle to the cart" }).click();
    await panel.getByText("Product Added").first().waitFor(PATIENCE);
    assert.equal(await panel.locator('#profile [data-type="user_id"]').count(), 0);
    await shot(page, "shop-1-anonymous");

    await signIn(page, userId);
    await panel.locator('#profile [data-type="user_id"]', { hasText: userId }).waitFor(PATIENCE);
    await panel.getByText(new RegExp(`\\d+ earlier events are now ${userId}’s`)).waitFor(PATIENCE);
    await panel.locator("#profile").getByText(`${userId}@example.com`).first().waitFor(PATIENCE);
    await shot(page, "shop-2-signed-in");

    await page.getByRole("link", { name: /^Cart/ }).click();
    await page.getByRole("link", { name: "Checkout" }).click();
    await page.getByRole("button", { name: /^Buy for/ }).click();
    await page.getByRole("heading", { name: "Thank you" }).waitFor();
    await panel.locator("#events").getByText("Order Completed").waitFor(PATIENCE);
    const delivery = panel.locator("#inbox li", { hasText: "Order Completed" }).first();
    await delivery.waitFor(PATIENCE);
    await delivery.getByText("✓ signed").waitFor();
    await delivery.locator("summary").click();
    assert.match(await delivery.locator("pre").innerText(), /"order_id"/);
    await shot(page, "shop-3-bought");
  });
});

test("the demo shop: two devices of one user become one profile", { skip }, async () => {
  await inShop({ viewport: { width: 1280, height: 860 }, colorScheme: "dark" }, async (page) => {
    const userId = newUser();
    const panel = page.locator("#panel");
    const anonymousIds = panel.locator('#profile [data-type="anonymous_id"] code');
    await panel.locator("#events li").first().waitFor(PATIENCE);
    const first = await anonymousIds.first().innerText();
    await signIn(page, userId);
    await panel.locator('#profile [data-type="user_id"]', { hasText: userId }).waitFor(PATIENCE);

    await page.getByRole("button", { name: "Use another device" }).click();
    await page.getByRole("link", { name: "Sign in", exact: true }).waitFor();
    await panel.locator("#profile", { hasNotText: userId }).waitFor(PATIENCE);
    await page.getByRole("link", { name: "Camp kitchen" }).first().click();
    await panel.locator("#events").getByText("Product List Viewed").first().waitFor(PATIENCE);
    const second = await anonymousIds.first().innerText();
    assert.notEqual(second, first);

    await signIn(page, userId);
    await panel.getByText("Two profiles turned out to be one").waitFor(PATIENCE);
    await panel.locator("#profile", { hasText: first }).waitFor(PATIENCE);
    await panel.locator("#profile", { hasText: second }).waitFor(PATIENCE);
    await shot(page, "shop-4-two-devices-dark");

    await page.getByLabel("Company id").fill("acme");
    await page.getByRole("button", { name: "Join" }).click();
    await panel.locator("#events .kind.group").first().waitFor(PATIENCE);

    await page.getByRole("button", { name: "Sign out" }).click();
    await panel.locator("#profile", { hasNotText: userId }).waitFor(PATIENCE);
    await page.getByRole("button", { name: /^Laptop/ }).click();
    await page.getByRole("heading", { name: `Hello, ${userId}` }).waitFor();
    await panel.locator("#profile", { hasText: first }).waitFor(PATIENCE);
  });
});

test("the demo shop: what looks like markup stays text", { skip }, async () => {
  await inShop({ viewport: { width: 1280, height: 860 } }, async (page) => {
    const name = `<img src=x onerror=alert(1)> ${"very".repeat(20)}`;
    const panel = page.locator("#panel");
    await panel.locator("#events li").first().waitFor(PATIENCE);
    await signIn(page, newUser(), name);
    await panel.locator("#profile strong", { hasText: name }).waitFor(PATIENCE);
    await page.getByLabel("Search the shop").fill("<script>alert(1)</script>");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Results for “<script>alert(1)</script>”" }).waitFor();
    assert.equal(await page.locator("img, #app script").count(), 0);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth), false);
    await shot(page, "shop-7-hostile");
  });
});

test("the demo shop: on a phone the panel is a tab", { skip }, async () => {
  await inShop({ viewport: { width: 390, height: 844 } }, async (page) => {
    await page.getByRole("heading", { name: "Good things for going out" }).waitFor(PATIENCE);
    assert.equal(await page.locator("#panel").isVisible(), false);
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    assert.equal(await wide(), false);
    await shot(page, "shop-5-phone");
    await page.getByRole("button", { name: "Selfsame’s view" }).click();
    await page.locator("#events li").first().waitFor(PATIENCE);
    assert.equal(await wide(), false);
    await shot(page, "shop-6-phone-panel");
  });
});

// Segment's SDK asks for settings before it sends; ours asks for nothing, and the page for its write key.
for (const [path, asked] of [["/demo/shop", "**/demo/config"], ["/demo/shop/official", "**/v1/projects/**"]]) {
  test(`${path} without the server says so and stays a shop`, { skip }, async () => {
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.route(asked, (route) => route.abort());
      await page.route("**/demo/live*", (route) => route.abort());
      await page.goto(`${base}${path}`);
      await page.getByText(/The SDK could not be loaded/).waitFor(PATIENCE);
      await page.getByText(/The live view lost the server/).waitFor(PATIENCE);
      await page.getByRole("button", { name: "Add Fell kettle to the cart" }).click();
      await page.getByRole("link", { name: "Cart (1)" }).waitFor();
    });
  });
}

test("the demo shop: the same with Segment's SDK, and who somebody is stays from one to the other", { skip }, async () => {
  await inShop({ path: "/demo/shop/official", viewport: { width: 1280, height: 860 } }, async (page) => {
    const userId = newUser();
    const panel = page.locator("#panel");
    await panel.locator("#events li").first().waitFor(PATIENCE);
    await signIn(page, userId);
    await panel.locator('#profile [data-type="user_id"]', { hasText: userId }).waitFor(PATIENCE);
    const stored = () => page.evaluate(() => [localStorage.ajs_user_id, localStorage.ajs_anonymous_id]);
    const before = await stored();

    await panel.getByRole("link", { name: "The same shop with Selfsame’s" }).click();
    await panel.locator("#sdk", { hasText: "This page uses Selfsame’s browser SDK." }).waitFor(PATIENCE);
    await panel.locator('#profile [data-type="user_id"]', { hasText: userId }).waitFor(PATIENCE);
    assert.deepEqual(await stored(), before);
  });
});
