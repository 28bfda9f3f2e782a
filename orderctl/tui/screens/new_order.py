"""The form for a new order, with live quotes."""

import asyncio
from decimal import Decimal
from typing import Any, ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, Select, Static
from textual.worker import Worker
from uuid_utils import uuid7

from orderctl.display.prospect import check_fires_later, prospect
from orderctl.display.quotes import brief_quote_view
from orderctl.display.resting import exits, prices
from orderctl.display.terms import sold
from orderctl.output.colours import Tone
from orderctl.trading.terms import check, promised, rests
from orderctl.tui.desk import Desk
from orderctl.tui.prices import Pair
from orderctl.tui.widgets.key_line import KeyLine
from orderctl.tui.widgets.terms_form import TermsForm
from orderd.client.errors import AnswerLostError, ClientError
from orderd.client.news import Caller
from orderd.client.protocol import params_of
from orderd.domain.errors import OrderdError
from orderd.wire.balances import Balance
from orderd.wire.orders import OrderView
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitParams, SubmitResult

TYPING_SECONDS = 0.2
"""Delay after the last key before a quote is requested."""
QUOTE_SECONDS = 2.0
SENDING_SECONDS = 0.2
"""An answer that takes longer is waited for with the button disabled."""
BUTTON_WIDTH = 58
"""Maximum width of the send button, to fit in 80 columns beside the other button."""
UNARMED = "Send"
"""The label of the send button while there is nothing to send."""
UNTYPED = "type an amount to see quotes; nothing is sent until you press the button"
"""The answer while there is no amount."""


