"""The inspector: a page that shows each request with its picture, its answer and the reason, and saves fixtures."""
