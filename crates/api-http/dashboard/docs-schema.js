// A JSON Schema as a list of members, with links to what has a name of its own.

import { element } from "./dom.js";

/** The schema, without following names. */
export function schemaView(root, schema) {
  const description = schema.description ? [element("p", {}, schema.description)] : [];
  if (schema.oneOf) return element("div", { class: "schema" }, ...description, choices(schema.oneOf));
  if (schema.properties === undefined) return element("p", { class: "schema type" }, ...typeOf(schema), ...limitsOf(schema));
  // The order of the required members is that of the answers; properties are in alphabetical order.
  const required = schema.required ?? [];
  const names = [...required, ...Object.keys(schema.properties).filter((name) => !required.includes(name))];
  return element("div", { class: "schema" }, ...description, element("dl", { class: "members" }, ...names.flatMap((name) => {
    const member = schema.properties[name];
    const optional = required.includes(name) ? [] : [element("span", { class: "tag" }, "may be left out")];
    return [
      element("dt", {}, element("code", {}, name), element("span", { class: "type" }, ...typeOf(member)), ...optional),
      element("dd", {}, ...(member.description ? [element("p", {}, member.description)] : []), ...limitsOf(member)),
    ];
  })));
}

/** The type in words; what has a name is a link to it. */
function typeOf(schema) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return [element("a", { href: `#schema-${name}` }, name)];
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.flatMap((one, at) => (at === 0 ? typeOf(one) : [" or ", ...typeOf(one)]));
  if (schema.type === "array") return ["list of ", ...typeOf(schema.items ?? {})];
  if (schema.type === "object" && schema.additionalProperties) {
    return ["object with one ", ...typeOf(schema.additionalProperties), " per name"];
  }
  if (schema.const !== undefined) return [element("code", {}, JSON.stringify(schema.const))];
  const types = [schema.type ?? "anything"].flat().join(" or ");
  return [schema.format === "date-time" ? types.replace("string", "time") : types];
}

function limitsOf(schema) {
  const limits = [];
  if (schema.enum) limits.push(`one of ${schema.enum.map((value) => value ?? "null").join(", ")}`);
  if (schema.minimum !== undefined && schema.maximum !== undefined) limits.push(`${schema.minimum} to ${schema.maximum}`);
  if (schema.maxLength !== undefined) limits.push(`${schema.minLength ?? 0} to ${schema.maxLength} characters`);
  if (schema.default !== undefined) limits.push(`${JSON.stringify(schema.default)} unless given`);
  return limits.length === 0 ? [] : [element("span", { class: "limits" }, limits.join("; "))];
}

function choices(list) {
  return element("dl", { class: "members" }, ...list.flatMap((one) => [
    element("dt", {}, element("code", {}, JSON.stringify(one.const ?? one.enum?.[0] ?? one.type))),
    element("dd", {}, element("p", {}, one.description ?? "")),
  ]));
}
