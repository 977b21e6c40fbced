/** Fitting text of any kind into columns of a terminal. */

const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
/** East Asian wide characters and emoji take two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const COMBINING = /\p{M}/u;

/** A file name may hold anything; what steers a terminal must not reach it. */
export function printable(text: string): string {
  return text.replace(CONTROL, '?');
}

/** Columns that `text` takes, without colour sequences in it. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}

/** Cut or padded on the right to exactly `columns`. A cut shows an ellipsis. */
export function fitStart(text: string, columns: number): string {
  const clean = printable(text);
  const width = columnsOf(clean);
  if (width <= columns) return clean + ' '.repeat(columns - width);
  const kept = take(charactersOf(clean), columns - 1);
  return pad(`${kept}…`, columns);
}

/** As `fitStart`, but keeps the end, where file names differ. */
export function fitEnd(text: string, columns: number): string {
  const clean = printable(text);
  const width = columnsOf(clean);
  if (width <= columns) return clean + ' '.repeat(columns - width);
  const backwards = take(charactersOf(clean).toReversed(), columns - 1);
  const kept = charactersOf(backwards).toReversed().join('');
  return pad(`…${kept}`, columns);
}

/** Padded on the left. */
export function alignRight(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - columnsOf(text))) + text;
}

/** Code points: what a terminal counts columns by, unlike graphemes. */
function charactersOf(text: string): string[] {
  return Array.from(text);
}

function take(characters: readonly string[], columns: number): string {
  let kept = '';
  let used = 0;
  for (const character of characters) {
    used += columnsOfCharacter(character);
    if (used > columns) break;
    kept += character;
  }
  return kept;
}

function pad(text: string, columns: number): string {
  return columns <= 0 ? '' : text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

function columnsOfCharacter(character: string): number {
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
