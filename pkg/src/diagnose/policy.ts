// What the page's Content-Security-Policy refuses, and the directive that allows it.
import { isSameOrigin } from "../cors.js";
import type { Facts } from "./facts.js";
import type { Cause } from "./types.js";

/** The directive of the policy, or else its default-src, with `sources` added. A nonce is left out: it is for one response. */
export function directiveWith(name: string, sources: string[], policy = ""): string {
  const directives = policy.split(";").map((each) => each.trim().split(/\s+/));
  const [, ...given] = [name, "default-src"].map((wanted) => directives.find(([own]) => own!.toLowerCase() === wanted)).find(Boolean) ?? ["", "'self'"];
  const kept = given.filter((source) => source.toLowerCase() !== "'none'").map((source) => source.replace(/^'nonce-.*/i, "'nonce-…'"));
  return [...new Set([name, ...kept, ...sources])].join(" ");
}

/** A request of the page's that its policy refuses. `what`: what the page may not do, with a preposition for the origin. */
export function refusedConnection(facts: Facts, address: string, page: string, what = "connect to"): Cause {
  const { moduleRefusedAt, isRefusedByCsp, baseUrl } = facts;
  const refused = [moduleRefusedAt, isRefusedByCsp ? baseUrl : undefined].filter((each) => each !== undefined);
  return {
    code: "csp_connect_src",
    message: `The Content-Security-Policy of this page does not let it ${what} ${new URL(address).origin}. Put this directive in place of the policy's connect-src, or add it if there is none.`,
    fix: directiveWith("connect-src", refused.map((each) => (isSameOrigin(each, page) ? "'self'" : new URL(each).origin)), facts.policy ?? facts.modulePolicy),
  };
}
