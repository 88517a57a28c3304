"""Pictures and files: what a document is known by, and the documents that are printed here."""
