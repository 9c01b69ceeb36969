// The table of errors in pkg/docs/errors.md, from the types: for each code its class, when it occurs and its members.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const ts = createRequire(import.meta.url)("typescript-6.0");
const DECLARATIONS = fileURLToPath(new URL("../pkg/dist/index.d.ts", import.meta.url));

/** The rows in Markdown. */
export function errorTable() {
  const program = ts.createProgram([DECLARATIONS], { module: ts.ModuleKind.NodeNext, types: [] });
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(DECLARATIONS)));
  const declared = (name) => checker.getDeclaredTypeOfSymbol(exported.find((symbol) => symbol.name === name));
  const shared = new Set(declared("BookMoreError").getProperties().map(({ name }) => name));
  const first = new Map();
  const rows = declared("AnyBookMoreError").types.map((type) => {
    const code = checker.getTypeOfSymbol(type.getProperty("code")).value;
    // If the type is narrowed further, its first part is the class.
    const { symbol } = type.isIntersection() ? type.types[0] : type;
    const members = type.getProperties().filter(({ name }) => !shared.has(name)).map(member).join(", ");
    const before = members && first.get(members);
    if (!before) first.set(members, code);
    const [when] = /^.+?\.(?= |$)/.exec(ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll("\n", " "));
    return `| \`${code}\` | \`${symbol.name}\` | ${when.slice(0, -1)} | ${before ? `those of \`${before}\`` : members} |`;
  });
  return ["| `code` | class | when | members |", "|---|---|---|---|", ...rows].join("\n");
}

function member(symbol) {
  return `\`${symbol.name}${symbol.flags & ts.SymbolFlags.Optional ? "?" : ""}\``;
}
