"""JSON Schema, without a word of VLM Run: references, validation, fields, selection, grounding and generation."""
