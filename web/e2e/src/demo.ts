import type { Locator, Page } from "playwright-core";
import { expect, inject } from "vitest";
import { visitor } from "./backend.js";
import { test as base } from "./pages.js";

/** Two sessions of a user and one of another, of an account that no other test has. */
function sessions() {
  const { account, user } = visitor();
  const others = [
    { account, user, session: "phone" },
    { account, user: user + 1, session: "tablet" },
  ];
  return [{ account, user, session: "laptop" }, ...others] as const;
}

interface Fixtures {
  users: ReturnType<typeof sessions>;
  /** The page with its sessions connected. It must not throw. */
  page: Page;
}

/** A test of the demo page. */
export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: the form that Vitest reads
  users: async ({}, use) => use(sessions()),
  page: async ({ context, users }, use) => {
    const page = await context.newPage();
    const thrown: string[] = [];
    page.on("pageerror", ({ message }) => thrown.push(message));
    await page.addInitScript((stored) => {
      localStorage.sessions ??= stored;
    }, JSON.stringify(users));
    await page.goto(inject("stack").demoUrl);
    for (const { session } of users) await isState(page, session, "connected");
    await use(page);
    expect(thrown).toEqual([]);
  },
});

export const card = (page: Page, name: string): Locator =>
  page.getByRole("article", { name: `Session ${name}` });
export const button = (place: Page | Locator, name: string | RegExp): Locator =>
  place.getByRole("button", { name, exact: true });
export const messages = (place: Locator): Locator => place.getByRole("listitem");
export const shows = (place: Page | Locator, text: string | RegExp): Promise<void> =>
  place.getByText(text).filter({ visible: true }).first().waitFor();

export async function isState(page: Page, name: string, state: string): Promise<void> {
  await card(page, name)
    .getByRole("status")
    .filter({ hasText: new RegExp(`^${state}$`) })
    .waitFor();
}

/** Publishes by the form, to the first audience that matches. */
export async function send(
  page: Page,
  text: string,
  to: RegExp,
  by = "Publish by HTTP",
  times = 1,
): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  const audience = page.getByRole("combobox", { name: "To" });
  const names = await audience.locator("option").allTextContents();
  await audience.selectOption({ label: names.find((name) => to.test(name)) ?? "" });
  await page.getByRole("spinbutton", { name: "Times" }).fill(`${times}`);
  await button(page, by).click();
}

/** Ends a session. Its card is gone before anything else is clicked, since the others move. */
export async function end(page: Page, name: string): Promise<void> {
  await button(card(page, name), "End session").click();
  await card(page, name).waitFor({ state: "detached" });
}
