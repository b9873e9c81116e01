/**
 * Letters as strokes, so that a picture has the same bytes on every machine, with or without fonts. A glyph lives on a
 * grid 4 wide and 6 high; two digits are a point (x, y from the top), a space joins points, `|` lifts the pen.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  A: "06 20 46|14 34",
  B: "06 00 30 41 42 33 03|33 44 45 36 06",
  C: "41 30 10 01 05 16 36 45",
  D: "00 06 26 44 42 20 00",
  E: "40 00 06 46|03 33",
  F: "40 00 06|03 33",
  G: "41 30 10 01 05 16 36 45 43 23",
  H: "00 06|40 46|03 43",
  I: "10 30|20 26|16 36",
  J: "40 45 36 16 05",
  K: "00 06|40 03 46",
  L: "00 06 46",
  M: "06 00 23 40 46",
  N: "06 00 46 40",
  O: "10 30 41 45 36 16 05 01 10",
  P: "06 00 30 41 42 33 03",
  Q: "10 30 41 45 36 16 05 01 10|24 46",
  R: "06 00 30 41 42 33 03|23 46",
  S: "41 30 10 01 02 13 33 44 45 36 16 05",
  T: "00 40|20 26",
  U: "00 05 16 36 45 40",
  V: "00 26 40",
  W: "00 16 23 36 40",
  X: "00 46|40 06",
  Y: "00 23 40|23 26",
  Z: "00 40 06 46",
  "0": "10 30 41 45 36 16 05 01 10",
  "1": "11 20 26|16 36",
  "2": "01 10 30 41 42 06 46",
  "3": "01 10 30 41 42 33 13|33 44 45 36 16 05",
  "4": "36 30 04 44",
  "5": "40 00 03 33 44 45 36 16 05",
  "6": "40 10 01 05 16 36 45 44 33 03",
  "7": "00 40 16",
  "8": "10 30 41 42 33 13 02 01 10|13 04 05 16 36 45 44 33",
  "9": "43 13 02 01 10 30 41 45 36 06",
  "%": "40 06|00 10 11 01 00|35 45 46 36 35",
  "-": "13 33",
  _: "06 46",
  ".": "25 26",
  "/": "40 06",
  "(": "30 11 15 36",
  ")": "10 31 35 16",
  " ": "",
};
const UNKNOWN = "00 40 46 06 00";
const ADVANCE = 6;
const HEIGHT = 6;

/** Width of a text that is `height` pixels high. */
export function strokeTextWidth(text: string, height: number): number {
  return Math.max(0, (text.length * ADVANCE - 2) * (height / HEIGHT));
}

/** SVG path data of a text with its top-left corner at x, y; letters are drawn as capitals. */
export function strokeText(text: string, at: { readonly x: number; readonly y: number }, height: number): string {
  const unit = height / HEIGHT;
  const glyph = (char: string, i: number) => {
    const point = (pair: string) => {
      const x = at.x + (Number(pair[0]) + i * ADVANCE) * unit;
      return `${x.toFixed(1)} ${(at.y + Number(pair[1]) * unit).toFixed(1)}`;
    };
    const strokes = (GLYPHS[char] ?? UNKNOWN).split("|").filter((stroke) => stroke !== "");
    return strokes.map((stroke) => `M${stroke.split(" ").map(point).join("L")}`).join("");
  };
  return [...text.toUpperCase()].map(glyph).join("");
}
