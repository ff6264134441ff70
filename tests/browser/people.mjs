// What people do on the pages, and what programs do beside them.

import assert from "node:assert/strict";
import { until } from "./kit.mjs";

export const ADA = {
  organization: "Acme Rockets",
  name: "Ada Lovelace",
  email: "ada@acme-rockets.example",
  password: "analytical-engine-notes",
};

/** A token as people see it once. */
export const SECRET = /^hpp_[0-9A-Za-z_-]{44}$/;

const form = (fields) => ({ method: "POST", body: new URLSearchParams(fields), redirect: "manual" });

/** Makes the first account without a browser. */
export async function setUpQuietly(server, person = ADA) {
  const code = new URL(server.setUpLink).searchParams.get("code");
  const answer = await fetch(`${server.url}/setup`, form({ ...person, code }));
  assert.equal(answer.status, 303, await answer.text());
}

/** Signs in without a browser. */
export async function signInQuietly(server, { email, password } = ADA) {
  const answer = await fetch(`${server.url}/v1/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  const cookies = answer.headers.getSetCookie().map((line) => {
    const [name, value] = line.split(";")[0].split("=");
    return { name, value, url: server.url };
  });
  return new Client(server, cookies, (await answer.json()).csrf);
}

/** A program that holds a session. */
export class Client {
  constructor(server, cookies, csrf) {
    Object.assign(this, { server, cookies, csrf });
  }

  async call(method, path, body) {
    const answer = await fetch(`${this.server.url}${path}`, {
      method,
      headers: {
        cookie: this.cookies.map(({ name, value }) => `${name}=${value}`).join("; "),
        "x-hallpass-csrf": this.csrf,
        ...(body ? { "content-type": "application/json" } : {}),
      },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** Makes a token that works for 30 days and may `read` through the API. */
  makeToken(name, more = {}) {
    const expirationDate = new Date(Date.now() + 30 * 86_400_000).toISOString();
    return this.call("POST", "/v1/personal-access-tokens", { name, expirationDate, scope: ["api:read"], ...more });
  }

  revokeToken(id) {
    return this.call("DELETE", `/v1/personal-access-tokens/${id}`);
  }

  async countTokens(search) {
    return (await this.call("GET", `/v1/personal-access-tokens?search=${encodeURIComponent(search)}`)).items.length;
  }
}

/** What a proxy asks about a request that came with `secret`. */
export function askGateway(server, secret, { method = "GET", address = "/reports/daily", from = "198.51.100.7", agent = "curl/8.14.1" } = {}) {
  return fetch(server.gateway, {
    headers: {
      authorization: `Bearer ${secret}`,
      "x-original-method": method,
      "x-original-uri": address,
      "x-forwarded-for": from,
      "user-agent": agent,
    },
  });
}

export async function signIn(page, server, { email, password } = ADA) {
  await page.goto(`${server.url}/sign-in`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export const heading = (page, name) => page.getByRole("heading", { name, exact: true });
export const row = (page, name) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
export const names = (page) => page.locator("tbody .tokenname").allTextContents();

/** Waits until exactly one element is to be seen. */
export async function see(locator) {
  await locator.waitFor();
}

/** Fills in *New token* and creates it. `expires` and permissions are the words on the page. */
export async function fillNewToken(page, server, { name, expires, permissions = ["api:read"] }) {
  await page.goto(`${server.url}/settings/tokens/new`);
  await page.getByLabel("Name", { exact: true }).fill(name);
  if (expires) await page.getByLabel(expires, { exact: true }).check();
  for (const permission of permissions) await page.locator(`input[value="${permission}"]`).check();
}

export const createToken = (page) => page.getByRole("button", { name: "Create token" }).click();

/** Makes a token on the page and returns the text that is shown once. */
export async function makeToken(page, server, wish) {
  await fillNewToken(page, server, wish);
  await createToken(page);
  const secret = await page.getByRole("textbox", { name: "The token" }).textContent();
  assert.match(secret, SECRET);
  return secret;
}

/** Loads the page anew until `locator` is on it: what a program does shows up a little later. */
export async function seeSoon(page, locator) {
  await until(String(locator), async () => {
    if (await locator.count()) return true;
    await page.reload();
    return (await locator.count()) > 0;
  });
}
