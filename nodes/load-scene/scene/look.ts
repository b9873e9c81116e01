/** What a person looks like, drawn once and kept for a whole sequence: build, skin, hair, clothes and what is carried. */
import { hex, hsv } from "./colour.ts";
import type { Random } from "./random.ts";
import type { Rgb } from "./raster/canvas.ts";

export type Bottom = "trousers" | "shorts" | "skirt" | "dress" | "robe";
export type Top = "shirt" | "longsleeve" | "jacket" | "coat" | "vest";
export type Hair = "short" | "long" | "bald" | "bun" | "cap" | "hood" | "helmet" | "scarf" | "beanie";
export type Carried = "nothing" | "backpack" | "handbag" | "suitcase" | "box" | "umbrella" | "shoppingBags" | "phone";
export type Pattern = "plain" | "stripes" | "checks" | "bands" | "print";

export interface Look {
  /** Metres. */
  readonly height: number;
  /** Girth against the mean. */
  readonly build: number;
  readonly child: boolean;
  readonly skin: Rgb;
  readonly hair: Hair;
  readonly hairRgb: Rgb;
  readonly beard: boolean;
  readonly top: Top;
  readonly topRgb: Rgb;
  /** Second colour of the pattern, and the shirt under an open jacket. */
  readonly accentRgb: Rgb;
  readonly pattern: Pattern;
  readonly bottom: Bottom;
  readonly bottomRgb: Rgb;
  readonly shoeRgb: Rgb;
  readonly carried: Carried;
  readonly carriedRgb: Rgb;
  /** Where this person's cloth takes its folds from the noise. */
  readonly folds: number;
}

const SKINS = ["#f3d3bd", "#eac0a2", "#d9a282", "#c68a64", "#a56e4a", "#84543a", "#63402d", "#45302a"] as const;
const HAIRS = ["#15120f", "#231a14", "#3a281b", "#5c4029", "#8a6238", "#b99257", "#6e6a66", "#b9b5ae"] as const;

export function drawLook(random: Random, infrared: boolean): Look {
  const child = random.chance(0.13);
  const height = child ? random.between(1.0, 1.45) : 1.7 + 0.095 * random.bell();
  const seen = (rgb: Rgb) => (infrared ? inInfrared(random, rgb) : rgb);
  const skin = hex(random.pick(SKINS));
  const top = random.weighted<Top>({ shirt: 26, longsleeve: 28, jacket: 26, coat: 12, vest: 8 });
  const skirted = top !== "vest" && random.chance(0.16);
  const bottom: Bottom = skirted
    ? random.weighted({ skirt: 45, dress: 35, robe: 20 })
    : random.weighted({ trousers: 84, shorts: top === "coat" ? 0 : 16 });
  const topRgb = top === "vest" ? hex(random.pick(["#c8e600", "#ff7a10", "#e8f02a"])) : cloth(random, 0.32);
  return {
    height,
    build: (child ? 0.86 : 1) * Math.min(1.5, Math.max(0.84, 1 + 0.14 * random.bell())),
    child,
    skin: infrared ? grey(random.between(0.3, 0.5)) : skin,
    hair: random.weighted<Hair>({
      short: 44,
      long: 17,
      bald: 5,
      bun: 5,
      cap: 9,
      hood: 7,
      helmet: top === "vest" ? 30 : 1,
      scarf: 4,
      beanie: 5,
    }),
    hairRgb: seen(hex(random.pick(HAIRS))),
    beard: !child && random.chance(0.18),
    top,
    topRgb: seen(topRgb),
    accentRgb: seen(cloth(random, 0.5)),
    pattern:
      top === "vest" ? "bands" : random.weighted<Pattern>({ plain: 66, stripes: 9, checks: 9, bands: 6, print: 10 }),
    bottom,
    bottomRgb: seen(skirted ? cloth(random, 0.4) : trousers(random)),
    shoeRgb: seen(
      random.chance(0.3) ? hsv(random.next(), 0.15, 0.85) : hsv(random.next(), 0.4, random.between(0.06, 0.3)),
    ),
    carried: random.weighted<Carried>({
      nothing: 52,
      backpack: 12,
      handbag: 10,
      suitcase: 4,
      box: 4,
      umbrella: 1,
      shoppingBags: 8,
      phone: 9,
    }),
    carriedRgb: seen(cloth(random, 0.4)),
    folds: random.between(0, 250),
  };
}

/** Mostly dark and muted, as on the street; a share of it bright. */
function cloth(random: Random, bright: number): Rgb {
  if (random.chance(bright)) return hsv(random.next(), random.between(0.35, 0.95), random.between(0.35, 0.95));
  const tint = random.pick([0.6, 0.62, 0.08, 0.1, 0.3, 0.95] as const);
  return hsv(tint, random.between(0, 0.35), random.chance(0.3) ? random.between(0.6, 0.97) : random.between(0.05, 0.5));
}

function trousers(random: Random): Rgb {
  const kind = random.weighted({ denim: 34, dark: 38, beige: 14, any: 14 });
  if (kind === "denim") return hsv(random.between(0.58, 0.64), random.between(0.25, 0.6), random.between(0.2, 0.6));
  if (kind === "dark") return hsv(random.next(), random.between(0, 0.2), random.between(0.05, 0.28));
  if (kind === "beige") return hsv(random.between(0.07, 0.12), random.between(0.15, 0.4), random.between(0.4, 0.75));
  return cloth(random, 0.6);
}

/** In near infrared dyes hardly matter: black cloth may shine white. */
function inInfrared(random: Random, rgb: Rgb): Rgb {
  const grey = 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2];
  const value = 0.35 * grey + 0.65 * (0.02 + 0.6 * random.next() ** 1.7);
  return [value, value, value];
}

function grey(value: number): Rgb {
  return [value, value, value];
}
