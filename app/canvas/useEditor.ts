/** The one editor of this tab, bound to the server, as hooks and as functions for handlers. */
import { TRPCClientError } from "@trpc/client";
import { useStore } from "zustand";
import type { PipelineDoc } from "../../pipelines/document/doc.ts";
import { api, queryClient, trpc } from "../trpc.ts";
import { createEditor, type EditorApi, type EditorState } from "./editor.ts";

export const editorApi: EditorApi = {
  async save(doc, baseRevision) {
    try {
      const result = await api.pipelines.save.mutate({ name: doc.name, doc, baseRevision });
      void queryClient.invalidateQueries({ queryKey: trpc.pipelines.list.queryKey() });
      return result;
    } catch (error) {
      if (isError(error, "CONFLICT")) return { conflict: true };
      throw error;
    }
  },
  async get(name) {
    try {
      return await api.pipelines.get.query({ name });
    } catch (error) {
      if (isError(error, "NOT_FOUND")) return undefined;
      throw error;
    }
  },
};

const isError = (error: unknown, code: string) => error instanceof TRPCClientError && error.data?.code === code;

export const editor = createEditor(editorApi);

export function useEditor<T>(select: (state: EditorState) => T): T {
  return useStore(editor.store, select);
}

/** The document on the canvas; undefined while none is loaded. */
export const useDoc = (): PipelineDoc | undefined => useEditor((s) => s.history?.doc);

export const currentDoc = (): PipelineDoc | undefined => editor.store.getState().history?.doc;
