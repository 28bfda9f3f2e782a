"""Publishing of events: after the commit, each once, in order."""

from typing import Final

from tests.mutants.mutant import Mutant

_HUB: Final = "tests/unit/gateway/test_hub.py::"

MUTANTS: Final = (
    Mutant(
        "event-delivered-twice",
        4,
        "orderd/gateway/streaming/hub.py",
        "            if not may_wait or self._marks[order_id].seq < self._late.get(order_id, 0):\n"
        "                self._fill(order_id, seq)\n",
        "            self._marks[order_id].seq = 0\n            self._fill(order_id, seq)\n",
        (f"{_HUB}test_every_follower_sees_every_event_once_and_in_order",),
        "A client that adds up fills counts one of them twice.",
    ),
    Mutant(
        "gaps-ignored",
        4,
        "orderd/gateway/streaming/hub.py",
        "elif streamed.seq == mark.seq + 1 and (mark.groups or not self._of_group):",
        "elif mark.groups or not self._of_group:",
        (f"{_HUB}test_every_follower_sees_every_event_once_and_in_order",),
        "Events that Redis lost, such as a failed attempt or a fill, are never delivered.",
    ),
    Mutant(
        "old-event-after-snapshot",
        4,
        "orderd/gateway/streaming/subscription.py",
        "is_new = streamed.seq > sent",
        "is_new = streamed.seq >= sent",
        (f"{_HUB}test_every_follower_sees_every_event_once_and_in_order",),
        "An order returns to a state that it has left.",
    ),
    Mutant(
        "events-of-later-pages-held",
        4,
        "orderd/gateway/streaming/subscription.py",
        "self._upto < number <= self.since",
        "self._upto > number",
        ("tests/unit/gateway/test_subscription.py::test_events_of_orders_on_later_pages_are_left_to_those_pages",),
        "A client that follows many busy orders is disconnected before it has received their snapshots.",
    ),
    Mutant(
        "end-without-snapshot",
        4,
        "orderd/gateway/streaming/subscription.py",
        "            self._drop_ended(page, after)\n",
        "",
        (f"{_HUB}test_every_follower_sees_every_event_once_and_in_order",),
        "A follower receives the end of an order that it was never shown.",
    ),
    Mutant(
        "sweep-finds-nothing",
        4,
        "orderd/gateway/streaming/hub.py",
        "            if not may_wait or self._marks[order_id].seq < self._late.get(order_id, 0):\n",
        "            if False:\n",
        (f"{_HUB}test_late_events_are_awaited_and_lost_ones_are_read",),
        "If Redis loses the final event of an order, it is never delivered, and the trader waits for ever.",
    ),
    Mutant(
        "publishing-ends-with-redis",
        13,
        "orderd/best_effort.py",
        "    except BaseException as error:\n        if not",
        "    except ValueError as error:\n        if not",
        ("tests/unit/engine/test_publish.py::test_events_are_published_again_after_an_outage_of_redis",),
        "After one lost connection to Redis a worker publishes nothing until it is restarted.",
    ),
    Mutant(
        "loop-ends-on-error",
        13,
        "orderd/queue/loops.py",
        "except BaseException as error:",
        "except ValueError as error:",
        ("tests/unit/queue/test_loops.py::test_a_failing_pass_ends_neither_the_loop_nor_the_process",),
        "One error of the node ends settlement: no sent transaction is ever confirmed.",
    ),
    Mutant(
        "hints-end-on-error",
        13,
        "orderd/solana/hints.py",
        "            except Exception as error:  # noqa: BLE001  (an error in one hint must not end the listening)\n",
        "            except ConnectionError as error:\n",
        ("tests/unit/solana/test_hints.py::test_an_exception_in_a_watcher_does_not_end_later_hints",),
        "After one unexpected message of a node, pools are traded on outdated prices.",
    ),
)
