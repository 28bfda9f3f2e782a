"""The verbs of ``orderctl``, one a module. A module is imported when its verb is called."""
