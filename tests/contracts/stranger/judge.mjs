// Validates AsyncAPI documents with the specification's own parser: prints what is wrong, one JSON line per file.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(await readFile(file, "utf8"));
  const errors = diagnostics.filter((found) => found.severity === 0).map((found) => `${found.path.join(".")}: ${found.message}`);
  console.log(JSON.stringify({
    file,
    version: document?.version() ?? null,
    channels: document?.channels().length ?? 0,
    operations: document?.operations().length ?? 0,
    messages: document?.messages().length ?? 0,
    errors,
  }));
}
