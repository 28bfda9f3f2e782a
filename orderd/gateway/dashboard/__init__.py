"""The dashboard: a page that shows the state of the daemon, without scripts. The browser reloads it."""
