"""The commands of ``orderctl``, one per module. A module is imported when its command is called."""
