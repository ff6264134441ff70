// Signing in and out, and where it leads.

import assert from "node:assert/strict";
import { before } from "node:test";
import { look, startServer, walk } from "./kit.mjs";
import { ADA, heading, see, setUpQuietly, signIn, signInQuietly } from "./people.mjs";

let server;
before(async () => {
  server = await startServer();
  await setUpQuietly(server);
});

walk("a wrong password and an unknown address get the same words", async (walker) => {
  walker.refusals(401);
  const page = await walker.open(server);
  const said = [];
  for (const person of [{ ...ADA, password: "not-the-engine-notes" }, { ...ADA, email: "nobody@acme-rockets.example" }]) {
    await signIn(page, server, person);
    said.push(await page.getByRole("alert").textContent());
    assert.equal(await page.getByLabel("E-mail address").inputValue(), person.email);
    assert.equal(await page.getByLabel("Password").inputValue(), "");
    assert.equal(await page.evaluate(() => document.activeElement.id), "password");
  }
  assert.deepEqual(said, Array(2).fill("The e-mail address or the password is not right."));
  await look(page, "sign-in-wrong");
});

walk("who signs in lands where they wanted to go; who signs out is out", async (walker) => {
  const page = await walker.open(server);
  await page.goto(`${server.url}/settings/sessions`);
  await see(heading(page, "Sign in"));
  await look(page, "sign-in");
  await page.getByLabel("E-mail address").fill(ADA.email);
  await page.getByLabel("Password").fill(ADA.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await see(heading(page, "Sign-in & sessions"));
  assert.equal(page.url(), `${server.url}/settings/sessions`);

  const cookies = await page.context().cookies();
  const session = cookies.find(({ name }) => name === "hallpass");
  assert.deepEqual([session.httpOnly, session.sameSite, session.path], [true, "Lax", "/"]);
  assert.equal(await page.evaluate(() => document.cookie), "", "no script sees a cookie");

  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await see(page.getByText("You are signed out."));
  await look(page, "sign-in-signed-out");
  await page.goto(`${server.url}/settings/tokens`);
  await see(heading(page, "Sign in"));

  await page.context().addCookies([session]);
  await page.goto(`${server.url}/settings/tokens`);
  await see(heading(page, "Sign in"));
});

walk("a form sent after the session ended is not lost silently", async (walker) => {
  const client = await signInQuietly(server);
  const page = await walker.open(server, { cookies: client.cookies });
  await page.goto(`${server.url}/settings/tokens/new`);
  await client.call("DELETE", "/v1/sessions/current");
  await page.getByLabel("Name", { exact: true }).fill("lost?");
  await page.getByRole("button", { name: "Create token" }).click();
  await see(page.getByText("Your session had ended, so what you sent was not done."));
  await look(page, "sign-in-session-over");
  await page.getByLabel("E-mail address").fill(ADA.email);
  await page.getByLabel("Password").fill(ADA.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await see(heading(page, "New token"));
});

const ELSEWHERE = [
  "//evil.example",
  "///evil.example",
  "////evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "\\/evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/\r/evil.example",
  "/%09/evil.example",
  "/%5cevil.example",
  "/%5Cevil.example",
  "/%2fevil.example",
  "/%2F%2Fevil.example",
  "%2f%2fevil.example",
  "https://evil.example",
  "https:evil.example",
  "https:/evil.example",
  "HTTPS:\\\\evil.example",
  "http://127.0.0.1.evil.example",
  "http:@evil.example",
  "@evil.example",
  "evil.example",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "/ok\r\nLocation: https://evil.example",
  "/%0d%0aLocation:%20https://evil.example",
  " //evil.example",
  "\u0000//evil.example",
  "/\u202e//evil.example",
  "/sign-in?next=//evil.example",
];

walk("no link to sign in leads elsewhere", async (walker) => {
  const client = await signInQuietly(server);
  const cookie = client.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  for (const asked of ELSEWHERE) {
    const link = `${server.url}/sign-in?next=${encodeURIComponent(asked)}`;
    const answer = await fetch(link, { headers: { cookie }, redirect: "manual" });
    assert.equal(answer.status, 303, asked);
    assert.equal(answer.headers.get("location"), "/", asked);
    const form = await (await fetch(link)).text();
    assert.ok(form.includes('name="next" value="/"'), `${asked}: the form keeps it`);
  }
  const page = await walker.open(server);
  for (const asked of ["//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)"]) {
    await page.context().clearCookies();
    await page.goto(`${server.url}/sign-in?next=${encodeURIComponent(asked)}`);
    // As if the form's own field had been changed on its way.
    await page.locator('input[name="next"]').evaluate((field, value) => (field.value = value), asked);
    await page.getByLabel("E-mail address").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await see(heading(page, "Personal access tokens"));
    assert.equal(page.url(), `${server.url}/settings/tokens`);
  }
});
