"""Publishing of events: after the commit, each once, in order."""

from typing import Final

from tests.mutants.mutant import Mutant

_HUB: Final = "tests/unit/gateway/test_hub.py::"

MUTANTS: Final = (
    Mutant(
        "told-twice",
        4,
        "orderd/gateway/streaming/hub.py",
        "            if not may_wait or self._marks[order_id].seq < self._late.get(order_id, 0):\n"
        "                self._fill(order_id, seq)\n",
        "            self._marks[order_id].seq = 0\n            self._fill(order_id, seq)\n",
        (f"{_HUB}test_every_follower_sees_every_event_once_and_in_order",),
        "A fill that is told twice is counted twice by whoever adds fills up.",
    ),
    Mutant(
        "gaps-passed-over",
        4,
        "orderd/gateway/streaming/hub.py",
        "elif news.seq == mark.seq + 1 and (mark.groups or not self._of_group):",
        "elif mark.groups or not self._of_group:",
        (f"{_HUB}test_every_follower_sees_every_event_once_and_in_order",),
        "What Redis lost is never told, a failed attempt or a fill among it.",
    ),
    Mutant(
        "snapshot-and-then-the-past",
        4,
        "orderd/gateway/streaming/subscription.py",
        "is_new = news.seq > sent",
        "is_new = news.seq >= sent",
        (f"{_HUB}test_every_follower_sees_every_event_once_and_in_order",),
        "An order goes back to a state that it has left.",
    ),
    Mutant(
        "later-pages-held",
        4,
        "orderd/gateway/streaming/subscription.py",
        "self._upto < number <= self.since",
        "self._upto > number",
        ("tests/unit/gateway/test_subscription.py::test_events_of_orders_on_later_pages_are_left_to_those_pages",),
        "Whoever follows many busy orders is closed before it has seen them.",
    ),
    Mutant(
        "ends-without-a-beginning",
        4,
        "orderd/gateway/streaming/subscription.py",
        "            self._drop_ended(page, after)\n",
        "",
        (f"{_HUB}test_every_follower_sees_every_event_once_and_in_order",),
        "A follower hears of an order's end that it was never shown.",
    ),
    Mutant(
        "sweeps-find-nothing",
        4,
        "orderd/gateway/streaming/hub.py",
        "            if not may_wait or self._marks[order_id].seq < self._late.get(order_id, 0):\n",
        "            if False:\n",
        (f"{_HUB}test_late_events_are_awaited_and_lost_ones_are_read",),
        "An end that Redis lost is never told, and the trader waits for ever.",
    ),
    Mutant(
        "news-end-with-redis",
        13,
        "orderd/best_effort.py",
        "    except BaseException as error:\n        if not",
        "    except ValueError as error:\n        if not",
        ("tests/unit/engine/test_publish.py::test_events_are_published_again_after_an_outage_of_redis",),
        "One lost connection to Redis silences a worker for the rest of its life.",
    ),
    Mutant(
        "loops-end",
        13,
        "orderd/queue/loops.py",
        "except BaseException as error:",
        "except ValueError as error:",
        ("tests/unit/queue/test_loops.py::test_a_failing_pass_ends_neither_the_loop_nor_the_process",),
        "One error of the node ends settlement: nothing that was sent is ever confirmed.",
    ),
    Mutant(
        "hints-end",
        13,
        "orderd/solana/hints.py",
        "            except Exception as error:  # noqa: BLE001  (an error in one hint must not end the listening)\n",
        "            except ConnectionError as error:\n",
        ("tests/unit/solana/test_hints.py::test_an_exception_in_a_watcher_does_not_end_later_hints",),
        "One odd message of a node, and pools are traded by older prices from then on.",
    ),
)
