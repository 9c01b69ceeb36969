// Compares the operation's members in the crate's structs with those that a host describes at /types/metadata.
import { fileURLToPath } from "node:url";
import { structs } from "../../pkg/build/reply.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The path at which a ServiceStack host describes the operation. */
export const METADATA = "/types/metadata?format=json&IncludeTypes=GetAiChatUsage.*,AiChatUsageResponse";

/** By a member's kind in `src/dto`: the C# types from which it can be read. A string of the request is a Guid on the server. */
const READABLE = {
  Int64: ["Int64", "Int32"],
  Int32: ["Int32"],
  Boolean: ["Boolean"],
  Guid: ["Guid"],
  Text: ["String"],
  ResponseStatus: ["ResponseStatus"],
  String: ["Guid", "String"],
};

/**
 * @param {object} metadata the host's answer
 * @returns {string[]} a sentence for each member that was added, removed or changed its type
 * @throws {Error} if the metadata does not describe the operation
 */
export function drift(metadata) {
  const { operations = [] } = caseless(metadata);
  const operation = operations.find(({ request }) => request?.name === "GetAiChatUsage");
  if (!operation) throw new Error("The host describes no operation GetAiChatUsage.");
  if (!operation.response) throw new Error("The host does not say what GetAiChatUsage returns.");
  const verbs = operation.actions ?? [operation.method];
  return [
    ...(verbs.includes("GET") ? [] : [`GetAiChatUsage is sent by ${verbs.join(", ")}, no longer by GET`]),
    ...compared("GetAiChatUsage", structs(ROOT, "get_ai_chat_usage"), operation.request),
    ...compared("AiChatUsageResponse", structs(ROOT, "usage_response"), operation.response),
  ];
}

function compared(name, ours, theirs) {
  const { members } = ours.find((struct) => struct.name === name);
  const properties = new Map((theirs.properties ?? []).map((property) => [property.name.toLowerCase(), property]));
  const found = [];
  for (const { name: member, kind, isOptional } of members) {
    const property = properties.get(member.toLowerCase());
    properties.delete(member.toLowerCase());
    if (!property) {
      found.push(`${name}.${member} was removed: the host does not have it`);
      continue;
    }
    const { type, isNullable } = typeOf(property);
    if (!READABLE[kind].includes(type)) found.push(`${name}.${property.name} changed its type: ${kind} here, ${type} at the host`);
    else if (isNullable && !isOptional) found.push(`${name}.${property.name} may be absent at the host, and is required here`);
  }
  for (const property of properties.values()) found.push(`${name}.${property.name} was added: ${typeOf(property).type} at the host`);
  return found;
}

function typeOf({ type, genericargs }) {
  return /^Nullable`1$/.test(type) ? { type: genericargs[0], isNullable: true } : { type, isNullable: false };
}

/** Lower-cases the names of members, because their case is a setting of the host. */
function caseless(value) {
  if (Array.isArray(value)) return value.map(caseless);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toLowerCase(), caseless(member)]));
}
