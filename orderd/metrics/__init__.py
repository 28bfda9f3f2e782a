"""The metrics of the processes: one module per subject, with names and units as Prometheus recommends.

Every process has the metrics of ``orders``, ``chain``, ``venues`` and ``process``; a gateway also has those of ``port``
and ``cluster``, and a worker those of ``worker``. Counters begin at 0 when their process starts. The values of labels
are a fixed set: they contain no id, mint or address.
"""
