import io

from rich.console import Console

from orderctl.display.tables import plain_table, print_whole


def test_a_table_wider_than_the_terminal_runs_on_uncut() -> None:
    table = plain_table(("ID", "left"), ("AMOUNT", "right"))
    table.add_row("x" * 60, "1.5")
    table.add_row("y", "1500")
    out = io.StringIO()
    print_whole(table, Console(file=out, width=40))

    assert out.getvalue().splitlines() == [
        f"{'ID':<60}  AMOUNT",
        f"{'x' * 60}     1.5",
        f"{'y':<60}    1500",
    ]


def test_no_line_is_longer_than_what_can_be_seen_of_it() -> None:
    table = plain_table(("ID", "left"), ("WHY", "left"))
    table.add_row("x", "a long explanation of it all, which runs on")
    table.add_row("y", "")
    out = io.StringIO()
    print_whole(table, Console(file=out, width=40))

    assert [line for line in out.getvalue().splitlines() if line != line.rstrip()] == []
