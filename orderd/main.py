"""The entry point of the ``orderd`` process: garbage collection, then the command line."""

from orderd.garbage import spare_what_is_loaded


def main() -> None:
    spare_what_is_loaded()  # before all other imports
    from orderd.app import run_command_line

    run_command_line()


if __name__ == "__main__":
    main()
