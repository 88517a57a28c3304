"""The commands of a maintainer; tests import them to check what they have exported."""
