"use client";
/** The device this pipeline is for. Its figures are measured where it is at hand, else predicted. */
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, Cpu } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { editor, useDoc } from "../canvas/useEditor.ts";
import { trpc } from "../trpc.ts";

export function TargetPicker() {
  const chosen = useDoc()?.target;
  const { data } = useQuery(trpc.targets.list.queryOptions());
  if (!chosen) return null;
  const target = data?.find((t) => t.id === chosen);
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger className="btn target" aria-label={`Target ${chosen}`} data-testid="target">
        <Cpu className="icon" />
        <span className="hint wide-only">Target</span>
        <span className="medium">{chosen}</span>
        {target && <KindBadge measured={target.available} />}
        <ChevronDown className="icon" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu menu-wide" align="end" sideOffset={4} collisionPadding={8}>
          <div className="menu-scroll">
            {data?.map((t) => (
              <DropdownMenu.Item
                key={t.id}
                className="menu-item"
                data-current={t.id === chosen || undefined}
                onSelect={() => editor.apply([{ op: "target", target: t.id }])}
              >
                <span className={`dot ${t.available ? "on" : ""}`} />
                <span className="grow cut">{t.name}</span>
                <KindBadge measured={t.available} />
              </DropdownMenu.Item>
            ))}
          </div>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** Whether figures of a target come from running on it. */
export function KindBadge({ measured }: { readonly measured: boolean }) {
  return measured ? (
    <span className="badge measured">measured</span>
  ) : (
    <span className="badge predicted">predicted ±</span>
  );
}
