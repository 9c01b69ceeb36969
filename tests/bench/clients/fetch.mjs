// The floor: no client at all.
export const usage = async (baseUrl) => {
  const headers = { Accept: "application/json", Authorization: "Bearer good-token" };
  return (await fetch(`${baseUrl}/assistant/ai-chat/usage`, { headers })).json();
};
