"""The units of ``deploy`` under a real systemd, in a container of its own: ``make systemd``."""
