// One token: renamed, narrowed, ended earlier.

import assert from "node:assert/strict";
import { before } from "node:test";
import { look, startServer, walk } from "./kit.mjs";
import { askGateway, heading, see, setUpQuietly, signInQuietly } from "./people.mjs";

let server;
let client;
before(async () => {
  server = await startServer();
  await setUpQuietly(server);
  client = await signInQuietly(server);
});

async function openToken(walker, id) {
  const page = await walker.open(server, { cookies: client.cookies });
  await page.goto(`${server.url}/settings/tokens/${id}`);
  return page;
}

const find = (id) => client.call("GET", `/v1/personal-access-tokens/${id}`);

async function save(page) {
  await page.getByRole("button", { name: "Save changes" }).click();
}

walk("renamed, and the names of others are theirs", async (walker) => {
  walker.refusals(409);
  const [token, other] = [await client.makeToken("old name"), await client.makeToken("taken")];
  const page = await openToken(walker, token.id);
  await look(page, "token");
  await page.getByLabel("Name", { exact: true }).fill("new name");
  await save(page);
  await see(page.getByText("Saved."));
  await see(heading(page, "new name"));
  await look(page, "token-saved");
  assert.deepEqual([(await find(token.id)).name, (await find(token.id)).scope], ["new name", token.scope], "and nothing else");

  await page.getByLabel("Name", { exact: true }).fill("Taken");
  await save(page);
  assert.ok((await page.locator("#name-wrong").textContent()).includes(other.prefix));
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Taken");
  assert.equal((await find(token.id)).name, "new name");
  await look(page, "token-name-taken");
});

walk("narrowed at once, and never widened", async (walker) => {
  const { scope, ...all } = await client.makeToken("wide", { scope: undefined });
  assert.ok(scope === null || scope === undefined);
  const needs = (permission) => fetch(server.gateway, { headers: { authorization: `Bearer ${all.secret}`, "x-hallpass-permission": permission } });
  assert.equal((await needs("api:write")).status, 204);
  const page = await openToken(walker, all.id);
  await page.getByLabel("Only these").check();
  for (const permission of ["api:read", "api:write"]) await page.locator(`input[value="${permission}"]`).check();
  await save(page);
  await see(page.getByText("Saved."));
  assert.equal(await page.getByText("All that my role allows").count(), 0, "nobody offers to widen it");
  await page.locator('input[value="api:write"]').uncheck();
  await save(page);
  await see(page.getByText("Saved."));
  assert.deepEqual((await find(all.id)).scope, ["api:read"]);
  assert.equal((await needs("api:write")).status, 403);
  assert.equal((await needs("api:read")).status, 204);
  assert.equal(await page.locator('input[value="api:write"]').count(), 0);

  walker.refusals(400);
  await page.locator('input[value="api:read"]').evaluate((box) => (box.value = "api:write"));
  await save(page);
  await see(page.locator("#may-wrong"));
  assert.deepEqual((await find(all.id)).scope, ["api:read"]);
});

walk("it ends when one says, and what has ended cannot be changed", async (walker) => {
  const token = await client.makeToken("short");
  const page = await openToken(walker, token.id);
  await page.getByLabel("7 days").check();
  await save(page);
  await see(page.getByRole("img", { name: "Ends soon" }));
  const days = (Date.parse((await find(token.id)).expirationDate) - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days <= 7, `${days} days`);
  await page.getByLabel("Never", { exact: true }).check();
  await page.getByLabel("I know that it never expires.").check();
  await save(page);
  await see(page.getByLabel("Keep: never"));
  assert.deepEqual([(await find(token.id)).expirationDate ?? null, (await find(token.id)).userAwareTokenNeverExpires], [null, true]);

  await page.getByRole("link", { name: "Revoke…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await see(page.getByText("short is revoked."));
  assert.equal((await askGateway(server, token.secret)).status, 401);
  await page.goto(`${server.url}/settings/tokens/${token.id}`);
  await see(page.getByText("It has ended and cannot be changed."));
  assert.equal(await page.getByRole("button", { name: "Save changes" }).count(), 0);
  await look(page, "token-ended");
  await page.getByRole("link", { name: "Create one like it" }).click();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "short");
  assert.ok(await page.locator('input[value="api:read"]').isChecked());
});

walk("a token of nobody, or of an address that is none, is not found", async (walker) => {
  walker.refusals(404);
  const page = await openToken(walker, "019393a0-7e5c-7c31-9d0c-1f2e3d4c5b6a");
  await see(heading(page, "There is no such token"));
  await page.goto(`${server.url}/settings/tokens/nonsense/revoke`);
  await see(heading(page, "There is no such token"));
  await look(page, "token-not-found");
});
