"""A chain for venues: accounts in a dict behind a node's JSON-RPC, and pools in their real layouts."""

import base64
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from solders.hash import Hash
from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2 import addresses as meteora_damm_v2_addresses
from orderd.pools.meteora_damm_v2 import program as meteora_damm_v2
from orderd.pools.meteora_dlmm import accounts as meteora_dlmm_accounts
from orderd.pools.meteora_dlmm import addresses as meteora_dlmm_addresses
from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.meteora_dlmm.accounts import BitmapExtension, LbPair, StaticParameters, VariableParameters
from orderd.pools.meteora_dlmm.bin_array import Bin, BinArray
from orderd.pools.meteora_dlmm.bitmap import INTERNAL, array_index
from orderd.pools.meteora_dlmm.simnet.genesis import BIN_ARRAY_VERSION, NO_REWARD
from orderd.pools.raydium_amm_v4 import program as raydium_amm_v4
from orderd.pools.raydium_clmm import addresses as raydium_clmm_addresses
from orderd.pools.raydium_clmm import program as raydium_clmm
from orderd.pools.raydium_cpmm import addresses as raydium_cpmm_addresses
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.pools.raydium_cpmm.accounts import AmmConfig, PoolState
from orderd.simnet.invoke import SLOTS_PER_EPOCH
from orderd.solana.programs import token
from orderd.solana.programs.layout import Record
from orderd.solana.rpc import RpcClient
from orderd.solana.transport import Response, TransportError
from tests.unit.pools.meteora_damm_v2.test_program import account_of
from tests.unit.pools.raydium_amm_v4.test_program import account_of as amm_v4_account_of
from tests.unit.pools.raydium_clmm import accounts as clmm_accounts

OWNER = Pubkey.from_bytes(b"\x51" * 32)


class Chain:
    """Accounts by address; also the transport of an RPC client, which counts requests and can fail."""

    def __init__(self) -> None:
        self.slot = 1_000
        self.accounts: dict[Pubkey, tuple[Pubkey, bytes]] = {}
        self.methods: list[str] = []
        self.requests = 0
        self.failure: Exception | None = None
        self.unknown_methods: set[str] = set()
        self.status = 200
        self.gate: threading.Event | None = None
        self.asked = threading.Event()

    def rpc(self) -> RpcClient:
        return RpcClient("http://127.0.0.1", transport=self)

    def put(self, address: Pubkey, owner: Pubkey, account: Record) -> None:
        self.accounts[address] = (owner, account.encode())

    def post(self, body: bytes) -> Response:
        self.asked.set()
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.failure is not None:
            raise self.failure
        if self.status != 200:
            return Response(self.status, b"slow down", "2")
        requests = orjson.loads(body)
        self.requests += 1
        if isinstance(requests, list):
            return Response(200, orjson.dumps([self._reply(each) for each in requests]))
        return Response(200, orjson.dumps(self._reply(requests)))

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        self.methods.append(request["method"])
        if request["method"] in self.unknown_methods:
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "Method not found"}}
        value = getattr(self, f"_{request['method']}")(*request["params"])
        bare = request["method"] == "getEpochInfo"
        result = value if bare else {"context": {"slot": self.slot}, "value": value}
        return {"jsonrpc": "2.0", "id": request["id"], "result": result}

    def close(self) -> None: ...

    def unreachable(self) -> None:
        self.failure = TransportError("127.0.0.1:80: timed out")

    def _getLatestBlockhash(self, _config: Any) -> Any:  # noqa: N802
        return {"blockhash": str(Hash.default()), "lastValidBlockHeight": self.slot}

    def _getEpochInfo(self, _config: Any) -> Any:  # noqa: N802
        epoch, index = divmod(self.slot, SLOTS_PER_EPOCH)
        slots = {"absoluteSlot": self.slot, "blockHeight": self.slot, "slotIndex": index}
        return slots | {"epoch": epoch, "slotsInEpoch": SLOTS_PER_EPOCH}

    def _getMultipleAccounts(self, keys: list[str], config: Any) -> list[Any]:  # noqa: N802
        return [self._account(Pubkey.from_string(key), config) for key in keys]

    def _getProgramAccounts(self, program: str, config: Any) -> list[Any]:  # noqa: N802
        def passes(data: bytes) -> bool:
            for each in config["filters"]:
                if "dataSize" in each and len(data) != each["dataSize"]:
                    return False
                if "memcmp" in each:
                    start, wanted = each["memcmp"]["offset"], bytes(Pubkey.from_string(each["memcmp"]["bytes"]))
                    if data[start : start + 32] != wanted:
                        return False
            return True

        found = [key for key, (owner, data) in self.accounts.items() if str(owner) == program and passes(data)]
        return [{"pubkey": str(key), "account": self._account(key, config)} for key in found]

    def _account(self, key: Pubkey, config: Any) -> Any:
        if key not in self.accounts:
            return None
        owner, data = self.accounts[key]
        if (part := config.get("dataSlice")) is not None:
            data = data[part["offset"] : part["offset"] + part["length"]]
        return {
            "lamports": 10**6,
            "owner": str(owner),
            "data": [base64.b64encode(data).decode(), "base64"],
            "executable": False,
            "rentEpoch": 0,
        }


