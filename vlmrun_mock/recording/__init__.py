"""The real API: requests are forwarded to it, recorded, compared, and asked again for drift."""
