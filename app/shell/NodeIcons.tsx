/**
 * The icons that node types name, as one hidden sprite made on the server: the browser gets the dozen it shows and not
 * the whole set, and a new node needs no list to be kept.
 */
import { icons } from "lucide-react";
import { nodeDefs } from "../../nodes/registry.gen.ts";

const pascal = (name: string) => name.replace(/(^|-)(.)/g, (_, __, c: string) => c.toUpperCase());

export function NodeIcons() {
  const names = [...new Set(Object.values(nodeDefs).map((def) => def.icon))];
  const byName: Readonly<Record<string, (typeof icons)["Box"]>> = icons;
  return (
    <svg width="0" height="0" className="absolute" aria-hidden="true">
      {names.map((name) => {
        const Icon = byName[pascal(name)] ?? icons.Box;
        return (
          <symbol key={name} id={`node-icon-${name}`} viewBox="0 0 24 24">
            <Icon strokeWidth={2} />
          </symbol>
        );
      })}
    </svg>
  );
}