def put_mint(chain: Chain, mint: Pubkey, decimals: int, *, extensions: Mapping[int, bytes] | None = None) -> None:
    """A mint of SPL Token or, with extensions, of Token-2022."""
    account = token.Mint.new(decimals)
    if extensions is None:
        chain.put(mint, token.PROGRAM_ID, account)
        return
    entries = b"".join(
        kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value for kind, value in extensions.items()
    )
    chain.accounts[mint] = (token.TOKEN_2022_PROGRAM_ID, account.encode() + bytes(83) + b"\x01" + entries)


def put_cpmm(
    chain: Chain, address: Pubkey, mint_0: Pubkey, mint_1: Pubkey, pool: Mapping[str, Any], **changes: Any
) -> None:
    """Add a Raydium CPMM pool of the vectors; ``changes`` replace fields of its state."""
    rates, state = pool["amm_config"], pool["pool_state"]
    config = AmmConfig(
        bump=255,
        disable_create_pool=0,
        index=0,
        trade_fee_rate=rates["trade_fee_rate"],
        protocol_fee_rate=rates["protocol_fee_rate"],
        fund_fee_rate=rates["fund_fee_rate"],
        create_pool_fee=0,
        protocol_owner=OWNER,
        fund_owner=OWNER,
        creator_fee_rate=rates["creator_fee_rate"],
    )
    fields: dict[str, Any] = {
        "amm_config": Pubkey.find_program_address([b"config", bytes(address)], raydium_cpmm.PROGRAM_ID)[0],
        "pool_creator": OWNER,
        "vault_0": raydium_cpmm_addresses.vault_address(address, mint_0),
        "vault_1": raydium_cpmm_addresses.vault_address(address, mint_1),
        "lp_mint": raydium_cpmm_addresses.lp_mint_address(address),
        "mint_0": mint_0,
        "mint_1": mint_1,
        "token_0_program": _program_of(chain, mint_0),
        "token_1_program": _program_of(chain, mint_1),
        "observation": raydium_cpmm_addresses.observation_address(address),
        "auth_bump": 253,
        "status": state["status"],
        "lp_mint_decimals": 9,
        "mint_0_decimals": state["mint_0_decimals"],
        "mint_1_decimals": state["mint_1_decimals"],
        "lp_supply": 10**9,
        "protocol_fees_0": state["protocol_fees_token_0"],
        "protocol_fees_1": state["protocol_fees_token_1"],
        "fund_fees_0": state["fund_fees_token_0"],
        "fund_fees_1": state["fund_fees_token_1"],
        "open_time": 0,
        "recent_epoch": 0,
        "creator_fee_on": state["creator_fee_on"],
        "enable_creator_fee": int(state["enable_creator_fee"]),
        "padding_1": bytes(6),
        "creator_fees_0": state["creator_fees_token_0"],
        "creator_fees_1": state["creator_fees_token_1"],
    }
    account = PoolState(**(fields | changes))
    chain.put(account.amm_config, raydium_cpmm.PROGRAM_ID, config)
    chain.put(address, raydium_cpmm.PROGRAM_ID, account)
    for vault, mint, amount in (
        (account.vault_0, mint_0, state["token_0_vault_amount"]),
        (account.vault_1, mint_1, state["token_1_vault_amount"]),
    ):
        holder = token.TokenAccount.new(mint, raydium_cpmm_addresses.authority_address()[0], amount)
        chain.put(vault, token.PROGRAM_ID, holder)


