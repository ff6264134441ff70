// The kit sees what it is there to see: each page here is wrong in one way.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { before, test } from "node:test";
import { Walker, accessible, atTheEnd, look, until } from "./kit.mjs";

const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src *; img-src 'self'";
const page = (body) => `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>A page</title><main><h1>A page</h1><p>It has words.</p>${body}</main></html>`;

const WRONG = {
  console: [page("<script>console.warn('hm')</script>"), /console warning: hm/],
  error: [page("<script>undefined.x</script>"), /script error: TypeError/],
  policy: [page("<p style='color: red'>red</p>"), /policy: style-src-attr refused inline/],
  alert: [page("<script>alert(1)</script>"), /a script asked: 1/],
  elsewhere: [page("<script>fetch('http://127.0.0.1:9/x').catch(() => {})</script>"), /asked elsewhere: http:\/\/127\.0\.0\.1:9\/x/],
  missing: [page("<img alt='none' src='/absent'>"), /404 for GET/],
};

let server;
before(async () => {
  const http = createServer(({ url }, answer) => {
    const [text] = WRONG[url.slice(1)] ?? [page(new URL(url, "http://x").searchParams.get("body") ?? "")];
    const status = url === "/absent" ? 404 : 200;
    answer.writeHead(status, { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY }).end(url === "/absent" ? "" : text);
  });
  await new Promise((resume) => http.listen(0, "127.0.0.1", resume));
  atTheEnd(() => http.close());
  server = { url: `http://127.0.0.1:${http.address().port}` };
});

async function visit(path, work) {
  const walker = new Walker();
  try {
    const opened = await walker.open(server);
    await opened.goto(`${server.url}/${path}`);
    return await work(walker, opened);
  } finally {
    await walker.close();
  }
}

for (const [name, [, expected]] of Object.entries(WRONG)) {
  test(`a walk fails on: ${name}`, () =>
    visit(name, async (walker) => {
      await until(String(expected), () => walker.problems.some((problem) => expected.test(problem)));
      assert.throws(() => walker.check());
    }));
}

test("a page that is right is let pass, and a refusal that never comes is missed", () =>
  visit("", async (walker, opened) => {
    walker.check();
    await look(opened, "kit");
    walker.refusals(418);
    assert.throws(() => walker.check(), /no answer was a 418/);
  }));

test("what cannot be accessed, and what is too wide, is seen", async () => {
  const body = (text) => `?body=${encodeURIComponent(text)}`;
  await visit(body("<input>"), (_, opened) => assert.rejects(accessible(opened, "here"), /label/));
  await visit(body(`<p>${"W".repeat(300)}</p>`), (_, opened) => assert.rejects(look(opened, "kit"), /wider than the window/));
});
