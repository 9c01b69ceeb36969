import { http, HttpResponse, type HttpHandler } from "msw";
import type { FakeBookMore } from "./fake.js";

/**
 * Handlers for your own Mock Service Worker (2 or 3), in Node.js and in the
 * browser: every request to the API goes to the fake.
 * `setupServer(...bookMoreHandlers(fake))`.
 */
export function bookMoreHandlers(fake: Pick<FakeBookMore, "baseUrl" | "fetch">): HttpHandler[] {
  return [
    // A request that does not fit is refused, too: the fake has said why.
    http.all(`${fake.baseUrl}/*`, ({ request }) => fake.fetch(request).catch(() => HttpResponse.error())),
  ];
}
