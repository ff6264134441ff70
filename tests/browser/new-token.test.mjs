// Making a token: what can be chosen, what is refused, and the one page that shows it.

import assert from "node:assert/strict";
import { before } from "node:test";
import { look, startServer, walk } from "./kit.mjs";
import { SECRET, askGateway, createToken, fillNewToken, heading, makeToken, row, see, setUpQuietly, signInQuietly } from "./people.mjs";

const DAY = 86_400_000;

let server;
let client;
before(async () => {
  const permissions = Array.from({ length: 38 }, (_, n) => `[[permission]]\nname = "part${n}:read"\ndescription = "Look at part ${n}"\n`);
  const settings = [...permissions, '[[permission]]\nname = "api:read"\ndescription = "Read through the API"\n', '[[permission]]\nname = "api:write"\ndescription = "Change through the API"\nrisk = "high"\n'];
  server = await startServer({ settings: settings.join("\n") });
  await setUpQuietly(server);
  client = await signInQuietly(server);
});

const open = (walker) => walker.open(server, { cookies: client.cookies });
const shown = (page) => page.getByRole("textbox", { name: "The token" });

walk("every end that can be chosen", async (walker) => {
  const page = await open(walker);
  await page.goto(`${server.url}/settings/tokens`);
  await page.getByRole("link", { name: "New token" }).click();
  await see(heading(page, "New token"));
  assert.ok(await page.getByLabel("30 days").isChecked(), "30 days unless something else is chosen");
  assert.equal(await page.getByLabel("Confirm that it is you").count(), 0, "nobody is asked again right after signing in");
  for (const days of [7, 30, 60, 90]) {
    const secret = await makeToken(page, server, { name: `for ${days}`, expires: `${days} days` });
    assert.match(await row(page, `for ${days}`).textContent(), new RegExp(`in ${days} days`));
    assert.equal((await askGateway(server, secret)).status, 204);
  }
});

walk("a date", async (walker) => {
  walker.refusals(400);
  const page = await open(walker);
  const last = new Date(Date.now() + 45 * DAY).toISOString().slice(0, 10);
  await fillNewToken(page, server, { name: "until a day", expires: "On a date" });
  await createToken(page);
  assert.equal(await page.locator("#expires-wrong").textContent(), "Choose its last day.");
  assert.ok(await page.getByLabel("On a date").isChecked());
  await page.getByLabel("Last day").fill(last);
  await createToken(page);
  await see(shown(page));
  const { items } = await client.call("GET", "/v1/personal-access-tokens?search=until+a+day");
  assert.equal(items[0].expirationDate, `${last}T23:59:59Z`);

  await fillNewToken(page, server, { name: "over already", expires: "On a date" });
  await page.getByLabel("Last day").evaluate((field) => {
    field.removeAttribute("min");
    field.value = "2020-01-01";
  });
  await createToken(page);
  assert.equal(await page.locator("#expires-wrong").textContent(), "Choose a day that is not over yet.");
  assert.equal(await page.getByLabel("Last day").inputValue(), "2020-01-01");
  assert.equal(await client.countTokens("over already"), 0);
});

walk("never, only for those who say that they know", async (walker) => {
  walker.refusals(400);
  const page = await open(walker);
  await fillNewToken(page, server, { name: "for ever", expires: "Never" });
  await see(page.getByLabel("I know that it never expires."));
  await createToken(page);
  assert.equal(await page.locator("#expires-wrong").textContent(), "Tick that you know that it never expires, or choose when it does.");
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "for ever");
  assert.ok(await page.locator('input[value="api:read"]').isChecked());
  assert.equal(await client.countTokens("for ever"), 0);
  await look(page, "new-token-never");
  await page.getByLabel("I know that it never expires.").check();
  await createToken(page);
  await see(shown(page));
  assert.match(await row(page, "for ever").textContent(), /never/);
});

walk("a long list of permissions is searched and counted", async (walker) => {
  walker.refusals(400);
  const page = await open(walker);
  await page.goto(`${server.url}/settings/tokens/new`);
  const list = page.getByRole("group", { name: "Permissions" });
  const offered = list.locator("label:visible");
  assert.equal(await offered.count(), 49, "40 of the settings and nine of Hallpass itself");
  await look(page, "new-token-40-permissions");
  const find = page.getByLabel("Find a permission");
  await find.fill("read API");
  assert.deepEqual(await offered.locator("code").allTextContents(), ["api:read"]);
  await find.press("Enter");
  assert.equal(page.url(), `${server.url}/settings/tokens/new`, "Enter in the search does not send the form");
  await offered.locator("input").check();
  await see(page.getByText("1 of 49 chosen."));
  await find.fill("part1");
  assert.equal(await offered.count(), 11);
  await find.fill("nothing like it");
  await see(page.getByText("No permission with this in its name or description."));
  await look(page, "new-token-no-such-permission");
  await find.fill("");
  assert.equal(await offered.count(), 49);
  assert.ok(await page.locator('input[value="api:read"]').isChecked(), "what was hidden stays chosen");
  await page.locator('input[value="api:write"]').check();
  await page.getByLabel("Name", { exact: true }).fill("narrow");
  await createToken(page);
  assert.deepEqual((await row(page, "narrow").locator("code.perm").allTextContents()).sort(), ["api:read", "api:write"]);

  await fillNewToken(page, server, { name: "may nothing", permissions: [] });
  await createToken(page);
  assert.equal(await page.locator("#may-wrong").textContent(), "Choose at least one permission.");
  await look(page, "new-token-nothing-chosen");

  await fillNewToken(page, server, { name: "may everything", permissions: [] });
  await page.getByLabel("All that my role allows (49)").check();
  await createToken(page);
  await see(row(page, "may everything").getByText("all my role allows"));
});

