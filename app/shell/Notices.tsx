"use client";
import { X } from "lucide-react";
import { dismiss, useNotices } from "./useNotices.ts";

export function Notices() {
  const notices = useNotices((s) => s.notices);
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} className={`tip notice ${notice.tone === "bad" ? "err" : ""}`} data-testid="notice">
          <p className="grow">
            {notice.text} {notice.fix && <b>{notice.fix}</b>}
          </p>
          <button type="button" className="btn quiet small" aria-label="Dismiss" onClick={() => dismiss(notice.id)}>
            <X className="icon" />
          </button>
        </div>
      ))}
    </div>
  );
}
