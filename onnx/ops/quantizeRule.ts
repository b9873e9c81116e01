/** Which inputs of a node a quantizer turns into integers. */
export interface QuantizeRule {
  /** Inputs that carry activations. */
  readonly activations: readonly number[];
  /** Inputs that carry weights, with the axis of their output channels. */
  readonly weights?: readonly { readonly index: number; readonly axis: number }[];
}
