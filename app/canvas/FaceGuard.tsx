"use client";
/** Keeps a face that fails on an unexpected report from taking the canvas with it. */
import { Component, type ReactNode } from "react";

interface GuardProps {
  /** A new one is a new chance. */
  readonly resetKey: unknown;
  readonly children: ReactNode;
}

export class FaceGuard extends Component<GuardProps, { readonly failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  override componentDidUpdate(before: GuardProps) {
    if (this.state.failed && before.resetKey !== this.props.resetKey) this.setState({ failed: false });
  }
  override render() {
    return this.state.failed ? <p className="need">This result cannot be drawn.</p> : this.props.children;
  }
}
