// Names, descriptions and traces that look like markup, in every place where they are shown.

import assert from "node:assert/strict";
import { before } from "node:test";
import { look, startServer, walk } from "./kit.mjs";
import { ADA, askGateway, row, see, seeSoon, setUpQuietly, signInQuietly } from "./people.mjs";

const NAMES = [
  "</script><svg onload=alert(1)>",
  "\"><img src=x onerror=alert(1)>",
  "'><b onmouseover='alert(1)'>",
  "{{ 7 * 7 }} ${7 * 7} <%= 7 * 7 %>",
  "javascript:alert(1)",
  "&lt;b&gt; &amp; &#60;",
  "שלום עולם (1)",
  "<!--",
];
const EVIL = "<img src=x onerror=alert(2)>";

let server;
let client;
before(async () => {
  server = await startServer({ settings: `[[permission]]\nname = "api:read"\ndescription = '''"></label><svg onload=alert(3)>'''\n` });
  await setUpQuietly(server, { ...ADA, organization: `Acme ${EVIL}`, name: "<script>alert(4)</script>" });
  client = await signInQuietly(server);
});

/** No element of the page that the pages themselves do not make. */
async function isClean(page, where) {
  const strange = await page.evaluate(() => {
    const all = [...document.querySelectorAll("*")];
    const handled = all.filter((element) => [...element.attributes].some(({ name, value }) => name.startsWith("on") || /^\s*javascript:/i.test(value)));
    const made = document.querySelectorAll("img, iframe, object, embed, b, svg[onload], script:not([src^='/assets/'])");
    // A field keeps what was typed; that is text.
    return [...handled, ...made].filter((element) => element.tagName !== "INPUT").map((element) => element.outerHTML);
  });
  assert.deepEqual(strange, [], where);
}

walk("names are text", async (walker) => {
  const page = await walker.open(server, { cookies: client.cookies });
  for (const name of NAMES) {
    const { id, secret } = await client.makeToken(name);
    await askGateway(server, secret, { address: `/${EVIL}`, agent: EVIL, from: "198.51.100.7" });
    await page.goto(`${server.url}/settings/tokens?search=${encodeURIComponent(name)}`);
    await seeSoon(page, row(page, name).getByText("198.51.100.7"));
    await isClean(page, `the list with ${name}`);

    await row(page, name).getByRole("link", { name: /Revoke/ }).click();
    const dialog = page.getByRole("dialog");
    await see(dialog);
    assert.ok((await dialog.getByRole("heading").textContent()).includes(name));
    await isClean(page, `the dialog with ${name}`);

    await page.goto(`${server.url}/settings/tokens/${id}`);
    assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), name);
    assert.ok((await page.title()).includes(name));
    await isClean(page, `the page of ${name}`);
    await page.getByRole("link", { name: "Revoke…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await see(page.getByRole("status").getByText(name));
    await isClean(page, `the list without ${name}`);
  }
  await page.goto(`${server.url}/settings/tokens?state=revoked`);
  await look(page, "list-hostile-names");
});

walk("what was typed is text", async (walker) => {
  walker.refusals(400, 401, 404);
  const page = await walker.open(server, { cookies: client.cookies });
  for (const path of [
    `/settings/tokens?search=${encodeURIComponent(EVIL)}`,
    `/settings/tokens?search=${encodeURIComponent("\"><svg onload=alert(5)>")}&sort=${encodeURIComponent(EVIL)}&state=${encodeURIComponent(EVIL)}`,
    `/settings/tokens?revoked=${encodeURIComponent(EVIL)}`,
    `/settings/tokens/${encodeURIComponent(EVIL)}`,
    `/${encodeURIComponent(EVIL)}`,
    "/settings/tokens/new",
    "/settings/sessions",
  ]) {
    await page.goto(server.url + path);
    await isClean(page, path);
  }
  await page.goto(`${server.url}/settings/tokens/new`);
  await page.getByLabel("Name", { exact: true }).fill(`${EVIL}${"x".repeat(80)}`);
  await page.getByRole("button", { name: "Create token" }).click();
  await see(page.locator("main [role=alert]"));
  await isClean(page, "the form again");
  await page.context().clearCookies();
  await page.goto(`${server.url}/sign-in`);
  await page.locator("#email").evaluate((field) => (field.type = "text"));
  await page.getByLabel("E-mail address").fill(`"><svg onload=alert(6)>`);
  await page.getByLabel("Password").fill(EVIL);
  await page.getByRole("button", { name: "Sign in" }).click();
  await see(page.getByRole("alert"));
  await isClean(page, "sign-in again");
});

walk("what a browser calls itself is text", async (walker) => {
  await fetch(`${server.url}/v1/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": `${EVIL.replaceAll(" ", "/")}` },
    body: JSON.stringify({ email: ADA.email, password: ADA.password }),
  });
  const page = await walker.open(server, { cookies: client.cookies });
  await page.goto(`${server.url}/settings/sessions`);
  await see(page.getByText("<img/src=x").first());
  await isClean(page, "the sessions");
});
