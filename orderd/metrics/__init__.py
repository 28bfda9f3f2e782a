"""The metrics of the processes, a module for each subject, by Prometheus' names and units.

Every process has those of ``orders``, ``chain``, ``venues`` and ``process``, a gateway those of ``port`` and
``cluster``, and a worker those of ``worker``. Counters begin at 0 when their process begins. No label has a value that
is made by use: no id, no mint, no address.
"""
