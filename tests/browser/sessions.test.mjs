// Where one is signed in.

import assert from "node:assert/strict";
import { before } from "node:test";
import { look, startServer, walk } from "./kit.mjs";
import { askGateway, heading, see, setUpQuietly, signInQuietly } from "./people.mjs";

let server;
before(async () => {
  server = await startServer();
  await setUpQuietly(server);
});

walk("another session is ended, and only that one", async (walker) => {
  const [mine, theirs, others] = [await signInQuietly(server), await signInQuietly(server), await signInQuietly(server)];
  const page = await walker.open(server, { cookies: mine.cookies });
  const lost = await walker.open(server, { cookies: theirs.cookies });
  await lost.goto(`${server.url}/settings/tokens`);
  await page.goto(`${server.url}/settings/tokens`);
  await page.getByRole("link", { name: "Sign-in & sessions" }).click();
  await see(heading(page, "Sign-in & sessions"));
  await look(page, "sessions");
  const { items } = await theirs.call("GET", "/v1/sessions");
  const { id } = items.find(({ current }) => current);
  const before = items.length;
  assert.equal(await page.getByText("this one", { exact: true }).count(), 1);
  await page.locator(`form[action="/settings/sessions/${id}/end"] button`).click();
  await see(page.getByText("The session has ended."));
  assert.equal(await page.locator("tbody tr").count(), before - 1);
  await look(page, "sessions-ended-one");
  await lost.reload();
  await see(heading(lost, "Sign in"));
  await others.call("GET", "/v1/sessions");
});

walk("signing out everywhere ends every session and no token", async (walker) => {
  const [mine, others] = [await signInQuietly(server), await signInQuietly(server)];
  const token = await mine.makeToken("works on");
  const page = await walker.open(server, { cookies: mine.cookies });
  await page.goto(`${server.url}/settings/sessions`);
  await page.getByRole("link", { name: "Sign out everywhere…" }).click();
  const dialog = page.getByRole("dialog", { name: "Sign out everywhere?" });
  await see(dialog.getByText(/\d+ sessions end, this one too/));
  await look(page, "sessions-end-all-dialog");
  await dialog.getByRole("link", { name: "Stay signed in" }).click();
  await mine.call("GET", "/v1/sessions");
  await page.goto(`${server.url}/settings/sessions/end-all`);
  await look(page, "sessions-end-all");
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await see(page.getByText("You are signed out."));
  for (const client of [mine, others]) await assert.rejects(client.call("GET", "/v1/sessions"), /401/);
  assert.equal((await askGateway(server, token.secret)).status, 204);
});

walk("the reference of the API is readable too", async (walker) => {
  const { cookies } = await signInQuietly(server);
  const page = await walker.open(server, { cookies });
  await page.goto(`${server.url}/settings/sessions`);
  await page.getByRole("link", { name: "API reference" }).click();
  await see(heading(page, "API reference"));
  await look(page, "api-docs");
  assert.ok((await page.locator("section.docs-operation").count()) > 10);

  walker.refusals(404);
  await page.goto(`${server.url}/no/such/page`);
  await see(page.getByText("not_found"));
});
