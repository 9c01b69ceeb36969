import { JsonServiceClient } from "@servicestack/client";

class AiChatUsageResponse {
  constructor(init) {
    Object.assign(this, init);
  }
}
class GetAiChatUsage {
  getTypeName = () => "GetAiChatUsage";
  getMethod = () => "GET";
  createResponse = () => new AiChatUsageResponse();
}

export function client(baseUrl) {
  const client = new JsonServiceClient(baseUrl);
  client.bearerToken = "good-token";
  return () => client.get(new GetAiChatUsage());
}
