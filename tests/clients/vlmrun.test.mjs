// The newest `vlmrun` of npm; run by scripts/test-clients. The server is the one that VLMRUN_BASE_URL names.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { VlmRun } from "vlmrun";

const client = new VlmRun({ apiKey: process.env.VLMRUN_API_KEY, baseURL: process.env.VLMRUN_BASE_URL });
const domain = "document.invoice";
const invoiceId = "HB-2025-0347";
const url = "https://example.com/a.pdf";
const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=";

function file(name, content) {
  const path = join(mkdtempSync(join(tmpdir(), "vlmrun-")), name);
  writeFileSync(path, content);
  return path;
}

test("a file is uploaded once, listed, read and deleted", async () => {
  const filePath = file("scan.pdf", `%PDF-1.4 /Type /Page ${Math.random()}`);

  const first = await client.files.upload({ filePath, purpose: "vision" });
  const second = await client.files.upload({ filePath, checkDuplicate: true });

  assert.equal(second.id, first.id);
  assert.equal((await client.files.get(first.id)).filename, "scan.pdf");
  assert.ok((await client.files.list({ limit: 100 })).some((each) => each.id === first.id));
  await client.files.delete(first.id);
  assert.ok(!(await client.files.list({ limit: 100 })).some((each) => each.id === first.id));
});

test("pictures are predicted by their bytes and by their URLs", async () => {
  const byBytes = await client.image.generate({ images: [pixel], model: "vlm-1", domain });
  const byUrls = await client.image.generate({ urls: [url, url], model: "vlm-1", domain });

  assert.equal(byBytes.status, "completed");
  assert.equal(byBytes.response.invoice_id, invoiceId);
  assert.equal(byUrls.usage.elements_processed, 2);
});

test("a document is predicted by a file and by a URL, at once and in a batch", async () => {
  const uploaded = await client.files.upload({ filePath: file("a.pdf", "%PDF-1.4 /Type /Page /Type /Page") });

  const atOnce = await client.document.generate({ fileId: uploaded.id, model: "vlm-1", domain, batch: false });
  const batch = await client.document.generate({ url, model: "vlm-1", domain, batch: true });
  const waited = await client.predictions.wait(batch.id, 10, 1);

  assert.equal(atOnce.usage.elements_processed, 2);
  assert.equal(batch.status, "pending");
  assert.equal(batch.response, null);
  assert.equal(waited.response.invoice_id, invoiceId);
  assert.ok((await client.predictions.list({ limit: 50 })).some((each) => each.id === batch.id));
});

test("media and pages of the web are predicted", async () => {
  const audio = await client.audio.generate({ url, model: "vlm-1", domain: "audio.transcription", batch: false });
  const video = await client.video.generate({ url, model: "vlm-1", domain: "video.transcription", batch: false });
  const web = await client.web.generate({ url, model: "vlm-1", domain: "web.market-research", mode: "fast" });

  assert.ok(audio.response.segments.length > 0);
  assert.ok(video.response.metadata.duration > 0);
  assert.equal(web.status, "completed");
});

test("a schema is made up for a document", async () => {
  const made = await client.document.schema({ url });
  const ofPictures = await client.image.schema({ urls: [url] });

  assert.equal(made.response.schema_version, "20250313");
  assert.equal(ofPictures.response.schema_hash.length, 64);
});

test("a schema of the application decides the answer, with confidences", async () => {
  const jsonSchema = { type: "object", properties: { invoice_id: { type: "string" } }, required: ["invoice_id"] };
  const config = { jsonSchema, confidence: true };

  const { response } = await client.image.generate({ images: [pixel], model: "vlm-1", domain, config });

  assert.deepEqual(Object.keys(response), ["invoice_id", "invoice_id_metadata"]);
  assert.ok(response.invoice_id_metadata.confidence);
});

test("models, the hub and feedback answer", async () => {
  const prediction = await client.document.generate({ url, model: "vlm-1", domain, batch: false });

  const given = await client.feedback.submit({ id: prediction.id, response: { total: 1 }, notes: "Wrong" });

  assert.equal((await client.models.list()).length, 17);
  assert.ok((await client.hub.info()).version);
  assert.ok((await client.hub.listDomains()).every((each) => each.domain && each.name && each.description));
  assert.equal((await client.hub.getSchema({ domain })).domain, domain);
  assert.equal(given.request_id, prediction.id);
});

test("fine-tuning goes through and trains nothing", async () => {
  const job = await client.finetuning.create({ model: "vlm-1", trainingFile: "file-1", suffix: "mine" });

  assert.equal((await client.finetuning.get(job.id)).suffix, "mine");
  assert.ok((await client.finetuning.list()).length >= 1);
  assert.equal((await client.finetuning.provision({ model: "vlm-1:mine" })).model, "vlm-1:mine");
});

test("what is wrong is an error with the API's own words", async () => {
  await assert.rejects(client.predictions.get("none"), /Prediction not found/);
  await assert.rejects(client.image.generate({ images: [pixel], model: "vlm-1", domain: "document.invoic" }), /document\.invoice/);
});