def put_dlmm(
    chain: Chain, address: Pubkey, mint_x: Pubkey, mint_y: Pubkey, pool: Mapping[str, Any], **changes: Any
) -> None:
    """Add a Meteora DLMM pool of the vectors; ``changes`` replace fields of its state."""
    variable = pool["v_parameters"]
    indices = {array_index(each["bin_id"]) for each in pool["bins"]}
    reward = NO_REWARD
    if pool["has_reward"]:
        reward = meteora_dlmm_accounts.RewardInfo(OWNER, OWNER, OWNER, 0, 0, 0, 0, 0)
    fields: dict[str, Any] = {
        "parameters": StaticParameters(**pool["parameters"]),
        "v_parameters": VariableParameters(
            variable["volatility_accumulator"],
            variable["volatility_reference"],
            variable["index_reference"],
            bytes(4),
            variable["last_update_timestamp"],
        ),
        "bump_seed": 255,
        "bin_step_seed": pool["bin_step"],
        "pair_type": pool["pair_type"],
        "active_id": pool["active_id"],
        "bin_step": pool["bin_step"],
        "status": pool["status"],
        "require_base_factor_seed": 0,
        "base_factor_seed": 0,
        "activation_type": 1,
        "creator_pool_on_off_control": 0,
        "mint_x": mint_x,
        "mint_y": mint_y,
        "reserve_x": meteora_dlmm_addresses.reserve_address(address, mint_x),
        "reserve_y": meteora_dlmm_addresses.reserve_address(address, mint_y),
        "protocol_fee_x": pool["protocol_fee"]["amount_x"],
        "protocol_fee_y": pool["protocol_fee"]["amount_y"],
        "padding_1": bytes(32),
        "reward_0": reward,
        "reward_1": NO_REWARD,
        "oracle": meteora_dlmm_addresses.oracle_address(address),
        "bin_array_bitmap": sum(1 << (each + INTERNAL) for each in indices if -INTERNAL <= each < INTERNAL),
        "last_updated_at": 0,
        "padding_2": bytes(32),
        "pre_activation_swap_address": Pubkey.default(),
        "base_key": Pubkey.default(),
        "activation_point": 0,
        "pre_activation_duration": 0,
        "padding_3": bytes(8),
        "padding_4": 0,
        "creator": OWNER,
        "token_x_program_flag": int(_program_of(chain, mint_x) == token.TOKEN_2022_PROGRAM_ID),
        "token_y_program_flag": int(_program_of(chain, mint_y) == token.TOKEN_2022_PROGRAM_ID),
        "version": 1,
    }
    account = LbPair(**(fields | changes))
    chain.put(address, meteora_dlmm.PROGRAM_ID, account)
    above = sum(1 << (each - INTERNAL) for each in indices if each >= INTERNAL)
    below = sum(1 << (-each - 1 - INTERNAL) for each in indices if each < -INTERNAL)
    if above or below:
        extension = BitmapExtension(address, above, below)
        chain.put(meteora_dlmm_addresses.bitmap_extension_address(address), meteora_dlmm.PROGRAM_ID, extension)
    for index in indices:
        array = BinArray(index, BIN_ARRAY_VERSION, bytes(7), address)
        for each in pool["bins"]:
            if array_index(each["bin_id"]) == index:
                content = {name: value for name, value in each.items() if name != "bin_id"}
                array = array.with_bin(each["bin_id"], Bin(**content))
        chain.put(meteora_dlmm_addresses.bin_array_address(address, index), meteora_dlmm.PROGRAM_ID, array)
    for reserve, mint in ((account.reserve_x, mint_x), (account.reserve_y, mint_y)):
        total = sum(each["amount_x" if mint == mint_x else "amount_y"] for each in pool["bins"])
        chain.put(reserve, token.PROGRAM_ID, token.TokenAccount.new(mint, address, min(total, 2**64 - 1)))


