/** What the handlers take of MSW 2 or 3, which is the user's own. */
declare module "msw" {
  export class HttpHandler {
    private readonly handler: unknown;
  }
  export const http: {
    all(path: string, resolver: (info: { request: Request }) => Promise<Response>): HttpHandler;
  };
  export const HttpResponse: { error(): Response };
}
