/** A piece of a text: as it stands, or the name of a character that would hide or reorder others. */
export interface Glyph {
  readonly text: string;
  readonly hidden: boolean;
}

// Controls but the tab, what formats (directions, joiners, tags), and separators of lines.
const HIDDEN = /(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A text of a container, or a name, with all that hides in it made visible. Nothing is left out: two names that differ
 * never look the same.
 */
export function visible(text: string): Glyph[] {
  const glyphs: Glyph[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(HIDDEN)) {
    if (index > from) glyphs.push({ text: text.slice(from, index), hidden: false });
    glyphs.push({ text: nameOf(found), hidden: true });
    from = index + found.length;
  }
  if (from < text.length) glyphs.push({ text: text.slice(from), hidden: false });
  return glyphs;
}

/** The same as one text, where there is no room for more: in a title, a sentence. */
export function visibleText(text: string): string {
  return visible(text.replaceAll("\t", "\\t"))
    .map(({ text, hidden }) => (hidden ? `<${text}>` : text))
    .join("");
}

function nameOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}
