"use client";
/** A file or folder: typed as a path, chosen of what ships and of the catalogue, or uploaded from this computer. */
import { useQuery } from "@tanstack/react-query";
import { FileUp, FolderUp } from "lucide-react";
import { useState } from "react";
import { Tip } from "../shell/Tip.tsx";
import { trpc } from "../trpc.ts";
import { chooseSource } from "./chooseSource.ts";
import { baseName, type SourceKind } from "./formModel.ts";

interface Props {
  readonly id: string;
  readonly source: SourceKind;
  readonly value: string;
  readonly tone: string;
  readonly onValue: (value: string) => void;
}

export function SourceField({ id, source, value, tone, onValue }: Props) {
  const [draft, setDraft] = useState<string>();
  const [busy, setBusy] = useState(false);
  const { data } = useQuery(trpc.sources.list.queryOptions());
  const named = data?.filter(({ kinds }) => kinds.includes(source));
  const uploaded = value.startsWith("sha256:");
  const offer = () => {
    if (draft !== undefined && draft !== value) onValue(draft.trim());
    setDraft(undefined);
  };
  const upload = async (folder: boolean) => {
    setBusy(true);
    const uploaded = await chooseSource(source, folder);
    setBusy(false);
    if (uploaded) onValue(uploaded);
  };
  return (
    <>
      <input
        id={id}
        data-testid={id}
        className={`field mono ${tone}`}
        value={draft ?? (uploaded ? baseName(value) : value)}
        title={value}
        placeholder={busy ? "uploading…" : "path, builtin:NAME or upload"}
        list={`${id}-named`}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={offer}
        onKeyDown={(event) => event.key === "Enter" && offer()}
      />
      <datalist id={`${id}-named`}>
        {named?.map(({ source: name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </datalist>
      {source !== "images" && (
        <UploadButton label="Upload a file" busy={busy} onClick={() => void upload(false)}>
          <FileUp className="icon" />
        </UploadButton>
      )}
      {(source === "images" || source === "model") && (
        <UploadButton label="Upload a folder" busy={busy} onClick={() => void upload(true)}>
          <FolderUp className="icon" />
        </UploadButton>
      )}
    </>
  );
}

interface ButtonProps {
  readonly label: string;
  readonly busy: boolean;
  readonly onClick: () => void;
  readonly children: React.ReactNode;
}

function UploadButton({ label, busy, onClick, children }: ButtonProps) {
  return (
    <Tip text={label}>
      <button type="button" className="btn small icon-only" aria-label={label} disabled={busy} onClick={onClick}>
        {children}
      </button>
    </Tip>
  );
}
