// The newest `openai` of npm, and plain fetch; run by scripts/test-clients. The server is the one that OPENAI_BASE_URL names.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const vlmrun = { domain: "document.invoice" };
const invoiceId = "HB-2025-0347";
// A picture of 1 x 1: one tile.
const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=";

function ask(...urls) {
  const pictures = urls.map((url) => ({ type: "image_url", image_url: { url } }));
  return [{ role: "user", content: [{ type: "text", text: "Extract the data" }, ...pictures] }];
}

function content(completion) {
  return JSON.parse(completion.choices[0].message.content);
}

test("a picture is answered with 201 and paid for in tokens", async () => {
  const request = { model: "vlm-1", messages: ask(pixel), vlmrun };

  const { data, response } = await client.chat.completions.create(request).withResponse();
  const without = await client.chat.completions.create({ ...request, messages: ask() });

  assert.equal(response.status, 201);
  assert.equal(response.headers.get("x-vlmrun-mock-fixture"), "document.invoice/answer.json");
  assert.equal(content(data).invoice_id, invoiceId);
  assert.equal(data.usage.prompt_tokens - without.usage.prompt_tokens, 85 + 170);
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
});

test("the same request gets the same completion", async () => {
  const request = { model: "vlm-1", messages: ask(pixel), vlmrun };

  const several = await Promise.all([1, 2, 3].map(() => client.chat.completions.create(request)));

  assert.deepEqual(several[0], several[1]);
  assert.deepEqual(several[0], several[2]);
});

test("a JSON schema decides the shape of the answer", async () => {
  const schema = {
    type: "object",
    properties: {
      invoice_id: { type: "string" },
      approved_by: { type: "string" },
      status: { enum: ["open", "paid"] },
      items: {
        type: "array",
        items: { type: "object", properties: { description: { type: "string" } }, required: ["description"] },
      },
    },
    required: ["invoice_id", "approved_by", "status", "items"],
    additionalProperties: false,
  };
  const response_format = { type: "json_schema", json_schema: { name: "invoice", strict: true, schema } };

  const completion = await client.chat.completions.parse({
    model: "vlm-1",
    messages: ask(pixel),
    response_format,
    vlmrun,
  });

  const answer = content(completion);
  assert.deepEqual(Object.keys(answer).sort(), [...schema.required].sort());
  assert.equal(answer.invoice_id, invoiceId);
  assert.ok(["open", "paid"].includes(answer.status));
  assert.deepEqual(Object.keys(answer.items[0]), ["description"]);
  assert.ok(answer.approved_by.length > 0);
});

test("a streaming client sees no chunk", async () => {
  const request = { model: "vlm-1", messages: ask(), vlmrun, stream: true };

  const { data, response } = await client.chat.completions.create(request).withResponse();
  const chunks = [];
  for await (const chunk of data) chunks.push(chunk);

  assert.deepEqual(chunks, []);
  assert.equal(response.headers.get("x-vlmrun-mock-ignored"), "stream");
});

test("an error has a status, a code, a parameter and a readable message", async () => {
  const request = { model: "vlm-1", messages: ask(), vlmrun: { domain: "document.invoce" } };

  await assert.rejects(client.chat.completions.create(request), (error) => {
    assert.ok(error instanceof OpenAI.UnprocessableEntityError);
    assert.deepEqual([error.status, error.code, error.param], [422, "unknown_domain", "vlmrun.domain"]);
    assert.match(error.message, /document\.invoice/);
    assert.ok(error.requestID);
    return true;
  });
});

test("a request without a key is refused", async () => {
  const keyless = new OpenAI({ maxRetries: 0, defaultHeaders: { Authorization: null } });

  await assert.rejects(keyless.models.list(), OpenAI.AuthenticationError);
});

test("the models are listed", async () => {
  const names = [];

  for await (const model of client.models.list()) names.push(model.id);

  assert.ok(names.includes("vlm-1"));
});

test("plain fetch reads the answer, with the older header for the key", async () => {
  const response = await fetch(`${process.env.OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Api-Key": "local" },
    body: JSON.stringify({ model: "vlm-1", messages: ask(pixel), vlmrun }),
  });

  const body = await response.json();
  assert.equal(response.status, 201);
  assert.equal(JSON.parse(body?.choices?.[0]?.message?.content).invoice_id, invoiceId);
});

test("a stream from Orion is together the plain answer, with the usage where it is asked for", async () => {
  const request = { model: "vlmrun-orion-1:auto", messages: ask(pixel), vlmrun };
  const plain = await client.chat.completions.create(request);
  const read = async (further) => {
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true, ...further })) {
      chunks.push(chunk);
    }
    return chunks;
  };

  const usual = await read({});
  const counted = await read({ stream_options: { include_usage: true } });

  for (const chunks of [usual, counted]) {
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    assert.equal(text, plain.choices[0].message.content);
    assert.deepEqual(chunks.at(-1).usage, plain.usage);
  }
  assert.equal(usual.at(-1).choices[0].finish_reason, "stop");
  assert.deepEqual(counted.at(-1).choices, []);
});
