// Whether a client's value is the right usage.

/**
 * `truth` has the form of tests/fixtures/outcomes.json, with each long as a string. Member names may
 * have any case. A rounded number is wrong; a string or a BigInt with the same digits is right.
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

// BigInt shows the exact value of the number; String(2 ** 60) would end in zeros.
function digits(number) {
  return typeof number === "number" && Number.isInteger(number) ? String(BigInt(number)) : String(number);
}
