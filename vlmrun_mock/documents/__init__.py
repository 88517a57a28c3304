"""Pictures and files: what a document is known by."""
