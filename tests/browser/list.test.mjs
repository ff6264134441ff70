// The list of tokens: a demo in every state, and a list that is longer than a page.

import assert from "node:assert/strict";
import { before } from "node:test";
import { look, startServer, walk } from "./kit.mjs";
import { ADA, askGateway, heading, makeToken, names, row, see, seeSoon, setUpQuietly, signIn, signInQuietly } from "./people.mjs";

const LONG = "Nightly regression run of the second-stage guidance software on test bench 14B";

let demo;
let server;
before(async () => {
  demo = await startServer({ demo: true });
  server = await startServer();
  await setUpQuietly(server);
});

const tab = (page, name) => page.getByRole("navigation", { name: "State" }).getByRole("link", { name });
const header = (page, name) => page.getByRole("columnheader", { name });

async function search(page, text) {
  await page.getByRole("searchbox").fill(text);
  await page.getByRole("button", { name: "Find" }).click();
}

walk("the demo is signed in to as it says, and shows every state", async (walker) => {
  const [, password] = demo.printed().match(/ada@acme-rockets\.example\s+(\S+)/);
  const page = await walker.open(demo);
  await signIn(page, demo, { ...ADA, password });
  await see(heading(page, "Personal access tokens"));
  assert.equal((await names(page)).length, 8);
  await look(page, "list-demo");

  const laptop = row(page, "Laptop");
  assert.equal(await laptop.getByRole("img", { name: "Ends soon" }).count(), 1, "four days are left");
  assert.equal(await page.getByRole("img", { name: "Ends soon" }).count(), 1, "and nothing else ends so soon");
  assert.match(await laptop.textContent(), /in 4 days/);
  assert.match(await row(page, "Wall display in the hangar").textContent(), /never/, "never used");
  const backup = await row(page, "Nightly backup").innerText();
  for (const part of [/hpp_\w{6}/, /repo:read/, /377 days ago/, /9 hours ago/, /GET \/v1\/repositories\/flight-computer\/archive/, /203\.0\.113\.80/, /never/]) assert.match(backup, part);
  const time = row(page, "Nightly backup").locator("time").first();
  assert.match(await time.getAttribute("title"), /\d{4}, \d{2}:\d{2}:\d{2}/, "the exact moment on hover");
  assert.ok(!Number.isNaN(Date.parse(await time.getAttribute("datetime"))));

  for (const [name, expected] of [["Expired", ["Conference demo"]], ["Revoked", ["Chat bot"]], ["Suspended", ["Contractor's build server"]]]) {
    await tab(page, name).click();
    assert.equal(await tab(page, name).getAttribute("aria-current"), "page");
    assert.match(await tab(page, name).textContent(), /1$/);
    assert.deepEqual(await names(page), expected);
    await look(page, `list-demo-${name.toLowerCase()}`);
  }
});

walk("found by name, prefix and address, and sorted by what can be sorted", async (walker) => {
  const page = await walker.open(demo, { cookies: (await signInQuietly(demo)).cookies });
  await page.goto(`${demo.url}/settings/tokens`);
  const prefix = (await row(page, "Laptop").textContent()).match(/hpp_\w{6}/)[0];
  for (const [text, expected] of [["NIGHTLY", ["Nightly backup", LONG]], ["גיבוי", ["גיבוי נתוני השיגור"]], [prefix, ["Laptop"]], ["203.0.113.80", ["Nightly backup"]]]) {
    await search(page, text);
    assert.deepEqual((await names(page)).sort(), expected.sort(), text);
    assert.equal(await page.getByRole("searchbox").inputValue(), text);
  }
  await search(page, "no such thing");
  await see(heading(page, "Nothing found"));
  await look(page, "list-nothing-found");
  await page.getByRole("link", { name: "Show all active tokens" }).click();

  const bySize = (list) => [...list].sort((a, b) => a.localeCompare(b, "en"));
  await header(page, "Token").getByRole("link").click();
  assert.equal(await header(page, "Token").getAttribute("aria-sort"), "ascending");
  assert.deepEqual(await names(page), bySize(await names(page)));
  const upwards = await names(page);
  await header(page, "Token").getByRole("link").click();
  assert.equal(await header(page, "Token").getAttribute("aria-sort"), "descending");
  assert.deepEqual(await names(page), upwards.reverse());
  for (const [column, first, last] of [["Created", "Wall display in the hangar", "Nightly backup"], ["Last used", "Release pipeline", "Wall display in the hangar"]]) {
    await header(page, column).getByRole("link").click();
    assert.equal(await header(page, column).getAttribute("aria-sort"), "descending");
    const found = await names(page);
    assert.deepEqual([found[0], found.at(-1)], [first, last], column);
  }
  await header(page, "Expires").getByRole("link").click();
  assert.equal((await names(page))[0], "Laptop", "what ends first comes first");

  await search(page, "nightly");
  assert.equal(await header(page, "Expires").getAttribute("aria-sort"), "ascending", "a search keeps the order");
  await tab(page, "Revoked").click();
  await see(heading(page, "Nothing found"));
});

