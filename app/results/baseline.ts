/** By convention the nodes of the original model end in `-fp32`: `profile-fp32`, `evaluate-fp32`, `evaluate-fp32-2`. */
export const isBaseline = (nodeId: string): boolean => /-fp32(-\d+)?$/.test(nodeId);
