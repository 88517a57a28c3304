"""What measures this project's speed beside its peers: `python -m benchmarks`.

`environments` says where a peer is installed, `peers` how each is started, `server` runs one, `bodies` and `load` ask
it. `cases` are the measurements, `runner` makes their rounds, `results` keeps what they measured, and `report` and
`chart` show it.
"""
