/** When and how a scene is seen: light, weather, lens, sensor and compression. */
import { hsv, scaled } from "./colour.ts";
import type { Place } from "./places/place.ts";
import type { Random } from "./random.ts";
import { unit, type Vec } from "./raster/camera.ts";
import type { Light } from "./raster/canvas.ts";
import type { Lens } from "./raster/lens.ts";
import type { Sensor } from "./raster/sensor.ts";
import type { Sky } from "./raster/sky.ts";
import type { Rain } from "./raster/weather.ts";

export const LIGHTS = ["day", "dusk", "night", "infrared"] as const;
export type LightName = (typeof LIGHTS)[number];
export const WEATHERS = ["dry", "rain"] as const;
export type WeatherName = (typeof WEATHERS)[number];

export interface Conditions {
  readonly light: Light;
  readonly sky: Sky;
  /** Share of light that the sun's shadows lose; 0: it casts none. */
  readonly shadows: number;
  /** How dark it is beneath things. */
  readonly contact: number;
  readonly lens: Lens;
  readonly sensor: Sensor;
  readonly rain?: Rain;
  /** Quality of the JPEG that the camera writes, 1..100. */
  readonly jpegQuality: number;
  readonly caption: boolean;
}

export function drawConditions(place: Place, light: LightName, weather: WeatherName, random: Random): Conditions {
  const lit = lighting(place, light, weather, random);
  const dark = light === "night" || light === "infrared";
  const noisy = dark
    ? random.between(0.01, 0.065)
    : light === "dusk"
      ? random.between(0.008, 0.05)
      : random.between(0.002, 0.025);
  return {
    ...lit,
    lens: {
      k1: random.chance(0.35) ? 0 : random.between(0, 0.16),
      k2: random.chance(0.3) ? random.between(0, 0.05) : 0,
      vignette: light === "infrared" ? random.between(0.25, 0.7) : random.between(0, 0.35),
      softness: random.chance(0.65) ? 1 : 2,
    },
    sensor: {
      brightness:
        light === "infrared"
          ? random.between(0.24, 0.42)
          : light === "night"
            ? random.between(0.2, 0.38)
            : light === "dusk"
              ? random.between(0.28, 0.45)
              : random.between(0.34, 0.58),
      mostGain: light === "infrared" ? 3 : dark ? 14 : 8,
      noise: noisy,
      chroma: random.between(0.2, 1),
      saturation: random.between(0.45, 1.15),
      red: random.between(0.88, 1.14),
      blue: random.between(0.86, 1.14),
      contrast: random.between(0.8, 1.2),
      grey: light === "infrared" || random.chance(0.03),
    },
    ...(weather === "rain" && !place.indoors && { rain: rain(light, random) }),
    jpegQuality: random.chance(0.25) ? random.int(18, 40) : random.int(41, 92),
    caption: random.chance(0.4),
  };
}

function rain(light: LightName, random: Random): Rain {
  return {
    density: random.between(600, 3500),
    length: random.between(0.03, 0.16),
    slant: random.between(-0.3, 0.3),
    light: light === "infrared" ? random.between(0.5, 1.6) : random.between(0.15, 0.5),
  };
}

type Lighting = Pick<Conditions, "light" | "sky" | "shadows" | "contact">;

const NIGHT_SKY: Sky = {
  horizon: [0.012, 0.012, 0.014],
  zenith: [0.004, 0.004, 0.006],
  clouds: [0.01, 0.01, 0.01],
  cover: 0.3,
  seed: 3,
};
const ABOVE: Vec = [0.08, 0.99, -0.11];

function lighting(place: Place, light: LightName, weather: WeatherName, random: Random): Lighting {
  if (light === "infrared") {
    const beam = { beam: random.between(1.2, 2.4), beamReach: random.between(4, 11) };
    const faint = random.between(0.01, 0.06);
    return { light: { ...unlit(faint), ...beam }, sky: NIGHT_SKY, shadows: 0, contact: 0.3 };
  }
  if (place.indoors) return indoors(place, light, random);
  if (light === "day") return daylight(weather, random);
  const lamps = place.lamps.slice(0, light === "dusk" ? 2 : 3);
  const faint = light === "dusk" ? random.between(0.18, 0.4) : random.between(0.02, 0.05);
  const tint = hsv(random.pick([0.62, 0.68, 0.06] as const), random.between(0.1, 0.4), 0.9);
  const glow =
    light === "dusk" ? scaled(hsv(random.pick([0.03, 0.07, 0.6] as const), 0.5, 0.9), 0.8) : NIGHT_SKY.horizon;
  return {
    light: { ...unlit(faint), ambient: scaled(tint, faint), lamps, sun: ABOVE, sunRgb: scaled(tint, faint * 0.4) },
    sky:
      light === "dusk"
        ? {
            horizon: glow,
            zenith: scaled(tint, 0.3),
            clouds: scaled(tint, 0.25),
            cover: random.next(),
            seed: random.between(0, 99),
          }
        : NIGHT_SKY,
    shadows: 0,
    contact: random.between(0.35, 0.6),
  };
}

function daylight(weather: WeatherName, random: Random): Lighting {
  const sunny = weather === "dry" && random.chance(0.55);
  const rise = random.between(0.35, 1.15);
  const around = random.between(0, 2 * Math.PI);
  const sun = unit([Math.cos(around) * Math.cos(rise), Math.sin(rise), Math.sin(around) * Math.cos(rise)]);
  const blue = hsv(0.58, random.between(0.05, 0.25), 1);
  const bright = sunny ? random.between(0.25, 0.45) : random.between(0.6, 0.8);
  const sunRgb = sunny
    ? scaled(hsv(0.11, random.between(0.05, 0.25), 1), random.between(0.7, 1.2))
    : ([0.15, 0.15, 0.15] as const);
  return {
    light: { ...unlit(0), ambient: scaled(blue, bright), sun: sunny ? sun : ABOVE, sunRgb },
    sky: {
      horizon: sunny ? [0.6, 0.72, 0.85] : [0.72, 0.74, 0.77],
      zenith: sunny ? [0.2, 0.4, 0.75] : [0.55, 0.58, 0.63],
      clouds: [0.9, 0.9, 0.92],
      cover: random.between(0.1, 0.8),
      seed: random.between(0, 200),
    },
    shadows: sunny ? random.between(0.45, 0.7) : 0,
    contact: random.between(0.3, 0.55),
  };
}

function indoors(place: Place, light: LightName, random: Random): Lighting {
  const share =
    light === "day"
      ? random.between(0.45, 0.7)
      : light === "dusk"
        ? random.between(0.12, 0.25)
        : random.between(0.03, 0.07);
  const tint = hsv(random.pick([0.12, 0.1, 0.55] as const), random.between(0, 0.16), 1);
  const lamps = light === "day" ? place.lamps.slice(0, 1) : place.lamps.slice(0, random.int(1, 3));
  return {
    light: { ...unlit(0), ambient: scaled(tint, share), lamps, sun: ABOVE, sunRgb: scaled(tint, share * 0.5) },
    sky: NIGHT_SKY,
    shadows: 0,
    contact: random.between(0.35, 0.65),
  };
}

function unlit(ambient: number): Light {
  return { ambient: [ambient, ambient, ambient], sun: ABOVE, sunRgb: [0, 0, 0], lamps: [], beam: 0, beamReach: 1 };
}
