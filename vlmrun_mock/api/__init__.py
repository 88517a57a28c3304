"""The vendor's contract: requests, envelopes, errors, quirks and tokens."""
