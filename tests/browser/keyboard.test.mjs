// The pages without a pointer: everything is reached by Tab, what has the focus is seen to have it.

import assert from "node:assert/strict";
import { before } from "node:test";
import { startServer, walk } from "./kit.mjs";
import { heading, row, see, setUpQuietly, signInQuietly } from "./people.mjs";

const TABS_MAX = 80;

let server;
let client;
before(async () => {
  server = await startServer();
  await setUpQuietly(server);
  client = await signInQuietly(server);
});

/** What has the focus: its words, and whether anything shows that it has it. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const label = element.labels?.[0] ?? element;
    const mark = (style) => (style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    return {
      words: (element.getAttribute("aria-label") ?? label.textContent).trim().replace(/\s+/g, " "),
      tag: element.tagName,
      name: element.getAttribute("name"),
      isMarked: mark(getComputedStyle(element)) || mark(getComputedStyle(label)),
      isInDialog: element.closest("dialog") !== null,
      rect: element.getBoundingClientRect().toJSON(),
    };
  });

async function tabTo(page, isIt) {
  for (let pressed = 0; pressed < TABS_MAX; pressed += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (at.tag === "BODY") continue;
    assert.ok(at.isMarked, `nothing shows that <${at.tag}> ${at.words} has the focus`);
    assert.ok(at.rect.width > 0 && at.rect.height > 0, `${at.words} has the focus and is not there`);
    if (isIt(at)) return at;
  }
  throw new Error("not reached by Tab");
}

walk("the first Tab skips what is on every page", async (walker) => {
  const page = await walker.open(server, { cookies: client.cookies });
  await page.goto(`${server.url}/settings/sessions`);
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).words, "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal((await focused(page)).tag, "MAIN");
  assert.match((await tabTo(page, () => true)).words, /Sign out everywhere/);
});

walk("a token is made and revoked", async (walker) => {
  const page = await walker.open(server, { cookies: client.cookies });
  await page.goto(`${server.url}/settings/tokens`);
  await tabTo(page, ({ words }) => words === "New token");
  await page.keyboard.press("Enter");
  await see(heading(page, "New token"));
  assert.equal((await focused(page)).name, "name", "the first field has the focus");
  await page.keyboard.type("by keyboard");
  await tabTo(page, ({ name }) => name === "expires");
  await page.keyboard.press("ArrowRight");
  assert.equal((await focused(page)).words, "60 days");
  await tabTo(page, ({ words, name }) => name === "p" && words.startsWith("api:read"));
  await page.keyboard.press("Space");
  await tabTo(page, ({ words }) => words === "Create token");
  await page.keyboard.press("Enter");
  await see(page.getByRole("textbox", { name: "The token" }));
  assert.match(await row(page, "by keyboard").textContent(), /in 60 days/);

  await tabTo(page, ({ words }) => words === "The token");
  await tabTo(page, ({ words }) => words === "Copy");
  await page.keyboard.press("Enter");
  await see(page.getByRole("button", { name: "Copied" }));

  const isRevoke = ({ words }) => /^Revoke by keyboard/.test(words);
  await tabTo(page, isRevoke);
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await see(dialog);
  assert.equal((await focused(page)).words, "Keep it", "what does no harm has the focus");
  const visited = new Set();
  for (const key of [...Array(8).fill("Tab"), ...Array(8).fill("Shift+Tab")]) {
    await page.keyboard.press(key);
    const at = await focused(page);
    // Between its last and its first element a dialog lets the browser itself have the focus.
    assert.ok(at.isInDialog || at.tag === "BODY", `${at.words} behind the dialog has the focus`);
    if (at.isInDialog) visited.add(at.words);
  }
  assert.deepEqual([...visited].sort(), ["Keep it", "Revoke"]);

  await page.keyboard.press("Escape");
  assert.equal(await dialog.count(), 0);
  assert.ok(isRevoke(await focused(page)), "the focus is where it was");
  await page.keyboard.press("Enter");
  await see(dialog);
  await tabTo(page, ({ words, isInDialog }) => isInDialog && words === "Keep it");
  await tabTo(page, ({ words, isInDialog }) => isInDialog && words === "Revoke");
  await page.keyboard.press("Enter");
  await see(page.getByText("by keyboard is revoked."));
});

walk("Enter in a field sends the form", async (walker) => {
  walker.refusals(400);
  const page = await walker.open(server, { cookies: client.cookies });
  await page.goto(`${server.url}/settings/tokens/new`);
  await page.keyboard.type("sent by Enter");
  await page.keyboard.press("Enter");
  await see(page.locator("#may-wrong"));
  await page.goto(`${server.url}/settings/tokens`);
  await page.context().clearCookies();
  await page.goto(`${server.url}/sign-in`);
  assert.equal((await focused(page)).name, "email");
});
