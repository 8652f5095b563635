// Ollama's and OpenAI's clients for JavaScript, pointed at the proxy: node javascript.mjs URL MODEL

import assert from "node:assert/strict";
import { Ollama } from "ollama";
import OpenAI from "openai";

const [host, model] = process.argv.slice(2);
const messages = [{ role: "user", content: "What is the capital of France?" }];
const options = { temperature: 0 };
const ollama = new Ollama({ host });
const openai = new OpenAI({ baseURL: `${host}/v1`, apiKey: "x" });

const names = (await ollama.list()).models.map((each) => each.name);
assert.ok(names.includes(`${model}:latest`));
assert.deepEqual((await openai.models.list()).data.map((each) => each.id).sort(), names.sort());
assert.ok((await ollama.show({ model })).capabilities.includes("tools"));
assert.ok(Array.isArray((await ollama.ps()).models));

assert.match((await ollama.chat({ model, messages, options })).message.content, /Paris/);
let said = "";
for await (const piece of await ollama.chat({ model, messages, options, stream: true }))
  said += piece.message.content;
assert.match(said, /Paris/);
const { response } = await ollama.generate({ model, prompt: messages[0].content, options });
assert.match(response, /Paris/);
await assert.rejects(ollama.chat({ model: "nobody", messages }), { status_code: 404 });

const whole = await openai.chat.completions.create({ model, messages, temperature: 0 });
assert.match(whole.choices[0].message.content, /Paris/);
said = "";
for await (const piece of await openai.chat.completions.create({
  model, messages, temperature: 0, stream: true,
}))
  said += piece.choices[0]?.delta?.content ?? "";
assert.match(said, /Paris/);
console.log("JavaScript: both clients passed");
