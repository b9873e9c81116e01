/** The only door to the server: typed calls, one batch a tick; runs are followed over server-sent events. */
import { MutationCache, QueryClient } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import type { AppRouter } from "../server/trpc/router.ts";
import { messageOf } from "./shell/sentence.ts";
import { say } from "./shell/useNotices.ts";

const url = "/api/trpc";

/** Browsers refuse larger bodies of requests that outlive their page. */
const KEEPALIVE_LIMIT = 60_000;

export const api = createTRPCClient<AppRouter>({
  links: [
    splitLink({
      condition: (op) => op.type === "subscription",
      true: httpSubscriptionLink({ url }),
      false: httpBatchLink({
        url,
        maxURLLength: 4000,
        // The last save before a tab closes still arrives.
        fetch: (input, init) => {
          const small = typeof init?.body === "string" && init.body.length < KEEPALIVE_LIMIT;
          return fetch(input, { ...init, keepalive: init?.method === "POST" && small });
        },
      }),
    }),
  ],
});

export const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 10_000, retry: 1, refetchOnWindowFocus: false } },
  mutationCache: new MutationCache({ onError: (error) => say({ tone: "bad", text: messageOf(error) }) }),
});

export const trpc = createTRPCOptionsProxy<AppRouter>({ client: api, queryClient });
