// Ways to request many companies. POOLS[name](baseUrl, ids, concurrency) resolves with a function that sends the requests
// and resolves with how many companies got their usage. For a folder where the packages are installed.
import pLimit from "p-limit";

const PATH = "/assistant/ai-chat/usage";
const headers = { Accept: "application/json", Authorization: "Bearer good-token" };

async function plain(ids, concurrency, ask) {
  const limit = pLimit(concurrency);
  const outcomes = await Promise.allSettled(ids.map((id) => limit(() => ask(id))));
  return outcomes.filter(({ value }) => value?.TokensUsed === 1234).length;
}

export const POOLS = {
  async "bookmore-sdk/many"(baseUrl, ids, concurrency) {
    const [{ BookMoreClient }, { getManyAiChatUsage }] = await Promise.all([import("bookmore-sdk"), import("bookmore-sdk/many")]);
    const client = new BookMoreClient({ baseUrl, bearerToken: "good-token" });
    return async () => {
      const outcomes = await getManyAiChatUsage(client, ids, { concurrency });
      return outcomes.filter(({ usage }) => usage?.tokensUsed === 1234).length;
    };
  },
  async "p-limit, fetch"(baseUrl, ids, concurrency) {
    const ask = async (id) => {
      const response = await fetch(`${baseUrl}${PATH}?CompanyId=${id}`, { headers });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return response.json();
    };
    return () => plain(ids, concurrency, ask);
  },
  async "p-limit, ky"(baseUrl, ids, concurrency) {
    const { default: ky } = await import("ky");
    const client = ky.create({ prefix: baseUrl, headers });
    return () => plain(ids, concurrency, (id) => client.get(PATH.slice(1), { searchParams: { CompanyId: id } }).json());
  },
};

/** `count` company ids. */
export const companies = (count) => Array.from({ length: count }, (_, number) => `00000000-0000-4000-8000-${String(number + 1).padStart(12, "0")}`);
