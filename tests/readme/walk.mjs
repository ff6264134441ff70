// The README's five minutes, and the five that set up an organization, word for word: every block marked `sh` runs in
// the terminal the text says, and every label in the text is looked for on the page that is open then.
//
// It runs in a copy of this repository's files, with this repository's folder of builds, so that nothing of the
// developer's is touched: `cargo xtask test --only readme`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { cp, mkdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { test } from "node:test";
import { Program, until, walk } from "../browser/kit.mjs";
import { ADA } from "../browser/people.mjs";
import { commandLines, follow, parts, section } from "./text.mjs";

const ROOT = new URL("../..", import.meta.url).pathname;
const BUILDS = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
const COPY = join(BUILDS, "readme");
const WALKED = ["Five minutes", "An organization in five minutes"];
const URL_OF_PEOPLE = "http://127.0.0.1:4377";
const PORTS = [4377, 4378, 4379, 8080, 8081];
/** A first build of everything takes this long on a slow machine. */
const BUILD_MILLISECONDS_MAX = 30 * 60_000;
const README = await readFile(join(ROOT, "README.md"), "utf8");
const BOB = { name: "Bob O'Brien", password: "twelve-seconds-of-flight" };
const fieldsOf = ({ organization, name, email, password }) => ({ Organization: organization, "Your name": name, "E-mail address": email, Password: password });
/** The whole of a token or key, which no block may print. */
const SECRET = /hp[pk]_[0-9A-Za-z]{44}/;

const run = promisify(execFile);

/** What a new user has: no setting of Hallpass's. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HALLPASS_|NODE_|CARGO_PKG_|CARGO_MANIFEST_)/.test(name)));
environment.CARGO_TARGET_DIR = BUILDS;
// What `hallpass login` keeps goes into the copy: not among the developer's own settings, nor into their keyring.
environment.XDG_CONFIG_HOME = join(COPY, "config");
environment.DBUS_SESSION_BUS_ADDRESS = `unix:path=${join(COPY, "no-bus")}`;

/** One terminal: a shell that lives as long as the walk. It is the first of its own group, which ends with it. */
class Terminal extends Program {
  #number = 0;

  constructor() {
    super("bash", ["--norc", "--noprofile"], { cwd: COPY, env: environment, stdio: ["pipe", "pipe", "pipe"], detached: true });
  }

  /** Types a block, and does not wait for its end. */
  type(text) {
    this.stdin.write(text);
  }

  /** Types a block, answers what it asks for, and waits for its end. */
  async run(code, answers = []) {
    this.#number += 1;
    const [from, end] = [this.said.length, `(end of block ${this.#number}: `];
    for (const text of [code, ...answers.map((answer) => `${answer}\n`), `printf '\\n%s%s)\\n' '${end}' "$?"\n`]) this.type(text);
    const [, status] = await this.waitFor(new RegExp(`${end.replace("(", "\\(")}(\\d+)\\)`));
    assert.equal(status, "0", `a block failed:\n${code}\n${this.output}`);
    return this.said.slice(from).split(end)[0];
  }
}

async function copyRepository() {
  const { stdout } = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT, maxBuffer: 1 << 26 });
  await rm(COPY, { recursive: true, force: true });
  for (const name of new Set(stdout.split("\0").filter(Boolean))) {
    const [from, to] = [join(ROOT, name), join(COPY, name)];
    if (!(await stat(from).catch(() => undefined))) continue;
    await mkdir(dirname(to), { recursive: true });
    // With its times, or cargo would build everything again.
    await cp(from, to, { preserveTimestamps: true });
  }
}

async function portsAreFree() {
  for (const port of PORTS) {
    await new Promise((resolve, reject) => {
      const server = createServer();
      server.once("error", () => reject(new Error(`port ${port} of 127.0.0.1 is taken; the README's walk needs ${PORTS.join(", ")}`)));
      server.listen(port, "127.0.0.1", () => server.close(resolve));
    });
  }
}

/** What people see of an element's words: some are for screen readers alone. */
const visibleWords = (element) => {
  const copy = element.cloneNode(true);
  for (const unseen of copy.querySelectorAll(".unseen, .count")) unseen.remove();
  return (copy.querySelector("code") && element.tagName === "LABEL" ? copy.querySelector("code") : copy).textContent.trim();
};

/** The only thing among `all` that says `words`, once the page is there. */
async function only(all, words, where) {
  let said;
  const exactlyOne = async () => {
    said = [];
    for (const one of await all.all()) said.push((await one.isVisible()) ? await one.evaluate(visibleWords) : "");
    return said.filter((text) => text === words).length === 1;
  };
  // A page that is left in the middle has nothing to say.
  await until(words, () => exactlyOne().catch(() => false)).catch(() => {
    assert.fail(`"${words}" is there ${said.filter((text) => text === words).length} times ${where}; there are: ${said.filter(Boolean).join(" · ")}`);
  });
  return all.nth(said.indexOf(words));
}

