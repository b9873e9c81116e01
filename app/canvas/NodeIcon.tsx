/** The icon of a node type, from the sprite of `shell/NodeIcons`. */
export function NodeIcon({ name }: { readonly name: string }) {
  return (
    <svg className="icon node-icon" aria-hidden="true">
      <use href={`#node-icon-${name}`} />
    </svg>
  );
}