walk("a name that is taken: the other token is named and nothing that was typed is lost", async (walker) => {
  walker.refusals(409);
  const other = await client.makeToken("Übung");
  const page = await open(walker);
  await fillNewToken(page, server, { name: "üBUNG", expires: "90 days", permissions: ["api:write", "part3:read"] });
  await createToken(page);
  assert.ok((await page.locator("#name-wrong").textContent()).includes(other.prefix));
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "üBUNG");
  assert.ok(await page.getByLabel("90 days").isChecked());
  assert.deepEqual(await page.locator('input[name="p"]:checked').evaluateAll((boxes) => boxes.map((box) => box.value)), ["api:write", "part3:read"]);
  await look(page, "new-token-name-taken");
  await page.getByRole("link", { name: `Look at ${other.prefix}` }).click();
  await see(row(page, "Übung"));

  await client.revokeToken(other.id);
  await fillNewToken(page, server, { name: "üBUNG" });
  await createToken(page);
  await see(shown(page));
});

walk("a name that cannot be is refused beside its field", async (walker) => {
  walker.refusals(400);
  const page = await open(walker);
  for (const name of ["x".repeat(81), "left\u202eright", " "]) {
    await fillNewToken(page, server, { name });
    await createToken(page);
    await see(page.locator("#name-wrong"));
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), name);
  }
  await fillNewToken(page, server, { name: "x".repeat(80) });
  await createToken(page);
  await see(shown(page));
  await look(page, "token-shown-long-name");
});

walk("the token is shown once", async (walker) => {
  const page = await open(walker);
  await fillNewToken(page, server, { name: "once" });
  const [answer] = await Promise.all([page.waitForResponse((response) => response.request().method() === "POST"), createToken(page)]);
  assert.equal(answer.status(), 200);
  assert.equal(await answer.headerValue("cache-control"), "no-store");
  const secret = await shown(page).textContent();
  assert.match(secret, SECRET);
  assert.equal(secret.length, 48);
  assert.ok(!page.url().includes("hpp_"));
  await look(page, "token-shown-once");

  await page.evaluate(() => navigator.clipboard.writeText("something else"));
  await page.getByRole("button", { name: "Copy" }).click();
  await see(page.getByRole("button", { name: "Copied" }));
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  assert.equal(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, history.state])), "[{},{},null]");
  await look(page, "token-copied");

  const isGone = async (when) => assert.ok(!(await page.content()).includes(secret), `the token is still there ${when}`);
  // Chromium sends the form again, as a person would who agrees to do so.
  await page.reload();
  await see(page.getByText("No second token was made."));
  await isGone("after a reload");
  await look(page, "token-made-before");
  assert.equal(await client.countTokens("once"), 1);
});

walk("whoever leaves the page and comes back does not see it", async (walker) => {
  const page = await open(walker);
  const secret = await makeToken(page, server, { name: "left alone" });
  await page.getByRole("link", { name: "I have it, hide it" }).click();
  await page.waitForURL(`${server.url}/settings/tokens`);
  assert.ok(!(await page.content()).includes(secret));
  // Back is a form that was sent: Chromium keeps nothing of its answer and asks before it sends the form again.
  await assert.rejects(page.goBack(), /ERR_CACHE_MISS/);
  walker.problems = walker.problems.filter((problem) => !problem.includes("ERR_CACHE_MISS"));
  await page.waitForURL(/^chrome-error:/);
  assert.ok(!(await page.content()).includes(secret));
  await page.goto(`${server.url}/settings/tokens`);
  await see(row(page, "left alone"));
  assert.ok(!(await page.content()).includes(secret));
  assert.equal(await client.countTokens("left alone"), 1);
  assert.equal((await askGateway(server, secret)).status, 204);
});

walk("a form that is sent twice makes one token; a changed one says so", async (walker) => {
  walker.refusals(422);
  const page = await open(walker);
  await fillNewToken(page, server, { name: "twice" });
  const fields = await page.locator("main form").evaluate((form) => [...new FormData(form)]);
  const send = (changes) => page.evaluate(async (pairs) => {
    const answer = await fetch("/settings/tokens/new", { method: "POST", body: new URLSearchParams(pairs) });
    return [answer.status, await answer.text()];
  }, fields.map(([name, value]) => [name, changes[name] ?? value]));
  const [[one], [other]] = await Promise.all([send({}), send({})]);
  assert.deepEqual([one, other], [200, 200]);
  assert.equal(await client.countTokens("twice"), 1);
  const [status, text] = await send({ name: "twice, changed" });
  assert.equal(status, 422);
  assert.ok(text.includes("You made a token with this form before."));
  assert.equal(await client.countTokens("changed"), 0);
});
