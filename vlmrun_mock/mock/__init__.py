"""One scope: its settings and state, the sources of its answers, its faults, its journal and the verdict."""
