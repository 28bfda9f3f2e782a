"""The units of ``deploy`` under a real systemd in a container: ``make systemd``."""
