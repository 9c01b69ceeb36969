/** The part of MSW 2 and 3 that the handlers use. MSW itself is the app's dependency. */
declare module "msw" {
  export class HttpHandler {
    private readonly handler: unknown;
  }
  export const http: {
    all(path: string, resolver: (info: { request: Request }) => Promise<Response>): HttpHandler;
  };
  export const HttpResponse: { error(): Response };
}
