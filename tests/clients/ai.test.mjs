// The Vercel AI SDK; run by scripts/test-clients --frameworks. The server is the one that OPENAI_BASE_URL names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { generateObject, generateText, streamText } from "ai";
import { z } from "zod";

const invoiceId = "HB-2025-0347";
const schema = z.object({ invoice_id: z.string(), total_amount: z.number() });
// It has no way to send further keys, so they are put into the body on its way.
const withDomain = (url, options) => {
  const body = JSON.stringify({ ...JSON.parse(options.body), vlmrun: { domain: "document.invoice" } });
  return fetch(url, { ...options, body });
};
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: process.env.OPENAI_API_KEY, fetch: withDomain });
const prompt = "Extract the invoice";

test("generateText reads an answer", async () => {
  const { text } = await generateText({ model: openai.chat("vlmrun-orion-1:auto"), prompt, maxRetries: 0 });

  assert.equal(JSON.parse(text).invoice_id, invoiceId);
});

test("streamText reads a stream from Orion", async () => {
  const { textStream } = streamText({ model: openai.chat("vlmrun-orion-1:auto"), prompt, maxRetries: 0 });
  const chunks = [];
  for await (const chunk of textStream) {
    chunks.push(chunk);
  }

  assert.ok(chunks.length > 10);
  assert.equal(JSON.parse(chunks.join("")).invoice_id, invoiceId);
});

test("generateObject fills a schema", async () => {
  const { object } = await generateObject({ model: openai.chat("vlm-1"), schema, prompt, maxRetries: 0 });

  assert.equal(object.invoice_id, invoiceId);
});
