// What other sites try with the browser of someone who is signed in.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { before } from "node:test";
import { atTheEnd, startServer, until, walk } from "./kit.mjs";
import { ADA, askGateway, setUpQuietly, signInQuietly } from "./people.mjs";

let server;
let client;
let foreign;
let served = "";
before(async () => {
  server = await startServer();
  await setUpQuietly(server);
  client = await signInQuietly(server);
  foreign = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(served));
  await new Promise((resume) => foreign.listen(0, "127.0.0.1", resume));
  atTheEnd(() => foreign.close());
});

// By another name it is another site; by the same address at another port only another origin, whose requests carry
// the cookies.
const sites = () => ["localhost", "127.0.0.1"].map((host) => `http://${host}:${foreign.address().port}/`);

const hidden = (fields) => Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join("");

async function sendForm(page, site, path, fields) {
  served = `<form method="post" action="${server.url}${path}">${hidden(fields)}<button>Win</button></form>`;
  await page.goto(site);
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url() === server.url + path),
    page.getByRole("button").click(),
  ]);
  return answer;
}

walk("no other site shows a page in a frame", async (walker) => {
  for (const site of sites()) {
    const page = await walker.open(server, { unwatched: true, cookies: client.cookies });
    const refused = [];
    page.on("console", (message) => refused.push(message.text()));
    for (const path of ["/sign-in", "/settings/tokens", "/settings/tokens/new", "/docs", "/assets/none.css"]) {
      served = `<iframe src="${server.url}${path}"></iframe>`;
      refused.length = 0;
      await page.goto(site);
      await until(`the frame of ${path} to be refused`, () => refused.some((text) => /frame-ancestors|X-Frame-Options/i.test(text)));
      // What stands in its place is a page of the browser's own.
      assert.notEqual(new URL(page.frames()[1].url() || "about:blank").origin, server.url, path);
    }
  }
});

walk("no other site sends a form in somebody's name", async (walker) => {
  const token = await client.makeToken("kept");
  const csrf = client.csrf;
  for (const site of sites()) {
    const page = await walker.open(server, { unwatched: true, cookies: client.cookies });
    for (const [path, fields] of [
      [`/settings/tokens/${token.id}/revoke`, { csrf }],
      [`/settings/tokens/${token.id}`, { csrf, name: "stolen", expires: "keep", may: "all" }],
      ["/settings/tokens/new", { csrf, name: "stolen", expires: "30", may: "all", key: "k" }],
      ["/settings/sessions/end-all", { csrf }],
      ["/sign-out", { csrf }],
      ["/sign-in", { email: ADA.email, password: ADA.password }],
    ]) {
      const answer = await sendForm(page, site, path, fields);
      assert.equal(answer.status(), 403, `${site} ${path}`);
      assert.equal(answer.headers()["set-cookie"], undefined, `${site} ${path}`);
    }
  }
  assert.equal((await askGateway(server, token.secret)).status, 204, "the token works on");
  assert.equal(await client.countTokens("stolen"), 0);
  assert.equal(await client.countTokens("kept"), 1);
});

walk("a form without its own value is refused, also from the pages themselves", async (walker) => {
  walker.refusals(403);
  const page = await walker.open(server, { cookies: client.cookies });
  for (const value of ["", "A".repeat(43)]) {
    await page.goto(`${server.url}/settings/tokens/new`);
    await page.locator('main input[name="csrf"]').evaluate((field, text) => (field.value = text), value);
    await page.getByLabel("Name", { exact: true }).fill("forged");
    await page.locator('input[value="api:read"]').check();
    await page.getByRole("button", { name: "Create token" }).click();
    await page.getByRole("heading", { name: "This request did not come from these pages" }).waitFor();
  }
  assert.equal(await client.countTokens("forged"), 0);
});

walk("no script of another site reads an answer", async (walker) => {
  for (const site of sites()) {
    const page = await walker.open(server, { unwatched: true, cookies: client.cookies });
    served = "<p>hello</p>";
    await page.goto(site);
    for (const path of ["/settings/tokens", "/v1/personal-access-tokens", "/openapi.json"]) {
      const read = await page.evaluate((url) => fetch(url, { credentials: "include" }).then((answer) => answer.text(), () => "refused"), server.url + path);
      assert.equal(read, "refused", `${site} ${path}`);
    }
  }
});