def put_clmm(
    chain: Chain, address: Pubkey, mint_0: Pubkey, mint_1: Pubkey, pool: Mapping[str, Any], **changes: Any
) -> None:
    """Add a Raydium CLMM pool of the vectors; ``changes`` replace fields of its state."""
    program = raydium_clmm.PROGRAM_ID
    for mint in (mint_0, mint_1):
        _program_of(chain, mint)
    fields: dict[str, Any] = {
        "amm_config": Pubkey.find_program_address([b"config", bytes(address)], program)[0],
        "mint_0": mint_0,
        "mint_1": mint_1,
        "vault_0": raydium_clmm_addresses.vault_address(address, mint_0),
        "vault_1": raydium_clmm_addresses.vault_address(address, mint_1),
        "observation": raydium_clmm_addresses.observation_address(address),
    }
    account = replace(clmm_accounts.state_of(dict(pool)), **(fields | changes))
    chain.put(account.amm_config, program, clmm_accounts.config_of(dict(pool)))
    chain.put(address, program, account)
    for start, array in clmm_accounts.arrays_of(dict(pool)).items():
        chain.put(raydium_clmm_addresses.tick_array_address(address, start), program, replace(array, pool_id=address))
    for vault, mint in ((account.vault_0, mint_0), (account.vault_1, mint_1)):
        chain.put(vault, token.PROGRAM_ID, token.TokenAccount.new(mint, address, account.liquidity % 2**64))


def put_amm_v4(
    chain: Chain, address: Pubkey, coin: Pubkey, pc: Pubkey, pool: Mapping[str, Any], **changes: Any
) -> None:
    """Add a Raydium AMM v4 pool of the vectors; ``changes`` replace fields of its state or counters."""
    for mint in (coin, pc):
        _program_of(chain, mint)
    state = amm_v4_account_of(dict(pool))
    counters = {name: changes.pop(name) for name in list(changes) if name in type(state.state_data).__slots__}
    vaults = [Pubkey.find_program_address([b"vault", bytes(address), bytes(mint)], OWNER)[0] for mint in (coin, pc)]
    fields: dict[str, Any] = {"coin_mint": coin, "pc_mint": pc, "coin_vault": vaults[0], "pc_vault": vaults[1]}
    account = replace(state, state_data=replace(state.state_data, **counters), **(fields | changes))
    chain.put(address, raydium_amm_v4.PROGRAM_ID, account)
    for vault, mint, amount in zip(
        vaults, (coin, pc), (pool["coin_vault_amount"], pool["pc_vault_amount"]), strict=True
    ):
        chain.put(vault, token.PROGRAM_ID, token.TokenAccount.new(mint, address, amount))


def put_damm_v2(
    chain: Chain, address: Pubkey, mint_a: Pubkey, mint_b: Pubkey, pool: Mapping[str, Any], **changes: Any
) -> None:
    """Add a Meteora DAMM v2 pool of the vectors; ``changes`` replace fields of its state."""
    flags = [int(_program_of(chain, mint) == token.TOKEN_2022_PROGRAM_ID) for mint in (mint_a, mint_b)]
    fields: dict[str, Any] = {
        "token_a_mint": mint_a,
        "token_b_mint": mint_b,
        "token_a_vault": meteora_damm_v2_addresses.vault_address(address, mint_a),
        "token_b_vault": meteora_damm_v2_addresses.vault_address(address, mint_b),
        "token_a_flag": flags[0],
        "token_b_flag": flags[1],
    }
    account = replace(account_of(dict(pool)), **(fields | changes))
    chain.put(address, meteora_damm_v2.PROGRAM_ID, account)
    for vault, mint, amount in (
        (account.token_a_vault, mint_a, account.token_a_amount),
        (account.token_b_vault, mint_b, account.token_b_amount),
    ):
        chain.put(vault, token.PROGRAM_ID, token.TokenAccount.new(mint, address, min(amount, 2**64 - 1)))


def _program_of(chain: Chain, mint: Pubkey) -> Pubkey:
    """The token program of a mint, which is created if missing."""
    if mint not in chain.accounts:
        put_mint(chain, mint, 6)
    return chain.accounts[mint][0]