class NewOrderScreen(ModalScreen[OrderView]):
    """Returns the order, once the daemon has accepted it.

    Enter moves from field to field and stops at the last one; Tab and Ctrl-S lead to the send button. The limit shown
    on the button is part of the order; a resting order is sent without it. If the wallet has wrapped SOL, an order can
    sell it. All submissions of one form use the same client order id, so a lost response cannot create two orders.
    """

    AUTO_FOCUS = "#amount"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close without an order", id="close-form"),
        Binding("tab", "app.focus_next", "Next field, then the button", id="next-field"),
        Binding("ctrl+s", "to_button", "To the button", id="to-button"),
    ]
    form = getters.query_one(TermsForm)
    answer = getters.query_one("#quote", Static)
    send = getters.query_one("#send", Button)
    use_wrapped = getters.query_one("#use-wrapped", Checkbox)

    def __init__(
        self, desk: Desk, caller: Caller, client_order_id: str | None = None, pair: Pair | None = None
    ) -> None:
        """``pair`` are the initial tokens; the default is the desk's pair."""
        super().__init__()
        self._pair = pair or desk.pair
        self._desk = desk
        self._caller = caller
        self._client_order_id = client_order_id or str(uuid7())
        self._promised: dict[str, str | None] = {}
        self._sending: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "New order"
            yield TermsForm(self._pair, self._desk.symbols)
            yield Checkbox(id="use-wrapped", compact=True)
            with VerticalScroll(id="answer", can_focus=False):
                yield Static(id="quote")
            yield Static(Text.assemble(("client order id ", "dim"), self._client_order_id), id="client-order-id")
            with Horizontal(classes="buttons"):
                yield Button(UNARMED, id="send", variant="primary", disabled=True, compact=True)
                yield Button("Close", id="close", compact=True)
        yield KeyLine()

    def on_mount(self) -> None:
        self.send.active_effect_duration = 0  # drawing the pressed button would delay the order
        self._offer_wrapped()
        self._show_answer(UNTYPED)

    # Input

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    def _changed(self) -> None:
        self._disarm()
        self._offer_wrapped()
        self._quote()

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        if event.input is not self.form.last_field:
            self.focus_next(Input)

    def action_to_button(self) -> None:
        """Leave the fields for the send button, unless there is nothing to send yet."""
        self.send.focus()

    @on(Button.Pressed, "#close")
    def action_close(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#send")
    def _pressed(self) -> None:
        if self._sending is None or self._sending.is_finished:
            self._sending = self._submit()

    def _trade(self) -> dict[str, Any]:
        return {**self.form.terms, "use_wrapped": self.use_wrapped.display and self.use_wrapped.value}

    # The wallet

    def _held(self, token: str) -> Balance | None:
        """The wallet's balance of a token, if known."""
        balances = self._desk.wallet.balances if self._desk.wallet is not None else ()
        return next((each for each in balances if token.upper() == each.token or token == each.mint), None)

    def _offer_wrapped(self) -> None:
        held = self._held(self.form.typed("token_in"))
        self.use_wrapped.display = held is not None and held.wrapped not in (None, "0")
        if held is not None and self.use_wrapped.display:
            self.use_wrapped.label = f"Sell what is wrapped: {held.wrapped} {held.token}"

    # Quote and submission

    @work(exclusive=True, group="quote", exit_on_error=False)
    async def _quote(self) -> None:
        """Request quotes repeatedly until the terms change."""
        trade = self._trade()
        if not self.form.amount:
            self._show_answer(UNTYPED)
            return
        if (missing := self.form.missing) is not None:
            self._show_answer(f"required field: {missing}")
            return
        await asyncio.sleep(TYPING_SECONDS)
        while True:
            try:
                params = params_of(QuoteParams, **trade)
                check(params)
                quote = await self._caller.call(Method.QUOTE, params, QuoteResult)
                if rests(params) or exits(quote):
                    check_fires_later(params, quote)
            except (ClientError, OrderdError) as error:
                self._disarm()
                self._complain(error)
                if isinstance(error, OrderdError):
                    return
            else:
                halts = self._halts()
                self._show_answer(Group(*halts, *self._shortage(quote), *_view(quote, rests=rests(params))))
                if halts:
                    self._disarm()
                else:
                    self._arm(quote, rests=rests(params))
            await asyncio.sleep(QUOTE_SECONDS)

    def _halts(self) -> list[Text]:
        """The halts of trading, during which the daemon accepts no order."""
        halts = self._desk.status.halts if self._desk.status is not None else ()
        return [Text(f"no order is accepted: {halt.summary}", Tone.ALARM) for halt in halts]

    def _shortage(self, quote: QuoteResult) -> list[Text]:
        """A warning if the balance is too low. The order can still be sent, because funds may arrive."""
        balance = self._held(quote.token_in)
        if balance is None:
            return []
        held = balance.wrapped if quote.use_wrapped else balance.tradable
        held = balance.amount if held is None else held  # from an older daemon
        if Decimal(held) >= Decimal(quote.amount_in or quote.max_amount_in or 0):
            return []
        return [Text(f"the wallet holds only {held} {sold(quote)}", Tone.WARNING)]

    def _arm(self, quote: QuoteResult, *, rests: bool) -> None:
        """Enable the button. The current limit only applies to an order that does not rest."""
        is_real = self._desk.status is not None and self._desk.status.chain == "mainnet"
        self._promised = {} if rests else promised(quote)
        self.send.label = _button_label(quote, rests=rests)
        self.send.variant = "error" if is_real else "primary"
        self.send.disabled = False
        self.send.refresh(layout=True)  # resizes the button to its label

    def _disarm(self) -> None:
        """Disable the button, which must not promise what the changed terms do not."""
        self.send.disabled = True
        if str(self.send.label) != UNARMED:
            self.send.label = UNARMED
            self.send.refresh(layout=True)

    @work(exclusive=True, group="quote", exit_on_error=False)
    async def _submit(self) -> None:
        # To disable the button moves the focus and draws all again, which takes as long as the daemon's answer.
        disabling = self.set_timer(SENDING_SECONDS, self._disable)
        try:
            own = {"client_order_id": self._client_order_id}
            order = params_of(SubmitParams, **self._trade() | self._promised | own)
            result = await self._caller.call(Method.ORDER_SUBMIT, order, SubmitResult)
        except AnswerLostError as error:
            self._show_answer(
                Text.assemble(
                    ("The outcome is unknown: ", Tone.WARNING.bold),
                    f"{error.detail}.\nSending it again from this form cannot create a second order.",
                )
            )
            self.send.disabled = False
        except (ClientError, OrderdError) as error:
            self.send.disabled = True
            self._complain(error)
        else:
            self.dismiss(result.order)
        finally:
            disabling.stop()

    def _disable(self) -> None:
        self.send.disabled = True

    def _complain(self, error: ClientError | OrderdError) -> None:
        title, step = (
            (error.spec.title, error.spec.next_step)
            if isinstance(error, OrderdError)
            else (error.title, error.next_step)
        )
        why = self.form.labelled(error.detail)
        self._show_answer(Text.assemble((title, Tone.ALARM), f"\n{why}\n", ("next: ", Tone.HINT), step))

    def _show_answer(self, what: RenderableType) -> None:
        self.answer.update(what)


def _view(quote: QuoteResult, *, rests: bool) -> list[RenderableType]:
    if rests:
        return [prospect(quote)]
    follows = [Text(f"then {exits(quote)}, for what was received", Tone.MUTED)] if exits(quote) else []
    return [brief_quote_view(quote), *follows]


def _button_label(quote: QuoteResult, *, rests: bool) -> str:
    """The label of the send button."""
    if quote.exact_out is not None:
        return f"Buy {quote.exact_out} {quote.token_out} for at most {quote.max_amount_in} {quote.token_in}"
    sells = f"Sell {quote.amount_in} {sold(quote)}"
    if quote.slices is not None:
        return f"{sells} in {quote.slices} executions"
    if not rests:
        return f"{sells} for at least {quote.min_amount_out} {quote.token_out}"
    label = f"{sells}, {prices(quote)}"
    return label if len(label) <= BUTTON_WIDTH else f"{label[: BUTTON_WIDTH - 1]}…"
