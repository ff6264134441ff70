// What every walk through the pages starts from: a server of its own, and a Chromium that watches itself.
//
// A walk fails on anything that a careful person would see in the browser's console, on any report of the content
// security policy, on any request that goes elsewhere, on any answer of 500 and above. A refusal that belongs to the
// walk is announced with `refusals`, and must then come.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { chromium } from "playwright-core";

const START_MILLISECONDS_MAX = 60_000;
const STOP_MILLISECONDS_MAX = 30_000;
export const WAIT_MILLISECONDS_MAX = 20_000;
const PAUSE_MILLISECONDS = 20;
const WIDTHS = [375, 1440];
const HEIGHT = 900;
const SCHEMES = ["light", "dark"];
const SCREENSHOTS = new URL("screenshots/", import.meta.url).pathname;

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests with \`cargo xtask test --only browser\``);
  return value;
}

const ends = [];

/** What is to be done when the tests of this file are over, the last first. */
export const atTheEnd = (work) => ends.push(work);

// Said here and not in `before`, whose own end it would be.
after(async () => {
  for (const work of ends.reverse()) await work();
});

/** Looks again and again until `look` gives something true; only for what cannot report by itself. */
export async function until(what, look) {
  const end = Date.now() + WAIT_MILLISECONDS_MAX;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((resume) => setTimeout(resume, PAUSE_MILLISECONDS));
  }
}

/** A child process whose output is kept; it is stopped by its own id. */
export class Program {
  /** Everything, in the order of its arrival. */
  output = "";
  /** Standard output alone. */
  said = "";
  #child;
  #ended;
  #heard = new Set();
  #shown;

  constructor(command, args, options) {
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code, signal) => resolve(code ?? signal));
    });
    this.#ended.catch(() => {});
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.output += text;
        if (stream === this.#child.stdout) this.said += text;
        this.#shown?.(text);
        for (const listener of this.#heard) listener();
      });
    }
    const kill = () => (options.detached ? this.#signalGroup("SIGKILL") : this.#child.kill("SIGKILL"));
    process.once("exit", kill);
    this.#ended.finally(() => process.off("exit", kill)).catch(() => {});
  }

  /** Hands everything that is printed from now on to `shown`, too. */
  show(shown) {
    this.#shown = shown;
  }

  get stdin() {
    return this.#child.stdin;
  }

  /** What `pattern` finds first in the output so far and to come. */
  async waitFor(pattern, milliseconds = START_MILLISECONDS_MAX) {
    let listener;
    let timer;
    const found = new Promise((resolve, reject) => {
      listener = () => {
        const match = this.output.match(pattern);
        if (match) resolve(match);
      };
      this.#heard.add(listener);
      listener();
      const fail = (why) => reject(new Error(`${pattern} was not printed ${why}; this was:\n${this.output}`));
      timer = setTimeout(() => fail("in time"), milliseconds);
      this.#ended.then((code) => fail(`before it ended (${code})`), reject);
    });
    try {
      return await found;
    } finally {
      clearTimeout(timer);
      this.#heard.delete(listener);
    }
  }

  #signalGroup(signal) {
    try {
      process.kill(-this.#child.pid, signal);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  }

  /** Ends everything in the group that a detached program is the first of, as Ctrl+C does. */
  stopGroup() {
    this.#signalGroup("SIGINT");
    return this.stop();
  }

  async stop() {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MILLISECONDS_MAX);
    const code = await this.#ended;
    clearTimeout(timer);
    return code;
  }
}

/**
 * A server on free ports with a data folder of its own, stopped when the file's tests are over.
 * `settings` is the text of its `hallpass.toml`.
 */
export async function startServer({ demo = false, settings = "" } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "hallpass-browser-"));
  await writeFile(join(folder, "hallpass.toml"), settings);
  const listen = ["--listen", "--gateway-listen", "--ops-listen"].flatMap((flag) => [flag, "127.0.0.1:0"]);
  const program = new Program(required("HALLPASS_BIN"), ["serve", "--data", "data", ...listen, ...(demo ? ["--demo"] : [])], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
  });
  atTheEnd(async () => {
    const code = await program.stop();
    await rm(folder, { recursive: true });
    assert.equal(code, 0, `the server did not stop well:\n${program.output}`);
    assert.doesNotMatch(program.output, /"level":"ERROR"/, program.output);
  });
  const printed = async (pattern) => (await program.waitFor(pattern))[1];
  return {
    url: await printed(/People and API\s+(http\S+)/),
    gateway: await printed(/Gateways\s+(http\S+)/),
    setUpLink: demo ? undefined : await printed(/^\s+(http\S+\/setup\?code=\S+)$/m),
    printed: () => program.output,
  };
}

let browser;

