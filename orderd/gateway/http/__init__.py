"""The HTTP side of the port: REST under ``/api``, health, metrics and the documents."""
