// What runs an organization: members, invitations, roles, and the organizations of a deployment.

import assert from "node:assert/strict";
import { before } from "node:test";
import { look, startServer, walk } from "./kit.mjs";
import { ADA, askGateway, heading, row, see, setUpQuietly, signIn, signInQuietly } from "./people.mjs";

const BOB = { name: "Bob O'Brien", email: "bob@acme-rockets.example", password: "twelve-seconds-of-flight" };

let demo;
let server;
before(async () => {
  demo = await startServer({ demo: true });
  server = await startServer();
  await setUpQuietly(server);
});

const rail = (page) => page.getByRole("navigation", { name: "Settings" });
const railLinks = (page) => rail(page).getByRole("link").allTextContents();
const button = (page, name) => page.getByRole("button", { name, exact: true });

async function signInTo(walker, name) {
  const email = `${name}@acme-rockets.example`;
  const [, password] = demo.printed().match(new RegExp(`${email}\\s+(\\S+)`));
  const page = await walker.open(demo);
  await signIn(page, demo, { email, password });
  return page;
}

/** Invites on the page and returns the link that is shown once. */
async function invite(page, email, role) {
  await page.goto(`${server.url}/settings/organization/members/invite`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Role", { exact: true }).selectOption({ label: role });
  await button(page, "Create link").click();
  return page.getByRole("textbox", { name: "The link" }).textContent();
}

walk("the demo's organization is there to look at", async (walker) => {
  const page = await signInTo(walker, "ada");
  assert.deepEqual(await railLinks(page), ["Personal access tokens", "Sign-in & sessions", "Members", "Roles & permissions", "API keys", "All tokens", "Policy", "Audit", "Organization", "Organizations", "Users", "API reference"]);
  await rail(page).getByRole("link", { name: "Members" }).click();
  await see(heading(page, "Members"));
  assert.match(await row(page, "Katherine Johnson").innerText(), /suspended/);
  assert.match(await row(page, "Alan Turing").innerText(), /not allowed[\s\S]*1 token at rest/);
  await look(page, "members-demo");
  await page.getByLabel("Role", { exact: true }).selectOption({ label: "Viewer" });
  await button(page, "Find").click();
  assert.deepEqual(await page.locator("tbody .tokenname").allTextContents(), ["Dorothy Vaughan"]);
  await page.getByRole("searchbox").fill("nobody at all");
  await button(page, "Find").click();
  await see(heading(page, "Nobody found"));
  await look(page, "members-nobody");

  await page.goto(`${demo.url}/settings/organization/members`);
  await row(page, "Alan Turing").getByRole("link", { name: "Alan Turing" }).click();
  await see(heading(page, "Alan Turing"));
  await look(page, "member-demo");
  await page.getByRole("link", { name: "Remove…" }).click();
  await see(page.getByRole("dialog", { name: "Remove Alan Turing?" }));
  await look(page, "member-remove-dialog");
  await page.getByRole("link", { name: "Keep them" }).click();

  await page.goto(`${demo.url}/settings/organization/members/invite`);
  await see(page.getByText("mae@acme-rockets.example", { exact: true }));
  await look(page, "invite-demo");

  await rail(page).getByRole("link", { name: "Roles & permissions" }).click();
  await see(heading(page, "Roles & permissions"));
  await look(page, "roles-demo");
  await page.getByRole("link", { name: "Launch crew", exact: true }).click();
  await see(heading(page, "Launch crew"));
  assert.ok(await page.locator('input[value="deploy:*"]').isChecked());
  await look(page, "role-demo");

  for (const [path, name] of [["organization", "organization-demo"], ["deployment/organizations", "organizations-demo"], ["deployment/organizations/new", "organization-new"], ["deployment/users", "users-demo"], ["deployment/permissions/new", "permission-new"]]) {
    await page.goto(`${demo.url}/settings/${path}`);
    await look(page, name);
  }
  await page.goto(`${demo.url}/settings/deployment/organizations`);
  await page.getByRole("link", { name: "West Area Computers" }).click();
  await see(heading(page, "West Area Computers"));
  await look(page, "organization-one");
});

walk("in two organizations, the bar says which one is in force", async (walker) => {
  const page = await signInTo(walker, "ada");
  const menu = page.locator(".places");
  await menu.locator("summary").click();
  await see(menu.getByText("Superuser · in force"));
  await look(page, "organization-menu");
  await page.keyboard.press("Escape");
  assert.equal(await menu.evaluate((details) => details.open), false);
  await menu.locator("summary").click();
  await menu.getByRole("button", { name: /West Area Computers/ }).click();
  await see(menu.locator("summary").getByText("West Area Computers"));
  assert.deepEqual(await railLinks(page), ["Personal access tokens", "Sign-in & sessions", "API reference"], "a member there");
  await see(heading(page, "No tokens yet"));

  const plain = await walker.open(demo, { script: false, cookies: await page.context().cookies() });
  await plain.goto(demo.url);
  await plain.locator(".places summary").click();
  await plain.getByRole("button", { name: /Acme Rockets/ }).click();
  await see(plain.locator(".places summary").getByText("Acme Rockets"));
});

walk("whoever holds less sees less", async (walker) => {
  walker.refusals(403);
  const page = await signInTo(walker, "margaret");
  assert.deepEqual(await railLinks(page), ["Personal access tokens", "Sign-in & sessions", "Members", "Roles & permissions", "API keys", "All tokens", "Policy", "Audit", "API reference"]);
  await page.goto(`${demo.url}/settings/organization/members`);
  await row(page, "Ada Lovelace").getByRole("link", { name: "Ada Lovelace" }).click();
  await see(page.getByText("holds more than yours"));
  assert.equal(await page.getByRole("link", { name: "Suspend…" }).count(), 0);
  await look(page, "member-above");
  await page.goto(`${demo.url}/settings/deployment/users`);
  await see(heading(page, "Your role does not allow this"));
  await look(page, "role-does-not-allow");
  assert.equal((await railLinks(page)).length, 9, "the way to every other page stays");

  await page.setViewportSize({ width: 375, height: 900 });
  assert.equal((await railLinks(page)).length, 0, "a narrow window has a menu, and it is closed");
  await page.getByText("Menu", { exact: true }).click();
  assert.equal((await railLinks(page)).length, 9);
  await rail(page).getByRole("link", { name: "All tokens" }).click();
  await see(heading(page, "All tokens"));
});

walk("invited, accepted, and taken back", async (walker) => {
  walker.refusals(400, 403);
  const ada = await walker.open(server, { cookies: (await signInQuietly(server)).cookies });
  const link = await invite(ada, BOB.email, "Member");
  assert.match(link, /\/invitation\?code=[\w-]{43}$/);
  await button(ada, "Copy").click();
  assert.equal(await ada.evaluate(() => navigator.clipboard.readText()), link);
  await see(ada.getByText("Copied. Send it to them and to nobody else."));
  await look(ada, "invited");
  await ada.goto(`${server.url}/settings/organization/members/invite`);
  assert.ok(!(await ada.content()).includes(new URL(link).searchParams.get("code")), "shown once");

  const bob = await walker.open(server);
  await bob.goto(link);
  await see(heading(bob, `You are invited to ${ADA.organization}`));
  await look(bob, "invitation");
  await bob.getByLabel("Your name").fill(BOB.name);
  await bob.getByLabel("Password").fill("short");
  await button(bob, "Create account and sign in").click();
  await see(bob.locator("#password-wrong"));
  assert.equal(await bob.getByLabel("Your name").inputValue(), BOB.name);
  await look(bob, "invitation-wrong-password");
  await bob.getByLabel("Password").fill(BOB.password);
  await button(bob, "Create account and sign in").click();
  await see(heading(bob, "Personal access tokens"));
  const again = await walker.open(server);
  await again.goto(link);
  await see(heading(again, "This invitation does not work"));
  await look(again, "invitation-used");

  const { secret } = await (await signInQuietly(server, BOB)).makeToken("bob's");
  assert.equal((await askGateway(server, secret)).status, 204);
  await ada.goto(`${server.url}/settings/organization/members`);
  await row(ada, BOB.name).getByRole("link", { name: BOB.name }).click();
  await see(ada.getByText("their token stops working at once"));
  await ada.getByLabel("Can create and manage personal access tokens").uncheck();
  await button(ada, "Save changes").click();
  await see(ada.getByText("Their token rests."));
  assert.equal((await askGateway(server, secret)).status, 401, "the gate is closed");
  await bob.reload();
  await see(heading(bob, "You may not have tokens here"));
  assert.deepEqual(await railLinks(bob), ["Sign-in & sessions", "API reference"]);
  await ada.getByLabel("Can create and manage personal access tokens").check();
  await button(ada, "Save changes").click();
  assert.equal((await askGateway(server, secret)).status, 204, "and open again");
  await ada.getByRole("link", { name: "Suspend…" }).click();
  await see(ada.getByRole("dialog", { name: `Suspend ${BOB.name}?` }).getByText("1 token"));
  await look(ada, "member-suspend");
  await button(ada, "Suspend").click();
  await see(button(ada, "Resume"));
  assert.equal((await askGateway(server, secret)).status, 401);
  await look(ada, "member-suspended");
  await button(ada, "Resume").click();
  await ada.getByRole("link", { name: "Remove…" }).click();
  await button(ada, "Remove").click();
  await see(ada.getByText("They are no longer a member"));
  assert.equal((await askGateway(server, secret)).status, 401);
});

walk("the last superuser stays, and is told so kindly", async (walker) => {
  walker.refusals(409);
  const page = await walker.open(server, { cookies: (await signInQuietly(server)).cookies });
  await page.goto(`${server.url}/settings/organization/members`);
  await row(page, ADA.name).getByRole("link", { name: ADA.name }).click();
  await page.getByLabel("Role", { exact: true }).selectOption({ label: "Viewer (no tokens)" });
  await button(page, "Save changes").click();
  await see(page.getByText("This is the last active superuser"));
  assert.equal(await page.getByLabel("Role", { exact: true }).locator("option:checked").textContent(), "Viewer (no tokens)", "kept as chosen");
  await look(page, "last-superuser");
});

walk("a role is made, given, shrunk and deleted", async (walker) => {
  walker.refusals(400);
  const client = await signInQuietly(server);
  const page = await walker.open(server, { cookies: client.cookies });
  await page.goto(`${server.url}/settings/deployment/permissions/new`);
  for (const name of ["pad:arm", "pad:read"]) {
    await page.goto(`${server.url}/settings/deployment/permissions/new`);
    await page.getByLabel("Permission", { exact: true }).fill(name);
    await page.getByLabel("What it allows").fill("Concerns the launch pad");
    await page.getByLabel("High", { exact: true }).check();
    await button(page, "Create permission").click();
    await see(page.getByText("The catalogue is changed."));
  }
  await page.getByRole("link", { name: "New role" }).click();
  await page.getByLabel("Name", { exact: true }).fill("   ");
  await page.locator('input[value="pad:*"]').check();
  await button(page, "Create role").click();
  await see(page.locator("#name-wrong"));
  assert.ok(await page.locator('input[value="pad:*"]').isChecked(), "kept as it was ticked");
  await look(page, "role-new-wrong");
  await page.getByLabel("Name", { exact: true }).fill("Pad crew");
  await button(page, "Create role").click();
  await see(page.getByText("The role is there."));
  assert.match(await row(page, "Pad crew").innerText(), /pad:\*/);

  const link = await invite(page, "eve@acme-rockets.example", "Pad crew");
  const eve = await walker.open(server, { script: false });
  await eve.goto(link);
  await eve.getByLabel("Your name").fill("Eve");
  await eve.getByLabel("Password").fill(BOB.password);
  await button(eve, "Create account and sign in").click();
  await see(heading(eve, "Personal access tokens"));

  await page.goto(`${server.url}/settings/organization/roles`);
  await row(page, "Pad crew").getByRole("link", { name: /Delete/ }).click();
  const dialog = page.getByRole("dialog", { name: "Delete the role Pad crew?" });
  await see(dialog);
  await look(page, "role-delete-dialog");
  await dialog.getByLabel("Move its 1 member to").selectOption({ label: "Viewer (no tokens)" });
  await button(dialog, "Delete").click();
  await see(page.getByText("The role is gone."));
  await page.goto(`${server.url}/settings/organization/members`);
  assert.match(await row(page, "Eve").innerText(), /Viewer/);
});

walk("an organization is made, and its first superuser invited", async (walker) => {
  const page = await walker.open(server, { cookies: (await signInQuietly(server)).cookies });
  await page.goto(`${server.url}/settings/deployment/organizations/new`);
  await page.getByLabel("Name").fill("Bell Labs");
  await page.getByLabel("E-mail address of its first superuser").fill(ADA.email);
  await button(page, "Create organization").click();
  await see(page.getByText("The organization is there."));
  await look(page, "organization-made");
  const link = await page.getByRole("textbox", { name: "The link" }).textContent();
  const other = await walker.open(server);
  await other.goto(link);
  await see(other.getByText("There is an account with this address. Accept with its password."));
  await look(other, "invitation-account");
  await other.getByLabel("Password").fill(ADA.password);
  await button(other, "Accept and sign in").click();
  await see(other.locator(".places summary").getByText("Bell Labs"));
  assert.ok(!(await railLinks(other)).includes("Users"), "the deployment is run from its own organization");

  await page.goto(`${server.url}/settings/deployment/organizations`);
  await page.getByRole("link", { name: "Bell Labs" }).click();
  await page.getByRole("link", { name: "Suspend…" }).click();
  await see(page.getByRole("dialog", { name: "Suspend Bell Labs?" }).getByText("1 member can no longer sign in there."));
  await look(page, "organization-suspend");
  await button(page, "Suspend").click();
  await see(button(page, "Resume"));
  await other.goto(`${server.url}/settings/organization`);
  await see(heading(other, "Sign in"));
  await button(page, "Resume").click();
  await see(page.getByText("Saved."));
});
