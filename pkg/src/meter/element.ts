import { ConfigError, type AiChatUsageResponse, type AnyBookMoreError, type BookMoreClientLike } from "bookmore-sdk";
import { watchAiChatUsage, type UsageState, type UsageStore } from "bookmore-sdk/watch";
import { companyOf } from "../guid.js";
import { handled } from "../handled.js";
import { refuse } from "../refuse.js";
import { firstLook } from "../watch/gauge.js";
import { isUsage, NO_USAGE } from "../watch/options.js";
import { checkCompany } from "./company.js";
import { BOX, draw, drawnOf, errorText, hasFailed, isStale, knownLocale, levelName, type Worded } from "./draw.js";
import css from "./meter.css";
import { onLanguage, stringsFor, type MeterStrings } from "./strings.js";
import { onParsed, takeOver, type Rendered } from "./take-over.js";
import { patch } from "./tree.js";
import { variantOf, type MeterVariant } from "./variant.js";

/** The source of a meter's states. */
type Source = Pick<UsageStore, "subscribe" | "refresh">;

const STATES = ["warning", "critical", "over", "stale"];
/** Properties that may have been set before the element was defined, and then hide the accessors. */
const PROPERTIES = ["client", "store", "usage", "strings", "companyId", "label", "variant", "locale"] as const;

const COMPANY_ID = "company-id";
/** As React renders the property `companyId` on a server. */
const REACT_COMPANY_ID = "companyid";

/** The style sheet of each document, as documents cannot share one. */
const sheets = /* @__PURE__ */ new WeakMap<Document, CSSStyleSheet>();

/** Undefined in documents without a window, and where tests emulate the DOM in Node.js. */
function sheetOf(document: Document): CSSStyleSheet | undefined {
  const { CSSStyleSheet } = (document.defaultView ?? {}) as Partial<typeof globalThis>;
  let sheet = sheets.get(document);
  if (!sheet && CSSStyleSheet && "replaceSync" in CSSStyleSheet.prototype) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    sheets.set(document, sheet);
  }
  return sheet;
}

/** The same text for states that look alike, whenever their figures arrived. */
function looksOf({ status, usage, level, error }: UsageState): string {
  return JSON.stringify([status, level, error?.code, error?.message, usage && drawnOf(usage), usage?.companyId]);
}

/** A source with one state that never changes. */
function still(state: UsageState): Source {
  return {
    subscribe(run) {
      run(state);
      return () => {};
    },
    async refresh() {
      throw state.error ?? refuse("The meter has no client to ask.");
    },
  };
}

/** The nearest `lang`, also where it is outside the shadow tree that the element is in. */
function langAround(element: Element): string | null {
  const nearest = element.closest("[lang]");
  if (nearest) return nearest.getAttribute("lang");
  const { host } = element.getRootNode() as Partial<ShadowRoot>;
  return host ? langAround(host) : null;
}

/** Preact sets "" where an app says null. */
const orAbsent = <T>(value: T | null | undefined): T | undefined => (value === "" ? undefined : (value ?? undefined));

const stopped = (error: AnyBookMoreError): UsageState => ({ status: "stopped", error });

// Makes importing this harmless where there are no custom elements, as on a server.
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * `<ai-chat-usage-meter>`: how many AI-assistant tokens a company has used of
 * its limit, as a meter that stays up to date. It needs a `client`, a `store`
 * or a `usage`. It does not throw for an invalid one, but shows the error and
 * sends nothing.
 *
 * Dispatches `bookmore-usage-change` when what it shows has changed, apart from
 * the time of "as of" (its `detail` is the {@link UsageState}), and
 * `bookmore-login` when the user wants to log in after a 401. Both bubble, out of shadow roots too.
 */
export class AiChatUsageMeter extends Base {
  static readonly observedAttributes: readonly string[] = [COMPANY_ID, REACT_COMPANY_ID, "label", "variant", "locale"];

