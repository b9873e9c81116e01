/** Measured, estimated, simulated, computed: four words that are never mixed. */
export function ProvenanceBadge({ provenance }: { readonly provenance: string | undefined }) {
  if (!provenance) return null;
  if (provenance === "measured") return <span className="badge measured">measured</span>;
  if (provenance === "estimated") return <span className="badge predicted">predicted ±</span>;
  return <span className="badge">{provenance}</span>;
}
