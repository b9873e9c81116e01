/** Where a body's joints are: a walking cycle from a phase, and the other things people do. Angles in radians. */
import type { Random } from "./random.ts";

export type Stance = "walk" | "run" | "stand" | "phone" | "carry" | "sit" | "bend" | "crouch";

export interface Limb {
  /** From straight down, forwards positive. */
  readonly upper: number;
  /** Of the lower part, from straight down. */
  readonly lower: number;
  /** Outwards. */
  readonly spread: number;
}

export interface Pose {
  /** Left, right. */
  readonly legs: readonly [Limb, Limb];
  readonly arms: readonly [Limb, Limb];
  /** Of the trunk, forwards. */
  readonly lean: number;
  /** Of the head: nod forwards, turn to the right. */
  readonly nod: number;
  readonly turn: number;
}

/** How this person stands and walks, kept for a sequence. */
export interface Gait {
  readonly stance: Stance;
  /** Swing of the legs, of the arms; bend of the elbows. */
  readonly stride: number;
  readonly swing: number;
  readonly elbow: number;
  readonly lean: number;
  readonly nod: number;
  readonly turn: number;
  readonly armSpread: number;
  readonly legSpread: number;
}

export function drawGait(random: Random, stance: Stance): Gait {
  return {
    stance,
    stride: stance === "run" ? random.between(0.55, 0.8) : random.between(0.28, 0.5),
    swing: random.between(0.15, 0.55),
    elbow: stance === "run" ? 1.5 : random.between(0.1, 0.5),
    lean: stance === "run" ? 0.18 : random.between(-0.03, 0.1),
    nod: random.chance(0.3) ? random.between(0.2, 0.6) : random.between(-0.1, 0.15),
    turn: random.chance(0.4) ? random.between(-0.9, 0.9) : random.between(-0.15, 0.15),
    armSpread: random.between(0.06, 0.22),
    legSpread: stance === "stand" ? random.between(0.03, 0.14) : random.between(0.01, 0.05),
  };
}

/** `phase` in turns of the walking cycle. */
export function poseAt(gait: Gait, phase: number): Pose {
  const { stance, lean, nod, turn } = gait;
  const angle = phase * 2 * Math.PI;
  const moving = stance === "walk" || stance === "run";
  const legs: [Limb, Limb] =
    stance === "sit"
      ? [sitting(gait, 0.1), sitting(gait, -0.05)]
      : stance === "crouch"
        ? [limb(1.7, -0.5, 0.15), limb(1.2, -0.9, 0.15)]
        : moving || stance === "phone" || stance === "carry"
          ? [step(gait, angle), step(gait, angle + Math.PI)]
          : [limb(0.03, -0.02, gait.legSpread), limb(-0.04, -0.06, gait.legSpread)];
  return {
    legs,
    arms: arms(gait, angle, moving),
    lean: stance === "bend" ? 0.9 : stance === "crouch" ? 0.5 : lean,
    nod: stance === "phone" ? 0.45 : nod,
    turn,
  };
}

function limb(upper: number, lower: number, spread: number): Limb {
  return { upper, lower, spread };
}

function sitting({ legSpread }: Gait, by: number): Limb {
  return limb(1.45 + by, by, 0.05 + legSpread);
}

/** The knee is bent while the leg swings forwards, nearly straight while it bears. */
function step({ stride, stance, legSpread }: Gait, angle: number): Limb {
  const upper = stride * Math.sin(angle);
  const swinging = Math.max(0, Math.cos(angle));
  const bend = 0.08 + swinging * (stance === "run" ? 1.5 : 0.85 * (stride / 0.4));
  return limb(upper + 0.06, upper - bend, legSpread);
}

function arms(gait: Gait, angle: number, moving: boolean): [Limb, Limb] {
  const { stance, armSpread, elbow, swing } = gait;
  const hang = (side: number): Limb => {
    const s = moving ? -swing * Math.sin(angle + side) : 0.05;
    return limb(s, s + elbow, armSpread);
  };
  if (stance === "phone") return [hang(0), limb(0.35, 2.3, 0.15)];
  if (stance === "carry") return [limb(0.25, 1.5, 0.1), limb(0.25, 1.5, 0.1)];
  if (stance === "bend" || stance === "crouch") return [limb(0.9, 1.1, 0.12), limb(0.7, 1.3, 0.12)];
  if (stance === "sit") return [limb(0.4, 1.25, 0.12), limb(0.35, 1.2, 0.14)];
  return [hang(0), hang(Math.PI)];
}
