// Everything that is essential, by forms alone: scripts are switched off.

import assert from "node:assert/strict";
import { before } from "node:test";
import { startServer, walk } from "./kit.mjs";
import { ADA, askGateway, createToken, fillNewToken, heading, makeToken, names, row, see, seeSoon, signIn } from "./people.mjs";

let server;
before(async () => {
  server = await startServer();
});

walk("set up, make, use, change, revoke, sign out", async (walker) => {
  walker.refusals(400);
  const page = await walker.open(server, { script: false });
  await page.goto(server.setUpLink);
  for (const [label, text] of [["Organization", ADA.organization], ["Your name", ADA.name], ["E-mail address", ADA.email], ["Password", ADA.password]]) await page.getByLabel(label).fill(text);
  await page.getByRole("button", { name: "Create account and sign in" }).click();
  await see(heading(page, "No tokens yet"));
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await signIn(page, server);

  await page.getByRole("link", { name: "Create your first token" }).click();
  assert.equal(await page.getByRole("searchbox").count(), 0, "a search that needs a script is not shown");
  await fillNewToken(page, server, { name: "plain", expires: "Never" });
  await createToken(page);
  await see(page.getByText("Tick that you know that it never expires"));
  await page.getByLabel("60 days").check();
  await createToken(page);
  const shown = page.getByRole("textbox", { name: "The token" });
  const secret = await shown.textContent();
  assert.equal(await page.getByRole("button", { name: "Copy" }).count(), 0, "a button that needs a script is not shown");
  assert.match(await row(page, "plain").textContent(), /in 60 days/);
  assert.equal((await askGateway(server, secret)).status, 204);
  await page.getByRole("link", { name: "I have it, hide it" }).click();
  await seeSoon(page, row(page, "plain").getByText("GET /reports/daily"));

  await page.getByRole("link", { name: "plain", exact: true }).click();
  await page.getByLabel("Name", { exact: true }).fill("simple");
  await page.getByRole("button", { name: "Save changes" }).click();
  await see(page.getByText("Saved."));

  await page.getByRole("link", { name: "Revoke…" }).click();
  await see(heading(page, "Revoke simple?"));
  await see(page.getByText("GET /reports/daily"));
  await page.getByRole("link", { name: "Keep it" }).click();
  assert.deepEqual(await names(page), ["simple"]);
  await row(page, "simple").getByRole("link", { name: /Revoke/ }).click();
  await page.getByRole("button", { name: "Revoke" }).click();
  await see(page.getByText("simple is revoked."));
  assert.equal((await askGateway(server, secret)).status, 401);

  await makeToken(page, server, { name: "second" });
  await page.getByRole("link", { name: "Sign-in & sessions" }).click();
  await page.getByRole("link", { name: "Sign out everywhere…" }).click();
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await see(page.getByText("You are signed out."));
});
