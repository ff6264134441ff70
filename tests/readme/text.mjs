// Reading the README: its sections, the blocks of commands, and the words of a step.

import assert from "node:assert/strict";

/** What stands under the heading `title`, up to the next heading of its rank. */
export function section(markdown, title) {
  const found = markdown.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  assert.ok(found, `the README has no section "${title}"`);
  return found.slice(title.length + 1);
}

/** Paragraphs (`{ words }`) and blocks of commands (`{ language, code }`), in order. */
export function parts(text) {
  const all = [];
  for (const [, language, code, words] of text.matchAll(/^```(\w*)\n([\s\S]*?)^```$|((?:^(?!```).*\n?)+)/gm)) {
    if (code !== undefined) all.push({ language, code });
    else for (const paragraph of words.split(/\n\s*\n/)) if (paragraph.trim()) all.push({ words: paragraph.trim().replace(/\s+/g, " ") });
  }
  return all;
}

/** Every *label* and **label** of a paragraph except its own title, `**3. Make a token.**`. */
export function labels(words) {
  const plain = words.replace(/`[^`]*`/g, (code) => " ".repeat(code.length)).replace(/^\*\*\d+\. [^*]*\*\*/, (title) => " ".repeat(title.length));
  return [...plain.matchAll(/\*\*([^*]+)\*\*|\*([^*]+)\*/g)].map((match) => ({ label: match[1] ?? match[2], start: match.index, end: match.index + match[0].length }));
}

/**
 * Does what a paragraph says, in its order: the first of `phrases` (`[pattern, work]`) that fits next. What no phrase
 * takes may be prose, but no label.
 */
export async function follow(words, phrases, done) {
  let at = 0;
  const taken = [];
  for (;;) {
    const next = phrases
      .map(([pattern, work]) => ({ work, pattern, match: find(words, pattern, at) }))
      .filter(({ match }) => match)
      .sort((one, other) => one.match.index - other.match.index)[0];
    if (!next) break;
    await next.work(...next.match.slice(1));
    done.add(next.pattern);
    at = next.match.index + next.match[0].length;
    taken.push([next.match.index, at]);
  }
  for (const { label, start, end } of labels(words)) {
    assert.ok(taken.some(([from, to]) => from <= start && end <= to), `this walk does not know what to do with "${label}" in: ${words}`);
  }
}

function find(words, pattern, at) {
  const search = new RegExp(pattern, "g");
  search.lastIndex = at;
  return search.exec(words);
}

/** The lines of a block that start `program`, as words, without comments, pipes and redirections. */
export function commandLines(code, program) {
  return code
    .split("\n")
    .filter((line) => line.startsWith(`${program} `))
    .map((line) => line.slice(program.length + 1).split(/[#|<>]/)[0].trim().split(/\s+/));
}