walk("whoever may not have tokens reads why", async (walker) => {
  walker.refusals(403);
  const [, password] = demo.printed().match(/alan@acme-rockets\.example\s+(\S+)/);
  const { cookies } = await signInQuietly(demo, { email: "alan@acme-rockets.example", password });
  const page = await walker.open(demo, { cookies });
  await page.goto(`${demo.url}/`);
  await see(heading(page, "Sign-in & sessions"));
  for (const path of ["/settings/tokens", "/settings/tokens/new"]) {
    await page.goto(demo.url + path);
    await see(heading(page, "You may not have tokens here"));
  }
  await look(page, "tokens-not-allowed");
});

walk("a use shows up: when, for what, from where", async (walker) => {
  const { cookies } = await signInQuietly(server);
  const page = await walker.open(server, { cookies });
  const secret = await makeToken(page, server, { name: "used" });
  await page.goto(`${server.url}/settings/tokens`);
  assert.match(await row(page, "used").textContent(), /never/);
  assert.equal((await askGateway(server, secret, { method: "DELETE", address: "/reports/daily?week=47" })).status, 204);
  await seeSoon(page, row(page, "used").getByText("DELETE /reports/daily", { exact: true }));
  const text = await row(page, "used").innerText();
  assert.ok(text.includes("198.51.100.7") && /just now|seconds? ago/.test(text), text);
  await page.getByRole("link", { name: "used", exact: true }).click();
  await see(page.getByText("curl/8.14.1"));
  await look(page, "token-used");
});

walk("revoked on the page, refused at the gateway", async (walker) => {
  const client = await signInQuietly(server);
  const page = await walker.open(server, { cookies: client.cookies });
  const secret = await makeToken(page, server, { name: "leaked" });
  const other = await client.makeToken("kept");
  await askGateway(server, secret, { address: "/wages", from: "203.0.113.9" });
  await page.goto(`${server.url}/settings/tokens`);
  await seeSoon(page, row(page, "leaked").getByText("GET /wages"));

  await row(page, "leaked").getByRole("link", { name: /Revoke/ }).click();
  const dialog = page.getByRole("dialog", { name: "Revoke leaked?" });
  await see(dialog);
  const said = await dialog.textContent();
  for (const part of ["leaked", secret.slice(0, 10), "GET /wages", "203.0.113.9", "curl/8.14.1", "once"]) assert.ok(said.includes(part), `${part}: ${said}`);
  await look(page, "revoke-dialog");
  await dialog.getByRole("link", { name: "Keep it" }).click();
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal((await askGateway(server, secret)).status, 204, "kept");

  await row(page, "leaked").getByRole("link", { name: /Revoke/ }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await see(page.getByText("leaked is revoked."));
  const refused = await askGateway(server, secret);
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get("www-authenticate"), /revoked/);
  assert.equal((await askGateway(server, other.secret)).status, 204, "the others work on");
  assert.ok(!(await names(page)).includes("leaked"));
  await look(page, "list-revoked-one");
  await tab(page, "Revoked").click();
  await see(row(page, "leaked"));
  assert.equal(await row(page, "leaked").getByRole("link", { name: /Revoke/ }).count(), 0);
});

walk("a long list comes in parts", async (walker) => {
  const client = await signInQuietly(server);
  const { id } = await client.makeToken("zzz to be revoked");
  await client.revokeToken(id);
  for (let n = 0; n < 70; n += 1) await client.makeToken(`part ${String(n).padStart(3, "0")}`);
  const expected = Array.from({ length: 70 }, (_, n) => `part ${String(n).padStart(3, "0")}`);
  const page = await walker.open(server, { cookies: client.cookies });
  await page.goto(`${server.url}/settings/tokens?search=part&sort=name&order=up`);
  assert.deepEqual(await names(page), expected.slice(0, 50));
  await page.getByRole("link", { name: "Show more" }).click();
  await see(row(page, "part 069"));
  assert.deepEqual(await names(page), expected);
  assert.equal(await page.getByRole("link", { name: "Show more" }).count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "part 050", "the first that came has the focus");

  const plain = await walker.open(server, { cookies: client.cookies, script: false });
  await plain.goto(`${server.url}/settings/tokens?search=part&sort=name&order=up`);
  await plain.getByRole("link", { name: "Show more" }).click();
  await see(row(plain, "part 069"));
  assert.deepEqual(await names(plain), expected.slice(50));
  await plain.getByRole("link", { name: "Back to the first tokens" }).click();
  await see(row(plain, "part 000"));
});
