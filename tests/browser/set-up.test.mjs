// The one-time set-up.

import assert from "node:assert/strict";
import { before } from "node:test";
import { look, startServer, walk } from "./kit.mjs";
import { ADA, heading, see } from "./people.mjs";

let server;
before(async () => {
  server = await startServer();
});

async function fill(page, password, person = ADA) {
  await page.getByLabel("Organization").fill(person.organization);
  await page.getByLabel("Your name").fill(person.name);
  await page.getByLabel("E-mail address").fill(person.email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Create account and sign in" }).click();
}

walk("nobody is here yet, and the page says how to begin", async (walker) => {
  const page = await walker.open(server);
  for (const path of ["/", "/sign-in"]) {
    await page.goto(server.url + path);
    await see(heading(page, "Nobody is here yet"));
  }
  await look(page, "set-up-nobody");
});

walk("a link that was cut is explained", async (walker) => {
  walker.refusals(403);
  const page = await walker.open(server);
  for (const link of [server.setUpLink.slice(0, -1), `${server.url}/setup`, `${server.url}/setup?code=${"A".repeat(22)}`]) {
    await page.goto(link);
    await see(heading(page, "This set-up link does not work"));
    assert.equal(await page.locator("form").count(), 0);
  }
  await look(page, "set-up-wrong-link");
});

walk("what is wrong stands beside its field, and what was typed stays", async (walker) => {
  walker.refusals(400);
  const page = await walker.open(server);
  await page.goto(server.setUpLink);
  await look(page, "set-up");
  for (const [password, words] of [["too short", /15 characters/], ["passwordpassword", /one of the first that would be tried/]]) {
    await fill(page, password, { ...ADA, organization: "Acme <b>&\"" });
    const field = page.getByLabel("Password");
    assert.match(await page.locator("#password-wrong").textContent(), words);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert.ok((await field.getAttribute("aria-describedby")).includes("password-wrong"));
    assert.equal(await field.inputValue(), "", "a password is not sent back");
    assert.equal(await page.getByLabel("Organization").inputValue(), "Acme <b>&\"");
    assert.equal(await page.getByLabel("Your name").inputValue(), ADA.name);
    assert.equal(await page.getByLabel("E-mail address").inputValue(), ADA.email);
  }
  await look(page, "set-up-weak-password");
});

walk("the link makes the first account, once", async (walker) => {
  const page = await walker.open(server);
  await page.goto(server.setUpLink);
  await fill(page, ADA.password);
  await see(heading(page, "No tokens yet"));
  assert.equal(page.url(), `${server.url}/settings/tokens`);
  await see(page.getByText(ADA.organization).first());
  await look(page, "tokens-none-yet");

  walker.refusals(409);
  const stranger = await walker.open(server);
  await stranger.goto(server.setUpLink);
  await see(heading(stranger, "Hallpass is set up already"));
  await look(stranger, "set-up-again");
});
