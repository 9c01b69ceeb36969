import type { UsageState } from "bookmore-sdk/watch";

/** The usage that a server has rendered, and for which company, as `renderToString` writes it. */
export type Rendered = Pick<UsageState, "usage" | "updatedAt"> & { companyId?: string | undefined };

/** A server's shadow root that is still a template, because the element was defined before the parser read it. */
function templateIn(element: Element): HTMLTemplateElement | null {
  return element.querySelector(":scope > template[shadowrootmode]");
}

/** Takes what a server has rendered out of the element. Undefined if there are no figures. */
export function takeOver(element: Element, root: ShadowRoot): Rendered | undefined {
  const template = templateIn(element);
  const box = (template?.content ?? root).querySelector<HTMLElement>("[data-state]");
  if (!box) return undefined;
  const rendered: Rendered = JSON.parse(box.dataset["state"]!);
  template?.remove();
  box.removeAttribute("data-state");
  // While the document is loading, the parser may still append to this node, so a copy takes its place.
  if (element.ownerDocument.readyState === "loading") box.replaceWith(box.cloneNode(true));
  return rendered;
}

/** Calls `parsed` whenever the parser has added something to an element that is defined already, as in streamed HTML. */
export function onParsed(element: Element, root: ShadowRoot, parsed: () => void): void {
  const document = element.ownerDocument;
  if (document.readyState !== "loading" || !globalThis.MutationObserver) return;
  const observer = new MutationObserver(() => {
    parsed();
    observe(templateIn(element)?.content);
  });
  const observe = (node: Node | undefined) => node && observer.observe(node, { childList: true });
  observe(element);
  observe(root);
  const end = () => {
    observer.disconnect();
    parsed();
  };
  document.addEventListener("DOMContentLoaded", end, { once: true });
}