async function chromiumOfThisFile() {
  if (!browser) {
    browser = await chromium.launch({
      executablePath: required("HALLPASS_CHROMIUM"),
      args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
    });
    atTheEnd(() => browser.close());
  }
  return browser;
}

/** A test that walks through the pages in browsers of its own. */
export function walk(name, body) {
  test(name, async () => {
    const walker = new Walker();
    try {
      await body(walker);
      walker.check();
    } catch (error) {
      await walker.keep(`failed-${name.replace(/\W+/g, "-")}`);
      if (walker.problems.length > 0) error.message += `\nThe browser said:\n  ${walker.problems.join("\n  ")}`;
      throw error;
    } finally {
      await walker.close();
    }
  });
}

export class Walker {
  problems = [];
  #contexts = [];
  #refusals = new Map();

  /** The answers of 400 and above that belong to this walk. */
  refusals(...statuses) {
    for (const status of statuses) if (!this.#refusals.has(status)) this.#refusals.set(status, 0);
  }

  /** A page in a new browser profile, for `server` alone. `unwatched` for walks on other people's sites. */
  async open(server, { script = true, unwatched = false, cookies = [] } = {}) {
    const context = await (await chromiumOfThisFile()).newContext({
      javaScriptEnabled: script,
      reducedMotion: "reduce",
      viewport: { width: WIDTHS.at(-1), height: HEIGHT },
      locale: "en-GB",
      timezoneId: "UTC",
    });
    this.#contexts.push(context);
    context.setDefaultTimeout(WAIT_MILLISECONDS_MAX);
    context.setDefaultNavigationTimeout(WAIT_MILLISECONDS_MAX);
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
    await context.addCookies(cookies);
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => console.error(`policy: ${effectiveDirective} refused ${blockedURI}`));
    });
    const page = await context.newPage();
    if (!unwatched) this.#watch(page, server);
    return page;
  }

  #watch(page, server) {
    const say = (what) => this.problems.push(`${new URL(page.url()).pathname}: ${what}`);
    page.on("pageerror", (error) => say(`script error: ${error.stack}`));
    page.on("dialog", (dialog) => {
      say(`a script asked: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
    page.on("console", (message) => {
      const refused = message.text().match(/^Failed to load resource: the server responded with a status of (\d+)/);
      // Refusals are counted by their answers below.
      if (!refused && ["error", "warning"].includes(message.type())) say(`console ${message.type()}: ${message.text()}`);
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== server.url) say(`asked elsewhere: ${request.url()}`);
    });
    page.on("requestfailed", (request) => {
      // Leaving a page stops what it was loading.
      if (request.failure()?.errorText !== "net::ERR_ABORTED") say(`failed: ${request.url()} ${request.failure()?.errorText}`);
    });
    page.on("response", (response) => {
      const status = response.status();
      if (status < 400) return;
      const seen = this.#refusals.get(status);
      if (seen === undefined) say(`${status} for ${response.request().method()} ${response.url()}`);
      else this.#refusals.set(status, seen + 1);
    });
  }

  check() {
    for (const [status, seen] of this.#refusals) if (seen === 0) this.problems.push(`no answer was a ${status}`);
    assert.deepEqual(this.problems, []);
  }

  /** Pictures of what is open, for whoever looks into a failure. */
  async keep(name) {
    const pages = this.#contexts.flatMap((context) => context.pages());
    for (const [number, page] of pages.entries()) await page.screenshot({ path: join(SCREENSHOTS, `${name}.${number}.png`), timeout: 5_000 }).catch(() => {});
  }

  async close() {
    for (const context of this.#contexts) await context.close();
  }
}

const axeSource = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Everything axe knows, in a world beside the page's own scripts, so that the page's policy stays as it is. */
export async function accessible(page, where) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, contextId, awaitPromise: true, returnByValue: true });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return result.value;
  };
  await evaluate(`${await axeSource}; undefined`);
  const found = await evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations, passes }) => ({
    passed: passes.length,
    violations: violations.flatMap(({ id, help, nodes }) => nodes.map((node) => id + ": " + help + "\\n    " + node.html + "\\n    " + node.failureSummary)),
  }))`);
  await session.detach();
  assert.ok(found.passed > 5, `${where}: axe looked at nothing`);
  assert.deepEqual(found.violations, [], `${where}:\n${found.violations.join("\n")}`);
}

/** The page at both widths, in light and in dark: accessible, not wider than the window, and kept as pictures. */
export async function look(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  const before = page.viewportSize();
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const where = `${name}.${width}.${colorScheme}`;
      // A dialog is in the middle of the window, not of the page.
      const fullPage = (await page.getByRole("dialog").count()) === 0;
      await page.screenshot({ path: join(SCREENSHOTS, `${where}.png`), fullPage, animations: "disabled" });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `${where} is ${wide} px wider than the window`);
      await accessible(page, where);
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: "reduce" });
  await page.setViewportSize(before);
}
