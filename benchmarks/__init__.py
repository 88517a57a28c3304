"""What measures speed: ratios of two things in one run, since a machine's own speed drifts."""
