// What answers for an organization's tokens: the inventory and why a token works, API keys, the policy, the audit.

import assert from "node:assert/strict";
import { before } from "node:test";
import { look, startServer, walk } from "./kit.mjs";
import { askGateway, heading, row, see, setUpQuietly, signIn, signInQuietly } from "./people.mjs";

let demo;
let server;
before(async () => {
  demo = await startServer({ demo: true });
  server = await startServer();
  await setUpQuietly(server);
});

const button = (page, name) => page.getByRole("button", { name, exact: true });
const link = (page, name) => page.getByRole("link", { name, exact: true });
const rail = (page, name) => page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name, exact: true }).click();

async function ada(walker) {
  const email = "ada@acme-rockets.example";
  const [, password] = demo.printed().match(new RegExp(`${email}\\s+(\\S+)`));
  const page = await walker.open(demo);
  await signIn(page, demo, { email, password });
  return page;
}

walk("a superuser finds every token, and why it works, in two clicks", async (walker) => {
  const page = await ada(walker);
  await look(page, "tokens-with-policy-notice");
  await rail(page, "All tokens");
  await see(heading(page, "All tokens"));
  await look(page, "inventory");
  await page.goto(`${demo.url}/settings/organization/members`);
  await link(page, "Grace Hopper").click();
  await link(page, "What can the tokens of Grace Hopper do right now?").click();
  await see(page.getByText("Only what Grace Hopper has."));
  await link(page, "Compiler builds").click();
  await see(page.getByText("It works right now."));
  await page.getByLabel("Permission", { exact: true }).fill("repo:delete");
  await page.getByLabel("From the address").fill("192.0.2.7");
  await button(page, "Try").click();
  await see(page.getByText("It may not do repo:delete right now."));
  await look(page, "why-not");
  await link(page, "Suspend…").click();
  await see(page.getByRole("dialog"));
  await look(page, "suspend-dialog");
  await page.getByLabel("Why", { exact: true }).fill("Seen in a public log");
  await button(page, "Suspend").click();
  await see(page.getByText("It does not work right now."));
  await look(page, "inventory-one-suspended");
  await button(page, "Resume").click();
  await see(page.getByText("It works right now."));
  await link(page, "Revoke…").click();
  await see(page.getByRole("dialog"));
  await link(page, "Keep it").click();

  await page.goto(`${demo.url}/settings/organization/tokens`);
  await page.getByLabel("Use", { exact: true }).selectOption({ label: "Unused for 90 days" });
  await button(page, "Find").click();
  await page.getByRole("link", { name: /^Revoke (this one|these \d+)…$/ }).click();
  await see(page.getByRole("heading", { name: /^Revoke \d+ tokens?\?$/ }));
  await look(page, "revoke-found");
  await page.goto(`${demo.url}/settings/organization/tokens/revoke?what=everything`);
  await look(page, "revoke-everything");
  await page.goto(`${demo.url}/settings/organization/tokens/revoke?what=before`);
  await page.getByLabel("Made before", { exact: true }).fill(new Date().toISOString().slice(0, 10));
  await button(page, "Show what that would be").click();
  await see(page.getByText(/are revoked\. Everything that uses them/));
  await look(page, "revoke-before");
});

walk("one's own token says why, and rests", async (walker) => {
  const page = await ada(walker);
  await link(page, "Laptop").click();
  await see(page.getByText("It works right now."));
  await look(page, "own-token-why");
  await page.goto(`${demo.url}/settings/tokens/new`);
  await page.getByText("More limits").click();
  await look(page, "new-token-limits");
});

walk("a key is made, rotated and revoked", async (walker) => {
  walker.refusals(400);
  const page = await walker.open(server, { cookies: (await signInQuietly(server)).cookies });
  await page.goto(server.url);
  await rail(page, "API keys");
  await see(heading(page, "No API keys yet"));
  await look(page, "keys-none");
  await link(page, "Create the first key").click();
  await page.getByLabel("Name", { exact: true }).fill("billing");
  await look(page, "new-key");
  await page.getByLabel("Role", { exact: true }).selectOption({ label: "Member" });
  await button(page, "Create key").click();
  const secret = await page.getByRole("textbox", { name: "The secret" }).textContent();
  assert.match(secret, /^hpk_/);
  await look(page, "key-made");
  await button(page, "Copy").click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  assert.equal((await askGateway(server, secret)).status, 204);
  await link(page, "I have it, hide it").click();
  assert.ok(!(await page.content()).includes(secret), "shown once");
  await link(page, "Rotate…").click();
  await look(page, "rotate");
  await button(page, "Create a new secret").click();
  await see(page.getByText("Say what becomes of the old secret."));
  await page.getByLabel("Works until it is quiet").check();
  await look(page, "rotate-quiet");
  await button(page, "Create a new secret").click();
  const second = await page.getByRole("textbox", { name: "The secret" }).textContent();
  await look(page, "key-rotated");
  for (const works of [secret, second]) assert.equal((await askGateway(server, works)).status, 204);
  await link(page, "Revoke…").click();
  await see(page.getByRole("dialog", { name: "Revoke billing?" }));
  await look(page, "key-revoke-dialog");
  await button(page, "Revoke").click();
  await see(page.getByText("The key is revoked."));
  for (const ended of [secret, second]) assert.equal((await askGateway(server, ended)).status, 401);
});

walk("the demo's keys, policy and audit are there to look at", async (walker) => {
  const page = await ada(walker);
  await rail(page, "API keys");
  await see(row(page, "Launch billing").getByText("an old secret still works"));
  await look(page, "keys-demo");
  await link(page, "Launch billing").click();
  await see(page.getByText("still works", { exact: true }));
  await look(page, "key-demo");

  await rail(page, "Policy");
  await see(heading(page, "In force"));
  await look(page, "policy-demo");
  await page.getByRole("link", { name: "Change what is in force" }).click();
  await page.getByLabel("Personal access tokens live for at most").fill("60");
  await page.getByLabel("At once").check();
  await look(page, "policy-form");
  await button(page, "Show what it would do").click();
  await see(heading(page, "What it would do"));
  await see(page.getByText(/^A change is planned for .* This replaces it/));
  await look(page, "policy-preview");
  await button(page, "Change it first").click();
  assert.equal(await page.getByLabel("Personal access tokens live for at most").inputValue(), "60");

  await rail(page, "Audit");
  await see(heading(page, "Audit"));
  await page.locator("tbody summary").first().click();
  await look(page, "audit-demo");
  await page.getByLabel("What was done").selectOption({ label: "API key rotated" });
  await button(page, "Find").click();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await button(page, "Check the chain").click();
  await see(page.getByText(/The chain holds/));
  await look(page, "audit-checked");
  const end = await page.getByRole("textbox", { name: "The end of the chain" }).textContent();
  await page.getByLabel("What you noted last time").fill(end);
  await button(page, "Check the chain").click();
  await see(page.getByText(/The chain holds/));
});
