import type { ResponseStatus } from "bookmore-sdk";
import { checkFailure, isFailure, type Answers, type Failure } from "./failures.js";
import { dashed, digitsOf, EMPTY } from "./guid.js";
import { checkMembers } from "./members.js";
import { completed, tellsUsed, tokens, UNUSED, USAGE_MEMBERS, type Amounts, type UsageMembers } from "./usage.js";

const DAY = 86_400_000;

interface Step {
  failure?: Failure;
  members?: UsageMembers;
  /** How many requests still get it. */
  left: number;
}

/** A company: what it has used and when, and the outcomes set for its requests. */
export class Company {
  responseStatus: ResponseStatus | undefined;
  readonly #now: () => number;
  #tokenLimit = UNUSED.tokenLimit;
  #windowDays = UNUSED.windowDays;
  #spent: { at: number; tokens: bigint }[] = [];
  #steps: Step[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The usage within the window that ends now. */
  get amounts(): Amounts {
    const begin = this.#now() - this.#windowDays * DAY;
    const within = this.#spent.filter(({ at }) => at > begin);
    const tokensUsed = within.reduce((sum, spent) => sum + spent.tokens, 0n);
    return { tokensUsed, tokenLimit: this.#tokenLimit, windowDays: this.#windowDays };
  }

  record(spent: bigint): void {
    this.#spent.push({ at: this.#now(), tokens: spent });
  }

  /** Sets the answers from now on; the last one stays. */
  answer(steps: Step[]): void {
    this.#steps = steps;
    this.#enter();
  }

  /** The failure that the next request gets, if one is set. */
  get failure(): Failure | undefined {
    return this.#steps[0]?.failure;
  }

  /** Moves on after a request was answered. */
  answered(): void {
    const [step] = this.#steps;
    if (!step || --step.left > 0) return;
    this.#steps.shift();
    this.#enter();
  }

  #enter(): void {
    const members = this.#steps[0]?.members;
    if (!members) return;
    const { tokensUsed, tokenLimit, windowDays } = completed(members, this.amounts);
    this.#tokenLimit = tokenLimit;
    this.#windowDays = windowDays;
    this.responseStatus = members.responseStatus;
    if (tellsUsed(members)) this.#spent = [{ at: this.#now(), tokens: tokensUsed }];
  }
}

/** All companies that were requested or set. */
export class Companies {
  /** The digits of the logged-in user's company. */
  readonly own: string;
  readonly #now: () => number;
  readonly #known = new Map<string, Company>();

  constructor(own: string, now: () => number) {
    this.own = digitsOf(own);
    this.#now = now;
  }

  /** A company; one that was never set has used nothing. */
  of(digits: string): Company {
    const known = this.#known.get(digits) ?? new Company(this.#now);
    this.#known.set(digits, known);
    return known;
  }

  set(companyId: string | undefined, answers: Answers): void {
    const digits = this.#digits(companyId);
    const list: readonly (UsageMembers | Failure)[] = Array.isArray(answers) ? answers : [answers];
    if (list.length === 0) throw new TypeError("A list of answers needs one at least.");
    const steps = list.map((given, index): Step => {
      const isLast = index === list.length - 1;
      if (isFailure(given)) {
        checkFailure(given);
        return { failure: given, left: given.times ?? (isLast ? Infinity : 1) };
      }
      checkMembers(given, [...USAGE_MEMBERS, "status", "kind"], "A usage or failure");
      checkOwner(given.companyId, digits);
      return { members: given, left: isLast ? Infinity : 1 };
    });
    // A contradiction fails here, where the test sets it, not in a later request.
    for (const { members } of steps) if (members) completed(members, this.of(digits).amounts);
    this.of(digits).answer(steps);
  }

  record(companyId: string | undefined, spent: number | bigint): void {
    this.of(this.#digits(companyId)).record(tokens(spent, "tokens") ?? 0n);
  }

  reset(): void {
    this.#known.clear();
  }

  #digits(companyId: string | undefined): string {
    const digits = companyId === undefined ? this.own : digitsOf(companyId);
    return digits === EMPTY ? this.own : digits;
  }
}

function checkOwner(companyId: string | undefined, digits: string): void {
  if (companyId === undefined || digitsOf(companyId) === digits) return;
  throw new TypeError(
    `The usage is of company ${companyId}, and is set for ${dashed(digits)}. For a server that mixes them up: { kind: "other-company" }.`,
  );
}
