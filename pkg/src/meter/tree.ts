/** An element or text, independent of whether it becomes a DOM or a string. */
export type Tree = Branch | string;
export interface Branch {
  tag: string;
  /** The attributes; false and undefined ones are left out. */
  attributes: Record<string, string | number | boolean | undefined>;
  children: Tree[];
}

/** The children; empty texts are left out, because HTML has none. */
export function h(tag: string, attributes: Branch["attributes"], ...children: Tree[]): Branch {
  return { tag, attributes, children: children.filter(Boolean) };
}

const HTML = "http://www.w3.org/1999/xhtml";
const SVG = "http://www.w3.org/2000/svg";

/**
 * Updates the children of an element to the given ones and touches only what
 * differs, so that the focus stays and an unchanged live region is silent. An
 * element whose class differs is replaced.
 */
export function patch(parent: Element | ShadowRoot, children: readonly Tree[]): void {
  const { ownerDocument } = parent;
  const { namespaceURI = HTML } = parent as Partial<Element>;
  children.forEach((tree, index) => {
    let node: ChildNode | undefined = parent.childNodes[index];
    const replace = <T extends ChildNode>(by: T): T => {
      if (node) node.replaceWith(by);
      else parent.append(by);
      return by;
    };
    if (typeof tree === "string") {
      if (node?.nodeType !== 3) replace(ownerDocument.createTextNode(tree));
      else if ((node as Text).data !== tree) (node as Text).data = tree;
      return;
    }
    const { tag, attributes } = tree;
    let element = node as Element | undefined;
    if (element?.nodeType !== 1 || element.localName !== tag || element.getAttribute("class") !== (attributes["class"] ?? null)) {
      element = replace(ownerDocument.createElementNS(tag === "svg" ? SVG : namespaceURI, tag));
    }
    for (const [name, value] of Object.entries(attributes)) {
      const text = value === true ? "" : String(value);
      if (value === undefined || value === false) element.removeAttribute(name);
      else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    }
    patch(element, tree.children);
  });
  while (parent.childNodes.length > children.length) parent.lastChild!.remove();
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The start tag of an element in HTML. */
export function openTag(tag: string, attributes: Branch["attributes"]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => ` ${name}="${value === true ? "" : escaped(String(value))}"`);
  return `<${tag}${written.join("")}>`;
}

/** The tree as HTML. */
export function toHtml(tree: Tree): string {
  if (typeof tree === "string") return escaped(tree);
  const { tag, attributes, children } = tree;
  return `${openTag(tag, attributes)}${children.map(toHtml).join("")}</${tag}>`;
}
