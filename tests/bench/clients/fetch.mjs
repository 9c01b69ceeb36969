// The baseline: no client at all.
export function client(baseUrl) {
  const headers = { Accept: "application/json", Authorization: "Bearer good-token" };
  return async () => (await fetch(`${baseUrl}/assistant/ai-chat/usage`, { headers })).json();
}
