// The npm package jsonata over the cases on standard input: for each, its value and the nanoseconds of one evaluation.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, millis] = [process.argv[2], Number(process.argv[3])];
const jsonata = createRequire(modules + "/")("jsonata");

async function timed(run) {
  // Once for the compiler of Node, then as often as fits.
  const warm = performance.now();
  while (performance.now() - warm < millis / 2) await run();
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < millis) {
    for (let i = 0; i < 20; i++) await run();
    count += 20;
  }
  return ((performance.now() - began) * 1e6) / count;
}

const answers = [];
for (const { expr, data, bindings } of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    const compiled = jsonata(expr);
    const value = await compiled.evaluate(data ?? undefined, bindings);
    const nanos = await timed(() => compiled.evaluate(data ?? undefined, bindings));
    answers.push({ value: value === undefined ? null : value, nanos });
  } catch (error) {
    answers.push({ error: String(error.code ?? error) });
  }
}
// Half of a pair of surrogates is no text elsewhere.
const whole = (_, value) => (typeof value === "string" ? value.toWellFormed() : value);
console.log(JSON.stringify(answers, whole));
