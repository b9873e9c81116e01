/** The devices Edgewright can predict for. What is at hand (this machine, agents) joins them at run time. */
import { type DeviceProfile, deviceProfileSchema } from "./deviceProfile.ts";
import h100Sxm from "./profiles/h100-sxm.json";
import agxOrin from "./profiles/jetson-agx-orin-64gb.json";
import orinNano15w from "./profiles/jetson-orin-nano-8gb-15w.json";
import orinNano25w from "./profiles/jetson-orin-nano-8gb-25w.json";
import orinNanoSuper from "./profiles/jetson-orin-nano-8gb-maxn-super.json";
import orinNx from "./profiles/jetson-orin-nx-16gb.json";
import raspberryPi4 from "./profiles/raspberry-pi-4.json";
import raspberryPi5 from "./profiles/raspberry-pi-5.json";
import rtx3060 from "./profiles/rtx-3060.json";
import snapdragon from "./profiles/snapdragon-8-gen-3.json";

export const deviceProfiles: readonly DeviceProfile[] = [
  orinNano15w,
  orinNano25w,
  orinNanoSuper,
  orinNx,
  agxOrin,
  rtx3060,
  h100Sxm,
  raspberryPi5,
  raspberryPi4,
  snapdragon,
].map((profile) => deviceProfileSchema.parse(profile));

export function deviceProfile(id: string): DeviceProfile | undefined {
  return deviceProfiles.find((profile) => profile.id === id);
}
