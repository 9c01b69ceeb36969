// Whether a value that a client gave is the usage that is true.

/**
 * `truth` is as in tests/fixtures/outcomes.json, with what the API calls a long as a string. The
 * names of the members may have any case. A number that was rounded is not the same; a string or
 * a BigInt of the same digits is.
 */
export function isSameUsage(value, truth) {
  if (typeof value !== "object" || value === null) return false;
  const members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]));
  return (
    ["tokensUsed", "tokenLimit", "tokensRemaining", "windowDays"].every((name) => {
      const member = members[name.toLowerCase()];
      return ["number", "bigint", "string"].includes(typeof member) && digits(member) === String(truth[name]);
    }) && members.iswithinbudget === truth.isWithinBudget
  );
}

// All digits of the number that is really there: String(2 ** 60) would end in zeros.
function digits(number) {
  return typeof number === "number" && Number.isInteger(number) ? String(BigInt(number)) : String(number);
}