class Newcomer {
  constructor(page, server, walker) {
    Object.assign(this, { page, server, walker });
    this.fields = fieldsOf(ADA);
    this.answers = [];
    this.output = "";
  }

  /** A dialog hides what is behind it. */
  async scope() {
    const dialog = this.page.locator("dialog[open]");
    return (await dialog.count()) ? dialog : this.page.locator("body");
  }

  async choose(label, within) {
    const all = (within ?? (await this.scope())).locator("a, button");
    await (await only(all, label, `on ${this.page.url()}`)).click();
  }

  async field(label) {
    const found = this.page.getByLabel(label, { exact: true });
    // A page that was just asked for takes its time to come.
    await until(`the field ${label} on ${this.page.url()}`, async () => (await found.count()) === 1);
    return found;
  }

  row(name) {
    return this.page.getByRole("row").filter({ hasText: name });
  }

  /** Chooses or ticks what is called `label` in the group of fields with this `legend`. */
  async pick(label, legend) {
    const group = this.page.getByRole("group", { name: legend, exact: true });
    await (await only(group.locator("label"), label, `under ${legend}`)).click();
  }

  /** Whether the last block printed it. */
  printed(pattern) {
    assert.match(this.output, pattern);
  }
}

/** What the text of the second walk says besides. These come first: they are the longer ones. */
const organizationPhrases = (me) => [
  [/Open the link in a private window/, async () => {
    assert.match(me.link, /\/invitation\?code=[\w-]{43}$/);
    me.page = await me.walker.open({ url: URL_OF_PEOPLE });
    me.fields = fieldsOf(BOB);
    await me.page.goto(me.link);
  }],
  [/choose \*\*Copy\*\* and send it/, async () => {
    await me.choose("Copy");
    await me.page.getByText(/^Copied\. Send it/).waitFor();
    me.link = await me.page.evaluate(() => navigator.clipboard.readText());
  }],
  [/`([^`]+)` as \*([^*]+)\*/, async (text, label) => (await me.field(label)).fill(text)],
  [/take \*([^*]+)\* as \*([^*]+)\*/, async (option, label) => (await me.field(label)).selectOption({ label: option })],
  [/choose \*([^*]+)\* under \*([^*]+)\*/, (label, legend) => me.pick(label, legend)],
  [/Your own address and password/, () => me.answers.push(ADA.email, ADA.password)],
  [/[Tt]he verdict is `([^`]+)`/, (verdict) => me.printed(new RegExp(`^verdict +${verdict}$`, "m"))],
  [/`([^`]+)` would be `([^`]+)`/, (name, effect) => me.printed(new RegExp(`^${effect} .* ${name} .*\\bnever\\b`, "m"))],
  [/the newest is `([^`]+)`/, (action) => me.printed(new RegExp(`^NUMBER.*\\n\\d+ .* ${ADA.email} +${action} `, "m"))],
  [/the first line that is not as it was written, and there is `([^`]+)`/, (none) => me.printed(new RegExp(`^first bad line +${none}$`, "m"))],
];