  /** Undefined in some emulated DOMs. */
  readonly #internals: ElementInternals | undefined;
  readonly #root: ShadowRoot;
  #client: BookMoreClientLike | undefined;
  #store: UsageStore | undefined;
  #usage: AiChatUsageResponse | undefined;
  /** Whether `usage` was set in the code that is running: it then belongs to the client or company that this code sets. */
  #isUsageNew = false;
  #rendered: Rendered | undefined;
  /** The company so far, in one spelling. */
  #company: string;
  /** Whether what a server has rendered may still arrive and count; not once another user or company was shown. */
  #mayTakeOver = true;
  #strings: Partial<MeterStrings> | undefined;
  #source: Source | undefined;
  #state: UsageState = { status: "pending" };
  #leave: (() => void) | undefined;
  #forget: (() => void) | undefined;
  #isDue = false;
  /** The source whose refresh the user waits for. */
  #tried: Source | undefined;
  /** The key of the last announcement. */
  #kind: string | undefined;
  #announcement = "";

  constructor() {
    super();
    this.#internals = this.attachInternals?.();
    this.#root = this.#internals?.shadowRoot ?? this.attachShadow({ mode: "open" });
    this.#company = companyOf(this.companyId);
    this.#takeOver();
    onParsed(this, this.#root, () => {
      const isNew = this.#takeOver();
      this.#removeStyles();
      if (isNew && !this.#state.usage) this.#renew();
      else this.#schedule();
    });
    this.#root.addEventListener("click", ({ target }) => this.#click((target as Partial<Element>).closest?.("button")));
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name] as never;
      delete (this as Partial<this>)[name];
      this[name] = value;
    }
  }

  /** The client that fetches the usage. A new client counts as a new user: like a new company, it discards `usage`, unless that is set in the same synchronous code. */
  get client(): BookMoreClientLike | undefined {
    return this.#client;
  }
  set client(client: BookMoreClientLike | null | undefined) {
    const next = orAbsent(client);
    if (next === this.#client) return;
    if (this.#client) this.#discard();
    this.#client = next;
    this.#renew();
  }

  /** A store of `watchAiChatUsage`, for options of your own. It replaces `client` and `companyId`. */
  get store(): UsageStore | undefined {
    return this.#store;
  }
  set store(store: UsageStore | null | undefined) {
    const next = orAbsent(store);
    if (next === this.#store) return;
    if (this.#store) this.#discard();
    this.#store = next;
    this.#renew();
  }

  /** The usage to show without a client, and with one until its first answer. */
  get usage(): AiChatUsageResponse | undefined {
    return this.#usage;
  }
  set usage(usage: AiChatUsageResponse | null | undefined) {
    const next = orAbsent(usage);
    if (next === this.#usage) return;
    this.#usage = next;
    this.#isUsageNew = true;
    this.#rendered = undefined;
    this.#renew();
  }

  /** Texts that replace those of the language, any number of them. */
  get strings(): Partial<MeterStrings> | undefined {
    return this.#strings;
  }
  set strings(strings: Partial<MeterStrings> | null | undefined) {
    this.#strings = orAbsent(strings);
    this.#schedule();
  }

  /** The attribute `company-id`: whose usage. Without it, the logged-in user's company. */
  get companyId(): string | null {
    return this.getAttribute(COMPANY_ID) ?? this.getAttribute(REACT_COMPANY_ID);
  }
  set companyId(id: string | null | undefined) {
    this.#reflect(COMPANY_ID, id);
    this.removeAttribute(REACT_COMPANY_ID);
  }

  /** The attribute `label`: the name of the meter. */
  get label(): string | null {
    return this.getAttribute("label");
  }
  set label(label: string | null | undefined) {
    this.#reflect("label", label);
  }

  /** The attribute `variant`; an unknown value means `bar`. */
  get variant(): MeterVariant {
    return variantOf(this.getAttribute("variant"));
  }
  set variant(variant: MeterVariant | null | undefined) {
    this.#reflect("variant", variant);
  }

  /** The attribute `locale`, for texts, numbers and times. If it is absent or invalid, the nearest `lang` counts. */
  get locale(): string | null {
    return this.getAttribute("locale");
  }
  set locale(locale: string | null | undefined) {
    this.#reflect("locale", locale);
  }

  /** The state that is shown. */
  get state(): UsageState {
    return this.#state;
  }

  /**
   * Sends a request now, for example after a message that was charged. You need
   * not catch its errors if you do not await it: the meter shows them.
   *
   * @throws The error of the client's call; a ConfigError if there is no client.
   */
  refresh(): Promise<AiChatUsageResponse> {
    const source = (this.#source ??= this.#makeSource());
    return handled(() => source.refresh());
  }

  connectedCallback(): void {
    const sheet = sheetOf(this.ownerDocument);
    if (sheet) this.#root.adoptedStyleSheets = [sheet];
    this.#removeStyles();
    const redraw = () => this.#schedule();
    const { ownerDocument } = this;
    // By then the time of the figures may be of another day.
    ownerDocument.addEventListener("visibilitychange", redraw);
    const ignore = onLanguage(redraw);
    this.#forget = () => {
      ownerDocument.removeEventListener("visibilitychange", redraw);
      ignore();
    };
    this.#follow();
  }

  disconnectedCallback(): void {
    this.#leave?.();
    this.#forget?.();
    this.#leave = this.#forget = undefined;
  }

  /** With this callback, `moveBefore` does not disconnect the element. */
  connectedMoveCallback(): void {
    this.#draw(); // the nearest `lang` may differ
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name !== COMPANY_ID && name !== REACT_COMPANY_ID) return this.#schedule();
    const company = companyOf(this.companyId);
    if (company === this.#company) return;
    this.#company = company;
    // What was shown so far is of another company.
    if (!this.#isUsageNew) this.#usage = undefined;
    if (this.#rendered && !this.#isOfCompany(this.#rendered)) this.#rendered = undefined;
    // Before there is a source, what a server has rendered for this company may still arrive.
    if (this.#source) this.#mayTakeOver = false;
    this.#renew();
  }

  /** Forgets what was given or rendered, as it is another user's or another company's. */
  #discard(): void {
    if (!this.#isUsageNew) this.#usage = undefined;
    this.#rendered = undefined;
    this.#mayTakeOver = false;
  }

  #isOfCompany({ companyId }: Rendered): boolean {
    return companyOf(companyId) === this.#company;
  }

  /** Takes over what a server has rendered. Returns whether there were figures that still count. */
  #takeOver(): boolean {
    const rendered = takeOver(this, this.#root);
    // A script may have changed the company before the element was defined.
    if (!rendered || !this.#mayTakeOver || !this.#isOfCompany(rendered)) return false;
    this.#rendered = rendered;
    return true;
  }

  /** Removes the styles of a server, which are for the first paint. */
  #removeStyles(): void {
    this.#root.querySelector("style, link")?.remove();
  }

  #reflect(name: string, value: string | null | undefined): void {
    if (value === null || value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, value);
  }

  /** Schedules a change of the source, so that several properties set in a row count as one change. */
  #renew(): void {
    this.#leave?.();
    this.#leave = this.#source = undefined;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = this.#isUsageNew = false;
      if (this.isConnected) this.#follow();
    });
  }

  #follow(): void {
    if (this.#leave) return this.#draw();
    const source = (this.#source ??= this.#makeSource());
    let state: UsageState | undefined;
    const leave = source.subscribe((next) => {
      if (this.#source === source) this.#take((state = next));
    });
    // A listener called during `subscribe` may have set another source, or moved or removed the meter.
    if (this.#source === source && this.isConnected && !this.#leave) this.#leave = leave;
    else leave();
    if (state === undefined) this.#draw();
  }

  #makeSource(): Source {
    try {
      if (this.#store !== undefined) {
        const { subscribe, refresh } = this.#store;
        return typeof subscribe === "function" && typeof refresh === "function" ? this.#store : refuse("The store must be one of watchAiChatUsage.");
      }
      const usage = this.#usage ?? this.#rendered?.usage;
      if (usage !== undefined && !isUsage(usage)) refuse(NO_USAGE);
      if (this.#client !== undefined) {
        return watchAiChatUsage(this.#client, this.companyId === null ? {} : { companyId: this.companyId }, usage && { initialUsage: usage });
      }
      checkCompany(this.companyId, usage);
      return still(usage ? { status: "ok", usage, ...firstLook(usage) } : { status: "pending" });
    } catch (error) {
      return still(stopped(error as AnyBookMoreError));
    }
  }

  #take(given: UsageState): void {
    const before = this.#state;
    const isFine = !given.usage || given.usage === before.usage || isUsage(given.usage);
    let state = isFine ? given : stopped(new ConfigError({ message: NO_USAGE }));
    // A client without a usage has a new user.
    if (given.status === "pending" && this.#client && this.#store === undefined && (this.#usage || this.#rendered)) this.#discard();
    // Figures rendered by a server have the time of that rendering.
    const { usage, updatedAt } = this.#rendered ?? {};
    if (updatedAt !== undefined && state.updatedAt === undefined && state.usage === usage) state = { ...state, updatedAt };
    this.#state = state;
    this.#draw();
    if (looksOf(before) === looksOf(state)) return;
    this.dispatchEvent(new CustomEvent("bookmore-usage-change", { detail: state, bubbles: true, composed: true }));
  }

  #draw(): void {
    const { strings, locale } = stringsFor(knownLocale(this.locale, langAround(this), globalThis.navigator?.language), this.#strings);
    const state = this.#state;
    const label = this.label ?? undefined;
    const worded = { state, strings, locale };
    this.#announce(label || strings.label, worded);
    const focused = this.#root.activeElement;
    const isTrying = this.#tried !== undefined && this.#tried === this.#source;
    const tree = draw({ ...worded, variant: this.variant, label, isTrying, announcement: this.#announcement });
    // The root may have other children: the styles of a browser's extension, or a second box, which the parser has added.
    const [box = this.#addBox(), ...others] = this.#root.querySelectorAll(`.${BOX}`);
    for (const other of others) other.remove();
    patch(box, [tree]);
    // Otherwise the focus is lost when a button disappears with its error.
    if (focused?.closest("[hidden]")) this.#root.querySelector<HTMLElement>(".base")!.focus();
    for (const name of STATES) {
      const isOn = name === "stale" ? isStale(state) : name === state.level;
      try {
        this.#internals?.states?.[isOn ? "add" : "delete"](name);
      } catch {
        // Chromium before 125 refuses names without dashes.
      }
    }
  }

  #addBox(): Element {
    const box = this.ownerDocument.createElement("div");
    box.className = BOX;
    return this.#root.appendChild(box);
  }

  /** Announces each change of the level or the error once, without figures. */
  #announce(label: string, worded: Worded): void {
    const { state, strings } = worded;
    const isFailure = hasFailed(state);
    const level = levelName(state);
    const kind = isFailure ? String(state.error?.code) : level;
    if (!kind) return;
    const words = `${label}: ${errorText(worded) || (level ? strings[level] : "")}`;
    const isFirst = this.#kind === undefined;
    if (kind !== this.#kind) this.#announcement = isFirst && !isFailure ? "" : words;
    // Only the words have changed, such as the language, which is not announced.
    else if (words !== this.#announcement) this.#announcement = "";
    this.#kind = kind;
  }

  async #click(button: Element | null | undefined): Promise<void> {
    if (!button) return;
    if (button.className === "login") {
      this.dispatchEvent(new Event("bookmore-login", { bubbles: true, composed: true }));
      return;
    }
    const source = (this.#source ??= this.#makeSource());
    if (this.#tried === source) return;
    this.#tried = source;
    this.#draw();
    try {
      await source.refresh();
    } catch {
      // The state has the error.
    }
    // By now the user may wait for another source.
    if (this.#tried === source) this.#tried = undefined;
    this.#draw();
  }
}
