import { http, HttpResponse, type HttpHandler } from "msw";
import type { FakeBookMore } from "./fake.js";

/**
 * Handlers for Mock Service Worker 2 or 3, in Node.js and in browsers, that pass
 * all requests to the API on to the fake: `setupServer(...bookMoreHandlers(fake))`.
 */
export function bookMoreHandlers(fake: Pick<FakeBookMore, "baseUrl" | "fetch">): HttpHandler[] {
  return [
    // Mismatched requests end here as well; the fake has printed why.
    http.all(`${fake.baseUrl}/*`, ({ request }) => fake.fetch(request).catch(() => HttpResponse.error())),
  ];
}