/** What the text says to do and what it promises, in its own words. Each must be in it. */
const phrases = (me) => [
  ...organizationPhrases(me),
  [/It makes `\.\/(\S+)`/, async (folder) => assert.ok((await stat(join(COPY, folder))).isDirectory())],
  [/prints where it listens, and a link that works once/, async () => ([, me.link] = await me.server.waitFor(/^\s+(http\S+\/setup\?code=\S+)$/m))],
  [/Open the link/, () => me.page.goto(me.link)],
  [/Fill in ((?:\*[^*]+\*(?:, | and )?)+)/, async (list) => {
    for (const [, label] of list.matchAll(/\*([^*]+)\*/g)) {
      assert.ok(me.fields[label], `what belongs into ${label}?`);
      await (await me.field(label)).fill(me.fields[label]);
    }
  }],
  [/write `([^`]+)` as its \*([^*]+)\*/, async (text, label) => {
    me.name = text;
    await (await me.field(label)).fill(text);
  }],
  [/tick ((?:\*[^*]+\*(?:, | and )?)+) under \*([^*]+)\*/, async (list, legend) => {
    for (const [, label] of list.matchAll(/\*([^*]+)\*/g)) await me.pick(label, legend);
  }],
  [/tick \*([^*]+)\*/, async (label) => (await me.field(label)).check()],
  [/choose \*\*Copy\*\*/, async () => {
    await me.choose("Copy");
    await me.page.getByRole("button", { name: "Copied" }).waitFor();
    me.token = await me.page.evaluate(() => navigator.clipboard.readText());
    assert.match(me.token, /^hpp_\S{44}$/);
  }],
  [/[Cc]hoose \*\*([^*]+)\*\* in its row/, async (label) => {
    await me.choose(label, me.row(me.name));
    await me.page.getByRole("dialog").waitFor();
  }],
  [/read what it says/, async () => assert.match(await me.page.getByRole("dialog").innerText(), new RegExp(`${me.name}[\\s\\S]*GET /reports/daily`))],
  [/(?:[Cc]hoose|, then) \*\*([^*]+)\*\*/, (label) => me.choose(label)],
  [/In a second terminal, paste the token/, () => me.answers.push(me.token)],
  [/Without a token nginx says `([^`]+)`/, (words) => assert.ok(me.output.includes(words), me.output)],
  [/With it, the service behind learns who is asking/, () => (me.expected = `hello ${ADA.name}, by ${me.name}`)],
  [/Open \*([^*]+)\* again/, async (label) => {
    await me.page.goto(new URL("/settings/sessions", me.page.url()).href);
    await me.choose(label);
    await me.page.getByRole("heading", { level: 1, name: label, exact: true }).waitFor();
  }],
  [/The row of `([^`]+)` says when it was last used, for `([^`]+)`, and from which address/, async (name, request) => {
    assert.equal(name, me.name);
    const said = async () => {
      const text = await me.row(name).innerText();
      if (text.includes(request) && text.includes("127.0.0.1") && /just now|seconds? ago/.test(text)) return true;
      await me.page.reload();
      return false;
    };
    await until(`the row to say ${request}`, said);
  }],
  [/It is a (\d+), on the very next request, and `([^`]+)` says that the token was (revoked)/, (status, header, word) => {
    assert.match(me.output, new RegExp(`^HTTP/1\\.1 ${status} `, "m"));
    assert.match(me.output, new RegExp(`^${header}: .*${word}`, "im"));
  }],
];

/** If the walk ended early: by the id in its file. */
function stopNginx() {
  try {
    process.kill(Number(readFileSync(join(COPY, "walk/nginx.pid"), "utf8")), "SIGTERM");
  } catch (error) {
    if (!["ENOENT", "ESRCH"].includes(error.code)) throw error;
  }
}
process.once("exit", stopNginx);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

walk("the five minutes, and an organization in five more", async (walker) => {
  await portsAreFree();
  await copyRepository();
  const steps = WALKED.flatMap((title) => parts(section(README, title)));
  const [server, second] = [new Terminal(), new Terminal()];
  try {
    const page = await walker.open({ url: URL_OF_PEOPLE });
    const me = new Newcomer(page, server, walker);
    const [all, done] = [phrases(me), new Set()];
    let blocks = 0;
    for (const { words, language, code } of steps) {
      if (words) await follow(words, all, done);
      if (language !== "sh") continue;
      blocks += 1;
      if (blocks === 1) {
        server.type(`${code}printf '\\n(%s ended)\\n' 'what was started'\n`);
        // Whoever waits for a build wants to see it.
        server.show((text) => process.stderr.write(text));
        const [came] = await server.waitFor(/Nobody can sign in yet|what was started ended/, BUILD_MILLISECONDS_MAX);
        assert.match(came, /Nobody/, "the server did not start; see above why");
        server.show(undefined);
        continue;
      }
      me.output = await second.run(code, me.answers.splice(0));
      assert.doesNotMatch(second.output, SECRET, "a block shows a secret");
      if (me.expected) assert.ok(me.output.includes(me.expected), me.output);
      me.expected = undefined;
    }
    assert.deepEqual(all.map(([pattern]) => pattern).filter((pattern) => !done.has(pattern)).map(String), [], "the text does not say this any more");
    assert.deepEqual(me.answers, [], "not everything was asked for");
    assert.ok(blocks >= 16, `only ${blocks} blocks`);
    await until("nginx to end", () => stat(join(COPY, "walk/nginx.pid")).then(() => false, () => true));
  } finally {
    stopNginx();
    for (const terminal of [second, server]) await terminal.stopGroup();
    await rm(COPY, { recursive: true, force: true });
  }
});

test("every other command of the README is one that there is", async () => {
  const hallpass = join(BUILDS, "release/hallpass");
  const commands = [];
  for (const { code } of parts(README)) {
    if (!code) continue;
    commands.push(...commandLines(code, "hallpass"), ...commandLines(code, "cargo run --release --"));
  }
  for (const [, line] of README.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`hallpass ([^`]+)`/g)) commands.push(line.split(/\s+/));
  assert.ok(commands.length >= 8, `only ${commands.length} commands`);
  for (const words of commands) {
    const flags = words.filter((word) => word.startsWith("--"));
    const help = async (...names) => (await run(hallpass, [...names, "--help"], { env: environment })).stdout;
    let stdout = await help(...words.slice(0, 1).filter((word) => !word.startsWith("--")));
    // One of a group, such as `token create`: its own help says which flags it has.
    if (/^Usage: hallpass \w+ <COMMAND>$/m.test(stdout) && words.length > 1) stdout = await help(words[0], words[1]);
    for (const flag of flags) assert.match(stdout, new RegExp(`^\\s+(-\\w, )?${flag}\\b`, "m"), `hallpass ${words.join(" ")}`);
  }
});
